"""A device's life: what was signed, by whom and in which order is checked again, and readings in doubt are told."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from gridweave.audit import Checked, Kind, audit
from gridweave.audit.inputs import selector_of
from gridweave.chain import to_hex
from gridweave.chain.events import ReadingRefused, decode_log
from gridweave.domain.errors import DeviceSignatureInvalid

from .lying import lying_node
from .street import Street
from .test_audit import EVENT_ABIS, audit_with, on, one_of
from .test_signatures import WORD, calls_of, changed
from .test_signatures import audit_with as audit_of

pytestmark = [pytest.mark.chain, pytest.mark.asyncio(loop_scope="session")]

SIGNED = [
    ("enrol", 0, 7),
    ("claim", 0, 7),
    ("rotate", 0, 7),
    ("rotate", 1, 7),
    ("vetoRotation", 0, 4),
    ("completeRotation", 0, 7),
    ("acceptTransfer", 0, 4),
]
"""Calls that a device's own key signs: which of the day's, and the word at which its signature begins."""


def put(data: bytes, word: int, value: int) -> bytes:
    """The input with another word in its place."""
    at = 4 + word * WORD
    return data[:at] + value.to_bytes(WORD, "big") + data[at + WORD :]


@pytest.mark.parametrize(("function", "number", "word"), SIGNED)
@pytest.mark.parametrize("half", [0, 1], ids=["r", "s"])
async def test_audit__when_a_device_s_signature_is_altered__names_the_device(
    day: Street, function: str, number: int, word: int, half: int
) -> None:
    call = (await calls_of(day, "DeviceRegistry", function))[number]
    report = await audit_of(day, call.hash, lambda data: changed(data, 4 + (word + half) * WORD + 3))
    (found,) = report.differences
    assert found.kind is Kind.DEVICE_SIGNATURE
    assert found.subject.device is not None
    assert found.place.transaction == to_hex(call.hash)


async def test_audit__when_a_signature_in_a_bundle_is_altered__names_the_device(day: Street) -> None:
    calls = await calls_of(day, "DeviceRegistry", "multicall")
    call = next(call for call in calls if call.to == day.book.addresses["DeviceRegistry"])
    claim = call.data.index(selector_of("DeviceRegistry", "claim"), 4)
    report = await audit_of(day, call.hash, lambda data: changed(data, claim + 4 + 7 * WORD + 3))
    assert [found.kind for found in report.differences] == [Kind.DEVICE_SIGNATURE]


RULES: list[tuple[str, int, str, Callable[[bytes], bytes]]] = [
    ("claim", 0, "NotInBatch", lambda data: data[:-1] + bytes([data[-1] ^ 1])),
    ("claim", 0, "ActExpired", lambda data: put(data, 5, 1)),
    ("claim", 0, "UnknownBatch", lambda data: changed(data, 4)),
    ("rotate", 0, "WrongKey", lambda data: changed(data, 4 + WORD)),
    ("rotate", 0, "ActExpired", lambda data: put(data, 6, 1)),
    ("rotate", 0, "KeyNotOnCurve", lambda data: changed(data, 4 + 4 * WORD)),
    ("rotate", 0, "UnknownDevice", lambda data: changed(data, 4 + 20)),
    ("completeRotation", 0, "OtherKeyProposed", lambda data: changed(data, 4 + 4 * WORD)),
    ("vetoRotation", 0, "WrongKey", lambda data: changed(data, 4 + WORD)),
    ("keepKey", 0, "WrongKey", lambda data: changed(data, 4 + WORD)),
    ("noteCompromise", 0, "BlockOutOfRange", lambda data: put(data, 1, 100_000)),
    ("noteCompromise", 0, "WrongKey", lambda data: changed(data, 4 + 2 * WORD)),
    ("noteCompromise", 1, "DoubtNotEarlier", lambda data: put(data, 1, int.from_bytes(data[36:68], "big") + 1)),
    ("acceptTransfer", 0, "TransferNotOffered", lambda data: changed(data, 4 + 7 * WORD - 1)),
    ("offerTransfer", 0, "SignerNotAllowed", lambda data: changed(data, 4 + 5 * WORD - 1)),
    ("enrol", 0, "WrongDeviceId", lambda data: changed(data, 4 + WORD - 1)),
]
"""What a device's call would be refused for if it had been as the node says, in which word."""


@pytest.mark.parametrize(("function", "number", "refusal", "change"), RULES, ids=[f"{r[0]}-{r[2]}" for r in RULES])
async def test_audit__when_a_device_s_call_is_altered__names_the_rule_that_it_breaks(
    day: Street, function: str, number: int, refusal: str, change: Callable[[bytes], bytes]
) -> None:
    call = (await calls_of(day, "DeviceRegistry", function))[number]
    report = await audit_of(day, call.hash, change)
    broken = [found for found in report.differences if found.kind is Kind.RULE]
    assert broken[0].found.startswith(f"{refusal}("), [found.sentence for found in report.differences]
    assert broken[0].place.transaction == to_hex(call.hash)


async def test_audit__when_a_revocation_is_said_to_be_another_s__names_the_rule(day: Street) -> None:
    (call,) = await calls_of(day, "DeviceRegistry", "revoke")

    def lie(method: str, params: list[Any], result: Any) -> Any:
        if method == "eth_getBlockByNumber" and isinstance(result, dict):
            for entry in result["transactions"]:
                if isinstance(entry, dict) and entry["hash"] == to_hex(call.hash):
                    entry["from"] = day.admin.address.lower()
        return result

    report = await audit_with(day, lie)
    broken = [found for found in report.differences if found.kind is Kind.RULE]
    assert [found.found.partition("(")[0] for found in broken] == ["SignerNotAllowed"]


async def test_audit__when_a_nonce_of_a_device_s_act_is_used_again__is_told_by_its_signature(day: Street) -> None:
    """A device's nonce is in no call: the same rotation said to be made twice is signed for the first time only."""
    first, second = (await calls_of(day, "DeviceRegistry", "rotate"))[:2]
    report = await audit_of(day, second.hash, lambda data: first.data)
    assert Kind.RULE in report.kinds


# readings


async def test_audit__given_a_key_that_is_not_kept__expects_its_readings_to_be_refused(day: Street) -> None:
    refused = [
        log
        for log in await day.node.logs(0, await day.node.block_number(), [day.book.addresses["MeterLedger"]])
        if isinstance(event := decode_log(log), ReadingRefused) and event.meter == day.sixth.meter
    ]
    (log,) = refused
    event = decode_log(log)
    assert isinstance(event, ReadingRefused)
    assert event.reason == DeviceSignatureInvalid.selector()
    recorded = await one_of(day, "ReadingRecorded")
    invented = {
        "topics": [
            "0x" + EVENT_ABIS["ReadingRecorded"].topic.hex(),
            *("0x" + topic.hex() for topic in log.topics[1:3]),
        ],
        "data": "0x" + recorded.data.hex(),
    }
    report = await audit_with(day, on(log, lambda entry: [{**entry, **invented}]))
    assert not report.clean


async def test_audit__given_keys_in_doubt__tells_of_the_readings_that_rest_on_them(day: Street) -> None:
    report = await audit(day.node, day.book)
    four = day.homes[3]
    assert report.clean
    assert [(doubted.meter, doubted.device) for doubted in report.doubted] == [
        (four.meter, four.device),
        (day.sixth.meter, day.sixth.device),
    ]
    assert report.counts[Checked.DOUBTED] == 2
    for doubted in report.doubted:
        assert doubted.since <= (doubted.place.block or 0)
        assert not await day.contracts.devices.is_trusted_at(doubted.device, doubted.place.block or 0)
    told = json.loads(json.dumps(report.to_json()))["doubted"]
    assert [entry["block"] for entry in told] == [doubted.place.block for doubted in report.doubted]


async def test_audit__given_from__tells_of_later_readings_in_doubt_only(day: Street) -> None:
    report = await audit(day.node, day.book)
    earlier, later = sorted(doubted.place.block or 0 for doubted in report.doubted)
    assert [d.place.block for d in (await audit(day.node, day.book, since=earlier + 1)).doubted] == [later]


async def test_audit__before_the_notice__knows_of_no_doubt(day: Street) -> None:
    notice = (await calls_of(day, "DeviceRegistry", "noteCompromise"))[0]
    receipt = await day.node.receipt(notice.hash)
    assert receipt is not None
    report = await audit(day.node, day.book, last=receipt.block_number - 1)
    assert (report.clean, report.doubted) == (True, [])


async def test_audit__when_a_kept_key_is_hidden__takes_it_from_what_the_contract_took(day: Street) -> None:
    """Nothing but the call says that a key is kept, and any contract may make it."""
    calls = {to_hex(call.hash) for call in await calls_of(day, "DeviceRegistry", "keepKey")}

    def lie(method: str, params: list[Any], result: Any) -> Any:
        return {**result, "status": "0x0"} if method == "eth_getTransactionReceipt" and params[0] in calls else result

    async with lying_node(day.chain.url, lie, day.answers) as node:
        report = await audit(node, day.book)
    whole = await audit(day.node, day.book)
    assert report.clean
    assert report.counts[Checked.BY_CONTRACT_ONLY] == whole.counts[Checked.BY_CONTRACT_ONLY] + len(calls)
