"""Streams: who signed what, which rule a batch, an epoch or a grant broke, and what rests on a key in doubt."""

from __future__ import annotations

import json
from typing import Any

import pytest

from gridweave.audit import Checked, Kind, audit
from gridweave.chain import to_hex
from gridweave.chain.events import AccessGranted, BatchAnchored, BatchRefused, BodyAnchored, EpochBegun, decode_log
from gridweave.chain.types import Log
from gridweave.domain.addresses import ZERO_ADDRESS
from gridweave.domain.anchors import Span
from gridweave.domain.stream_errors import BatchOverlaps

from .inputs import Edit, add, edited, flip_byte, put
from .lying import honest, lying_node
from .street import Street
from .test_audit import EVENT_ABIS, altered, audit_with, on, one_of
from .test_signatures import audit_with as audit_of
from .test_signatures import calls_of

pytestmark = [pytest.mark.chain, pytest.mark.asyncio(loop_scope="session")]

CONTRACT = "TelemetryAnchor"
SPAN, TIP, PEAKS, SIGNATURE = (0, 2), (0, 1), (0, 6), (0, 7)
FIRST_INDEX, COUNT, FIRST_MS, LAST_MS, EPOCH = (1 << shift for shift in (208, 176, 128, 80, 48))


def span_with(**changes: int) -> Edit:
    """A span's word with other parts."""

    def edit(word: int) -> int:
        span = Span.unpack(word.to_bytes(32, "big"))
        return int.from_bytes(Span(**{**vars(span), **changes}).pack(), "big")

    return edit


RULES: list[tuple[str, int, tuple[int, ...], Edit, str]] = [
    ("anchor", 0, SPAN, add(FIRST_INDEX), "BatchLeavesGap"),
    ("anchor", 1, SPAN, add(-FIRST_INDEX), "BatchOverlaps"),
    ("anchor", 0, SPAN, span_with(count=0), "BatchEmpty"),
    ("anchor", 1, SPAN, span_with(first_ms=1), "BatchTimeRunsBack"),
    ("anchor", 0, SPAN, span_with(last_ms=1), "BatchTimeRunsBack"),
    ("anchor", 0, SPAN, add(100_000 * LAST_MS), "BatchFromFuture"),
    ("anchor", 0, SPAN, add(EPOCH), "EpochNotBegun"),
    ("anchor", 0, SPAN, add(-EPOCH), "EpochRunsBack"),
    ("anchor", 0, TIP, add(1), "TipDiffers"),
    ("anchor", 0, (0, 3), flip_byte(), "TipDiffers"),
    ("anchor", 0, PEAKS, put((bytes(32),)), "TipDiffers"),
    ("anchor", 0, (0, 0), flip_byte(31), "StreamUnknown"),
    ("anchor", 0, (0, 0), lambda stream: stream[:20] + b"\x01" + stream[21:], "BodyMissing"),
    ("anchorWithBody", 0, (1,), flip_byte(), "BodyDiffers"),
    ("anchorWithBody", 0, (1,), put(b""), "BodyMissing"),
    ("anchorWithBody", 0, (1,), put(bytes((1 << 17) + 1)), "BodyTooLong"),
    ("anchorAll", 0, (1,), lambda bodies: bodies[1:], "BodyCountDiffers"),
    ("open", 0, (3, 0), put("0x" + "11" * 20), "SignerNotAllowed"),
    ("newEpoch", 0, (1,), put(1), "EpochNotNewer"),
    ("newEpoch", 0, (1,), put(10_000), "EpochTooFar"),
    ("newEpoch", 0, (0,), flip_byte(31), "StreamUnknown"),
    ("newEpoch", 0, (2, 1), flip_byte(), "TipDiffers"),
    ("newEpoch", 0, (3, 0), put("0x" + "11" * 20), "SignerNotAllowed"),
    ("grant", 0, (1,), put(ZERO_ADDRESS), "GrantToNobody"),
    ("grant", 0, (4,), put(1), "GrantIsEmpty"),
    ("grant", 0, (5,), put(bytes((1 << 14) + 1)), "GrantTooLong"),
    ("grant", 0, (2,), put(2), "EpochNotBegun"),
    ("grant", 0, (0,), flip_byte(31), "StreamUnknown"),
    ("grant", 0, (6, 0), put("0x" + "11" * 20), "SignerNotAllowed"),
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
    assert function == "open" or broken[0].subject.stream is not None


async def test_audit__when_a_resold_device_s_batch_comes_before_its_owner_s_epoch__names_the_rule(day: Street) -> None:
    """A node that hides that the buyer began an epoch: what was anchored after it cannot have been."""
    hidden = to_hex((await calls_of(day, CONTRACT, "newEpoch"))[1].hash)

    def lie(method: str, params: list[Any], result: Any) -> Any:
        if method == "eth_getLogs":
            return [entry for entry in result if entry["transactionHash"] != hidden]
        return {**result, "status": "0x0"} if method == "eth_getTransactionReceipt" and params[0] == hidden else result

    async with lying_node(day.chain.url, lie, day.answers) as node:
        report = await audit(node, day.book)
    assert any(found.found.startswith("TipDiffers(") for found in report.differences if found.kind is Kind.RULE)
    stored = {found.subject.field for found in report.differences if found.kind is Kind.STORAGE}
    assert {"keeperOf.owner", "keeperOf.epoch", "tipHashOf.tipHash"} <= stored


@pytest.mark.parametrize(
    ("function", "number", "path"),
    [("anchor", 0, SIGNATURE), ("anchor", 1, SIGNATURE), ("anchorWithBody", 0, SIGNATURE), ("anchorAll", 0, (0, 5, 7))],
)
@pytest.mark.parametrize("byte", [3, 40], ids=["r", "s"])
async def test_audit__when_the_signature_of_a_batch_is_altered__names_stream_and_device(
    day: Street, function: str, number: int, path: tuple[int, ...], byte: int
) -> None:
    call = (await calls_of(day, CONTRACT, function))[number]
    report = await audit_of(day, call.hash, edited(CONTRACT, function, (path, flip_byte(byte))))
    (found,) = report.differences
    assert found.kind is Kind.BATCH_SIGNATURE
    assert found.subject.device is not None
    assert found.subject.stream in {to_hex(stream.id) for stream in day.streams}
    assert found.place.transaction == to_hex(call.hash)


async def test_audit__when_the_key_that_came_with_a_batch_is_altered__names_the_device(day: Street) -> None:
    call = (await calls_of(day, CONTRACT, "anchorWithBody"))[0]
    report = await audit_of(day, call.hash, edited(CONTRACT, "anchorWithBody", (SIGNATURE, flip_byte(70))))
    assert [found.kind for found in report.differences] == [Kind.BATCH_SIGNATURE]


async def test_audit__when_a_signature_is_said_to_be_of_another_root__names_it_and_what_follows(day: Street) -> None:
    """The head follows from what was signed, and every later tip and batch from the head."""
    call = (await calls_of(day, CONTRACT, "anchor"))[0]
    report = await audit_of(day, call.hash, edited(CONTRACT, "anchor", ((0, 4), flip_byte())))
    assert report.differences[0].kind is Kind.BATCH_SIGNATURE
    fields = {found.subject.field for found in report.differences if found.kind is Kind.TELEMETRY}
    assert {"head", "root"} <= fields
    assert any(found.found.startswith("TipDiffers(") for found in report.differences)
    assert any(found.kind is Kind.STORAGE for found in report.differences)


@pytest.mark.parametrize(("function", "path"), [("open", (3, 3)), ("newEpoch", (3, 3)), ("grant", (6, 3))])
async def test_audit__when_an_owner_s_signature_is_altered__names_the_owner(
    day: Street, function: str, path: tuple[int, ...]
) -> None:
    call = (await calls_of(day, CONTRACT, function))[0]
    report = await audit_of(day, call.hash, edited(CONTRACT, function, (path, flip_byte())))
    (found,) = report.differences
    assert (found.kind, found.expected) == (Kind.OWNER_SIGNATURE, day.measured[1].party.address)
    assert found.subject.stream == to_hex(day.streams[0].id)


async def test_audit__when_a_grant_is_said_to_open_more_than_was_signed__names_owner_and_event(day: Street) -> None:
    call = (await calls_of(day, CONTRACT, "grant"))[0]
    report = await audit_of(day, call.hash, edited(CONTRACT, "grant", ((4,), add(1_000))))
    assert {found.kind for found in report.differences} == {Kind.OWNER_SIGNATURE, Kind.GRANT}
    (named,) = [found for found in report.differences if found.kind is Kind.GRANT]
    assert (named.subject.event, named.subject.field) == ("AccessGranted", "last_window")


async def test_audit__when_an_act_of_an_owner_comes_twice__names_the_nonce(day: Street) -> None:
    first, second = (await calls_of(day, CONTRACT, "grant"))[:2]
    report = await audit_of(day, second.hash, lambda data: first.data)
    assert any(found.expected == "a nonce not used before" for found in report.differences)


# fates


async def test_audit__when_an_anchored_batch_is_said_to_be_refused__names_the_refusal(day: Street) -> None:
    log = await one_of(day, "BatchAnchored")
    reason = BatchOverlaps("0x" + log.topics[1].hex(), 1, 2).data
    data = log.data[:32] + (64).to_bytes(32, "big") + len(reason).to_bytes(32, "big") + reason.ljust(128, b"\0")
    refused = {
        "topics": ["0x" + EVENT_ABIS["BatchRefused"].topic.hex(), "0x" + log.topics[1].hex()],
        "data": to_hex(data),
    }
    report = await audit_with(day, on(log, lambda entry: [{**entry, **refused}]))
    (found,) = report.differences
    assert (found.kind, found.expected) == (Kind.REFUSAL, "BatchAnchored")
    assert found.found.startswith("BatchRefused(BatchOverlaps(")


async def test_audit__when_a_refused_batch_is_said_to_be_anchored__names_the_refusal(day: Street) -> None:
    log = await one_of(day, "BatchRefused")
    event = decode_log(log)
    assert isinstance(event, BatchRefused)
    invented = {
        "topics": ["0x" + EVENT_ABIS["BatchAnchored"].topic.hex(), "0x" + log.topics[1].hex()],
        "data": to_hex(log.data[:32] + bytes(96)),
    }
    report = await audit_with(day, on(log, lambda entry: [{**entry, **invented}]))
    named = [found for found in report.differences if found.kind is Kind.REFUSAL]
    assert named and named[0].found == "BatchAnchored"
    assert named[0].expected.startswith("BatchRefused(BatchNotAuthentic(")


async def test_audit__when_a_batch_is_refused_for_another_reason__says_which_two(day: Street) -> None:
    log = await one_of(day, "BatchRefused")
    report = await audit_with(day, on(log, lambda entry: [altered(entry, "bytes", "data", 1)]))
    (found,) = report.differences
    assert found.subject.field == "reason"
    assert found.expected.startswith("BatchNotAuthentic(")


async def test_audit__given_every_kind_of_refusal__foresees_each_by_name(day: Street) -> None:
    address = day.book.addresses[CONTRACT]
    logs = await day.node.logs(0, await day.node.block_number(), [address])
    reasons = {event.reason[:4] for log in logs if isinstance(event := decode_log(log), BatchRefused)}
    assert len(reasons) == 14, reasons
    assert (await audit(day.node, day.book)).clean


# relayed by another contract


async def relayed(day: Street, kind: type) -> Log:
    """What the Authority's call had the anchor say."""
    async with lying_node(day.chain.url, honest, day.answers) as node:
        for log in await node.logs(0, await node.block_number(), [day.book.addresses[CONTRACT]]):
            transaction = await node.transaction(log.transaction_hash)
            assert transaction is not None
            if transaction.to == day.book.addresses["Authority"] and isinstance(decode_log(log), kind):
                return log
    raise AssertionError(f"nobody relayed a {kind.__name__}")


@pytest.mark.parametrize(
    ("kind", "part", "field"),
    [
        (BatchAnchored, ("bytes32", "data", 1), "head"),
        (BatchAnchored, ("bytes32", "data", 2), "head"),
        (BodyAnchored, ("uint32", "topic", 2), "number"),
    ],
    ids=["head", "root", "number"],
)
async def test_audit__when_a_relayed_batch_is_altered__names_it(
    day: Street, kind: type, part: tuple[str, str, int], field: str
) -> None:
    """What was signed is not seen, yet the head must be that of what is said."""
    log = await relayed(day, kind)
    report = await audit_with(day, on(log, lambda entry: [altered(entry, *part)]))
    named = [found for found in report.differences if found.subject.event == kind.__name__]
    assert field in {found.subject.field for found in named}, [found.sentence for found in report.differences]


async def test_audit__when_a_relayed_body_is_altered__names_the_rule(day: Street) -> None:
    log = await relayed(day, BodyAnchored)
    report = await audit_with(day, on(log, lambda entry: [altered(entry, "bytes", "data", 0)]))
    assert report.differences[0].found.startswith("BodyDiffers(")


async def test_audit__when_a_relayed_batch_is_dropped__finds_that_its_stream_stops(day: Street) -> None:
    log = await relayed(day, BatchAnchored)
    report = await audit_with(day, on(log, lambda entry: []))
    kinds = {(found.kind, found.subject.event or found.subject.field) for found in report.differences}
    assert (Kind.UNEXPECTED_EVENT, "BodyAnchored") in kinds
    assert (Kind.STORAGE, "tipHashOf.tipHash") in kinds


async def test_audit__when_a_relayed_grant_is_of_an_epoch_to_come__names_the_rule(day: Street) -> None:
    log = await relayed(day, AccessGranted)
    report = await audit_with(day, on(log, lambda entry: [altered(entry, "uint32", "data", 0)]))
    assert report.differences[0].found.startswith("EpochNotBegun(")


# doubt


async def test_audit__given_a_key_in_doubt__lists_batches_states_and_receipts_that_rest_on_it(day: Street) -> None:
    report = await audit(day.node, day.book)
    device, stream = day.measured[0].device, to_hex(day.streams[2].id)
    (batch,) = report.doubts.batches
    assert (batch.stream, batch.number, batch.first_index, batch.end_index, batch.device) == (stream, 2, 2, 5, device)
    (state,) = report.doubts.states
    assert (state.state, state.device) == (2, device)
    (receipt,) = report.doubts.receipts
    assert (receipt.device, receipt.counter, receipt.failure_code) == (device, 4, 0)
    for found in (batch, state, receipt):
        assert found.since == batch.place.block
        assert not await day.contracts.devices.is_trusted_at(found.device, found.place.block or 0)
    counted = Checked.DOUBTED_BATCHES, Checked.DOUBTED_STATES, Checked.DOUBTED_RECEIPTS
    assert [report.counts[what] for what in counted] == [1, 1, 1]
    told = json.loads(json.dumps(report.to_json()))
    assert told["doubtedBatches"][0] == {
        "stream": stream,
        "number": 2,
        "firstIndex": 2,
        "endIndex": 5,
        "device": device,
        "inDoubtSince": batch.since,
        "block": batch.place.block,
        "logIndex": batch.place.log_index,
        "transaction": batch.place.transaction,
    }
    assert (told["doubtedStates"][0]["asset"], told["doubtedReceipts"][0]["model"]) == (state.asset, 9)


async def test_audit__given_from__lists_later_doubts_only(day: Street) -> None:
    whole = (await audit(day.node, day.book)).doubts
    (batch,) = whole.batches
    later = (await audit(day.node, day.book, since=(batch.place.block or 0) + 1)).doubts
    assert (later.batches, later.readings) == ([], [])
    assert (later.states, later.receipts) == (whole.states, whole.receipts)


async def test_audit__given_from__takes_earlier_signatures_as_the_contract_did(day: Street) -> None:
    last = await day.node.block_number()
    report = await audit(day.node, day.book, since=last)
    assert report.clean
    assert report.counts[Checked.BATCH_SIGNATURES] == report.counts[Checked.APPROVALS] == 0


async def test_audit__given_the_street_s_streams__counts_what_it_recomputed(day: Street) -> None:
    report = await audit(day.node, day.book)
    logs = await day.node.logs(0, await day.node.block_number(), [day.book.addresses[CONTRACT]])
    events = [decode_log(log) for log in logs]
    spans = [Span.unpack(event.span.to_bytes(32, "big")) for event in events if isinstance(event, BatchAnchored)]
    assert report.counts[Checked.TELEMETRY_READINGS] == sum(span.count for span in spans)
    assert report.counts[Checked.EPOCHS] == sum(isinstance(event, EpochBegun) for event in events) == 5
    assert report.counts[Checked.STREAMS] == 3
