"""Firmware: whose keys approved what, which rule a release, a rollout or a receipt broke, and ramps that stop."""

from __future__ import annotations

import pytest

from gridweave.audit import Checked, Kind, audit
from gridweave.chain import to_hex
from gridweave.chain.events import (
    FirmwareReleased,
    FloorRaised,
    InstallTold,
    ReceiptRefused,
    ReleaseRevoked,
    RolloutPaused,
    RolloutStepped,
    decode_log,
)
from gridweave.domain.firmware.errors import ReceiptTold

from .firmware import KEYS, MODEL
from .inputs import Edit, add, edited, flip_byte, put
from .lying import honest, lying_node
from .street import Street
from .test_audit import EVENT_ABIS, altered, audit_with, on, one_of
from .test_signatures import audit_with as audit_of
from .test_signatures import calls_of

pytestmark = [pytest.mark.chain, pytest.mark.asyncio(loop_scope="session")]

CONTRACT = "FirmwareRegistry"
STRANGER = "0x" + "11" * 20
QUORUMS = {
    "openModel": 1,
    "changeKeys": 3,
    "release": 1,
    "begin": 3,
    "raiseShare": 4,
    "pause": 3,
    "resume": 3,
    "revoke": 4,
}
"""Of each function that keys approve, which argument the quorum is."""

RULES: list[tuple[str, int, tuple[int, ...], Edit, str]] = [
    ("openModel", 0, (1, 0, 0), put(2), "WrongKeySetVersion"),
    ("openModel", 0, (1, 0, 1), put(0), "ThresholdOutOfRange"),
    ("openModel", 0, (1, 0, 2), lambda keys: keys[::-1], "KeysNotAscending"),
    ("openModel", 0, (1, 1), lambda approvals: approvals[1:], "BelowThreshold"),
    ("changeKeys", 0, (0,), put(99), "UnknownModel"),
    ("changeKeys", 0, (1, 0), put(3), "WrongKeySetVersion"),
    ("changeKeys", 0, (1, 1), put(5), "ThresholdOutOfRange"),
    ("changeKeys", 0, (2,), put(1), "ActExpired"),
    ("changeKeys", 0, (3, 0, 0), put(2), "WrongKeySet"),
    ("changeKeys", 0, (3, 1), lambda approvals: approvals[2:], "BelowThreshold"),
    ("release", 1, (0, 1), put(1), "CounterNotIncreasing"),
    ("release", 1, (0, 2), put(0), "FloorLowered"),
    ("release", 1, (0, 2), put(9), "FloorAboveCounter"),
    ("release", 1, (0, 3), put(0), "ReleaseIncomplete"),
    ("release", 1, (0, 4), put(bytes(32)), "ReleaseIncomplete"),
    ("release", 1, (0, 8), put(0), "FailureLimitOutOfRange"),
    ("release", 1, (0, 9), put(10_001), "FailureLimitOutOfRange"),
    ("release", 1, (0, 10), put(1), "ActExpired"),
    ("release", 1, (1, 0, 1), put(1), "WrongKeySet"),
    ("release", 1, (1, 1), lambda approvals: approvals[:2], "BelowThreshold"),
    ("release", 1, (1, 1), lambda approvals: (*approvals[:2], approvals[1]), "SignersNotAscending"),
    ("release", 1, (1, 1, 0, 0), put(STRANGER), "UnknownReleaseKey"),
    ("begin", 0, (0, 7), put("elsewhere"), "WrongRelease"),
    ("begin", 0, (0, 1), put(8), "UnknownRelease"),
    ("begin", 0, (1,), put(1_001), "CanaryOutOfRange"),
    ("begin", 0, (2,), put(1), "ActExpired"),
    ("raiseShare", 1, (2,), put(100), "ShareNotRaised"),
    ("raiseShare", 1, (2,), put(10_001), "ShareNotRaised"),
    ("raiseShare", 1, (1,), put(1), "WrongRolloutState"),
    ("pause", 0, (1,), put(8), "UnknownRelease"),
    ("pause", 0, (3, 1), put(()), "BelowThreshold"),
    ("resume", 0, (1,), put(1), "WrongRolloutState"),
    ("revoke", 0, (2,), put(0), "RevocationOutOfRange"),
    ("revoke", 0, (2,), put(100_000), "RevocationOutOfRange"),
    ("revoke", 1, (2,), add(2), "RevocationNotEarlier"),
    ("tell", 0, (0, 1), put(99), "UnknownModel"),
    ("tell", 0, (0, 2), put(8), "UnknownRelease"),
    ("tell", 0, (0, 0), put(STRANGER), "UnknownDevice"),
    ("tell", 0, (0, 4), put(2**40 - 1), "ReceiptFromFuture"),
    ("tell", 1, (0, 2), put(1), "ReceiptTold"),
]
"""What a call would be refused for if it had been as the node says: function, which of them, where, how."""


@pytest.mark.parametrize(
    ("function", "number", "path", "edit", "refusal"), RULES, ids=[f"{r[0]}-{r[4]}-{n}" for n, r in enumerate(RULES)]
)
async def test_audit__when_a_call_is_altered__names_the_rule_that_it_breaks(
    day: Street, function: str, number: int, path: tuple[int, ...], edit: Edit, refusal: str
) -> None:
    call = (await calls_of(day, CONTRACT, function))[number]
    report = await audit_of(day, call.hash, edited(CONTRACT, function, (path, edit)))
    broken = [found for found in report.differences if found.kind is Kind.RULE]
    assert broken[0].found.startswith(f"{refusal}("), [found.sentence for found in report.differences]
    assert broken[0].place.transaction == to_hex(call.hash)
    assert broken[0].subject.model is not None


# who approved


@pytest.mark.parametrize("function", QUORUMS)
@pytest.mark.parametrize("approval", [0, -1], ids=["first", "last"])
async def test_audit__when_an_approval_is_altered__names_model_and_key(
    day: Street, function: str, approval: int
) -> None:
    call = (await calls_of(day, CONTRACT, function))[0]
    path = (QUORUMS[function], 1, approval, 1)
    report = await audit_of(day, call.hash, edited(CONTRACT, function, (path, flip_byte())))
    (found,) = report.differences
    assert (found.kind, found.subject.model) == (Kind.RELEASE_KEY_SIGNATURE, MODEL)
    assert found.expected in {key.address for key in KEYS}
    assert found.place.transaction == to_hex(call.hash)


@pytest.mark.parametrize(
    "spelling", [lambda s: s[:64] + bytes([s[64] - 27]), lambda s: s[:64]], ids=["v 0", "64 bytes"]
)
async def test_audit__when_an_approval_is_spelt_otherwise__names_the_key(day: Street, spelling: Edit) -> None:
    """The registry takes 65 bytes with v 27 or 28 and nothing else."""
    call = (await calls_of(day, CONTRACT, "release"))[0]
    report = await audit_of(day, call.hash, edited(CONTRACT, "release", ((1, 1, 0, 1), spelling)))
    assert [found.kind for found in report.differences] == [Kind.RELEASE_KEY_SIGNATURE]


async def test_audit__when_an_approval_is_said_to_be_another_member_s__names_it(day: Street) -> None:
    """One member's signature under another's name: still so many approvals, but not theirs."""
    call = (await calls_of(day, CONTRACT, "raiseShare"))[0]
    third = KEYS[2].address
    report = await audit_of(day, call.hash, edited(CONTRACT, "raiseShare", ((4, 1, 1, 0), put(third))))
    (found,) = report.differences
    assert (found.kind, found.expected) == (Kind.RELEASE_KEY_SIGNATURE, third)


@pytest.mark.parametrize(
    ("function", "number", "path", "edit", "event"),
    [
        ("release", 0, (0, 4), flip_byte(), "FirmwareReleased"),
        ("release", 0, (0, 7), put("elsewhere"), "FirmwareReleased"),
        ("raiseShare", 1, (2,), put(6_000), "RolloutStepped"),
        ("revoke", 0, (2,), add(-1), "ReleaseRevoked"),
        ("openModel", 0, (1, 0, 1), put(1), "ModelOpened"),
    ],
)
async def test_audit__when_what_was_approved_is_altered__names_keys_and_event(
    day: Street, function: str, number: int, path: tuple[int, ...], edit: Edit, event: str
) -> None:
    call = (await calls_of(day, CONTRACT, function))[number]
    report = await audit_of(day, call.hash, edited(CONTRACT, function, (path, edit)))
    named = {(found.kind, found.subject.event) for found in report.differences}
    assert (Kind.RELEASE_KEY_SIGNATURE, None) in named
    assert event in {of for _, of in named}


async def test_audit__when_a_maker_s_signature_is_altered__names_the_maker(day: Street) -> None:
    (call,) = await calls_of(day, CONTRACT, "openModel")
    report = await audit_of(day, call.hash, edited(CONTRACT, "openModel", ((2, 3), flip_byte())))
    (found,) = report.differences
    assert (found.kind, found.expected) == (Kind.MAKER_SIGNATURE, day.maker.address)


async def test_audit__when_a_model_is_said_to_be_opened_by_no_maker__names_the_role(day: Street) -> None:
    (call,) = await calls_of(day, CONTRACT, "openModel")
    report = await audit_of(day, call.hash, edited(CONTRACT, "openModel", ((2, 0), put(STRANGER))))
    assert {Kind.ROLE, Kind.MAKER_SIGNATURE, Kind.FIRMWARE} <= report.kinds


# what devices told


@pytest.mark.parametrize(("function", "path"), [("tell", (0, 5)), ("tellMany", (0, 0, 5))])
@pytest.mark.parametrize("byte", [3, 70], ids=["r", "key"])
async def test_audit__when_the_signature_of_a_receipt_is_altered__names_the_device(
    day: Street, function: str, path: tuple[int, ...], byte: int
) -> None:
    call = (await calls_of(day, CONTRACT, function))[0]
    report = await audit_of(day, call.hash, edited(CONTRACT, function, (path, flip_byte(byte))))
    (found,) = report.differences
    assert found.kind is Kind.RECEIPT_SIGNATURE
    assert found.subject.device == day.measured[1 if function == "tell" else 2].device
    assert (found.subject.model, found.subject.counter) == (MODEL, 1)


async def test_audit__when_a_failure_is_said_to_be_a_success__finds_that_the_ramp_need_not_have_stopped(
    day: Street,
) -> None:
    """The third day of receipts: one of two failed, which is over the limit."""
    call = (await calls_of(day, CONTRACT, "tellMany"))[2]
    report = await audit_of(day, call.hash, edited(CONTRACT, "tellMany", ((0, 0, 3), put(0))))
    named = {(found.kind, found.subject.event) for found in report.differences}
    assert {(Kind.RECEIPT_SIGNATURE, None), (Kind.RECEIPT, "InstallTold")} <= named
    assert (Kind.UNEXPECTED_EVENT, "RolloutPaused") in named
    assert (Kind.REFUSAL, "InstallTold") in named  # who came behind would have been heard


async def test_audit__when_a_refused_receipt_is_said_to_be_taken__names_the_refusal(day: Street) -> None:
    log = await one_of(day, "ReceiptRefused")
    event = decode_log(log)
    assert isinstance(event, ReceiptRefused)
    told = {
        "topics": ["0x" + EVENT_ABIS["InstallTold"].topic.hex(), *("0x" + topic.hex() for topic in log.topics[1:])],
        "data": to_hex(bytes(64)),
    }
    report = await audit_with(day, on(log, lambda entry: [{**entry, **told}]))
    (found,) = report.differences
    assert (found.kind, found.expected) == (Kind.REFUSAL, "ReceiptRefused(WrongRolloutState)")
    assert (found.found, found.subject.device) == ("InstallTold", event.device)


async def test_audit__when_a_taken_receipt_is_said_to_be_refused__names_the_refusal(day: Street) -> None:
    call = (await calls_of(day, CONTRACT, "tellMany"))[0]
    receipt = await day.node.receipt(call.hash)
    assert receipt is not None
    log = receipt.logs[1]
    refused = {
        "topics": ["0x" + EVENT_ABIS["ReceiptRefused"].topic.hex(), *("0x" + topic.hex() for topic in log.topics[1:])],
        "data": to_hex(ReceiptTold.selector().ljust(32, b"\0")),
    }
    report = await audit_with(day, on(log, lambda entry: [{**entry, **refused}]))
    (found,) = report.differences
    assert (found.expected, found.found) == ("InstallTold", "ReceiptRefused(ReceiptTold)")


async def test_audit__given_the_street_s_receipts__foresees_every_refusal_by_name(day: Street) -> None:
    logs = await day.node.logs(0, await day.node.block_number(), [day.book.addresses[CONTRACT]])
    reasons = [event.reason for log in logs if isinstance(event := decode_log(log), ReceiptRefused)]
    assert len(set(reasons)) == 5, reasons
    assert (await audit(day.node, day.book)).clean


# what was hidden, and what another contract relayed


async def test_audit__when_a_release_s_image_is_altered_in_its_event__names_that_field(day: Street) -> None:
    log = await one_of(day, "FirmwareReleased")
    image = 2 + 4  # behind the commitment and the struct's place
    report = await audit_with(day, on(log, lambda entry: [altered(entry, "bytes32", "data", image)]))
    (found,) = report.differences
    assert (found.kind, found.subject.field) == (Kind.FIRMWARE, "release.image_hash")
    assert (found.subject.model, found.subject.counter) == (MODEL, 5)


async def test_audit__when_a_revocation_is_hidden__finds_the_release_revoked_in_storage(day: Street) -> None:
    hidden = to_hex((await calls_of(day, CONTRACT, "revoke"))[1].hash)

    def lie(method: str, params: list, result):
        if method == "eth_getLogs":
            return [entry for entry in result if entry["transactionHash"] != hidden]
        return {**result, "status": "0x0"} if method == "eth_getTransactionReceipt" and params[0] == hidden else result

    async with lying_node(day.chain.url, lie, day.answers) as node:
        report = await audit(node, day.book)
    assert report.kinds == {Kind.STORAGE}
    assert "rolloutOf.revokedSince" in {found.subject.field for found in report.differences}
    assert {found.subject.counter for found in report.differences} == {2, None}


@pytest.mark.parametrize(
    "kind", [RolloutStepped, FloorRaised, InstallTold, ReleaseRevoked, RolloutPaused, FirmwareReleased]
)
async def test_audit__when_a_relayed_event_is_dropped__finds_it(day: Street, kind: type) -> None:
    async with lying_node(day.chain.url, honest, day.answers) as node:
        logs = await node.logs(0, await node.block_number(), [day.book.addresses[CONTRACT]])
        for log in logs:
            transaction = await node.transaction(log.transaction_hash)
            assert transaction is not None
            if transaction.to == day.book.addresses["Authority"] and isinstance(decode_log(log), kind):
                break
        else:
            raise AssertionError(f"nobody relayed a {kind.__name__}")
    report = await audit_with(day, on(log, lambda entry: []))
    assert not report.clean
    assert any(found.kind is Kind.STORAGE for found in report.differences) or kind is FloorRaised


async def test_audit__given_the_street_s_firmware__counts_what_it_recomputed(day: Street) -> None:
    report = await audit(day.node, day.book)
    counts = {
        Checked.MODELS: 1,
        Checked.KEY_SETS: 1,
        Checked.FIRMWARE_RELEASES: 5,
        Checked.ROLLOUT_STEPS: 11,
        Checked.ROLLOUT_PAUSES: 2,
        Checked.SELF_PAUSES: 1,
        Checked.FLOORS: 2,
        Checked.REVOCATIONS: 3,
        Checked.RECEIPTS: 9,
    }
    assert {what: report.counts[what] for what in counts} == counts
