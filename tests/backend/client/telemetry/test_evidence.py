"""Proofs without a chain: what can be checked is, by name, and no byte of a file is idle."""

from __future__ import annotations

import random
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gridweave import artifacts
from gridweave.client.telemetry import RangeEvidence, ReadingEvidence, prove_indexes, prove_one, prove_times
from gridweave.client.telemetry.placed import PlacedBatch, decode_tip
from gridweave.client.telemetry.refusals import (
    BatchSignatureWrong,
    PathWrong,
    ProofFileMalformed,
    ReadingNotAnchored,
    TimesNotShown,
)
from gridweave.client.telemetry.state_witness import RECORDS_SLOT
from gridweave.domain.anchors import PAGE_SIZE, Span
from gridweave.domain.errors import DomainError
from gridweave.domain.telemetry.errors import WindowClosed
from gridweave.domain.telemetry.windows import WINDOW_MS
from tests.backend.client.telemetry.edits import edited
from tests.backend.client.telemetry.memory import EACH, START_MS, WINDOW, MemoryStream

BATCHES = PAGE_SIZE + 5
STREAM = MemoryStream.of(BATCHES, random.Random(5))
READER = STREAM.reader
TOTAL = BATCHES * 2 * EACH
ONE = prove_one(READER, 3, STREAM.signature_of)
OPEN = prove_one(READER, TOTAL - 1, STREAM.signature_of)
RANGE = prove_times(READER, START_MS + WINDOW_MS, START_MS + 4 * WINDOW_MS)


def test_check__of_every_reading__gives_it_back() -> None:
    for index in range(TOTAL):
        reading = ReadingEvidence.decode(prove_one(READER, index, STREAM.signature_of).encode()).check()
        assert reading.pack() == STREAM.raw[index * 28 : index * 28 + 28]


def test_must_reach__of_every_batch_in_pages_of_any_size__holds_and_no_other_path_does() -> None:
    for size in range(1, PAGE_SIZE + 3):
        part = MemoryStream()
        part.key, part.keys, part.stream = STREAM.key, STREAM.keys, STREAM.stream
        part.anchored = STREAM.anchored[:size]
        tip = _tip(size)
        ledger = replace(READER.ledger, batches=tuple(part.anchored), tip=tip)
        for number in range(1, size + 1):
            placed, over = PlacedBatch.of(ledger, number), ledger.tip_over(number)
            placed.must_reach(over)
            for path in (placed.path[1:], (*placed.path, bytes(32))):
                if path != placed.path:
                    with pytest.raises(PathWrong):
                        replace(placed, path=path).must_reach(over)
            if over is not None and placed.path:
                with pytest.raises(PathWrong):
                    replace(placed, root=bytes(32)).must_reach(over)
        with pytest.raises(PathWrong):
            replace(placed, span=replace(placed.span, number=0)).must_reach(tip)


def _tip(size: int) -> object:
    from gridweave.domain.anchors import Tip

    tip = Tip.start(0)
    for number, each in enumerate(STREAM.anchored[:size], 1):
        tip = tip.after(each.signed(READER.ledger.previous_head(number)), each.block, each.time, 0)
    return tip


@pytest.mark.parametrize("proof", [ONE, OPEN], ids=["closed page", "open page"])
def test_check__with_any_byte_changed__is_refused_or_tells_another_block(proof: ReadingEvidence) -> None:
    """Without the chain a block, a page's siblings and other peaks of a tip are not known; all else is."""
    raw, rng = proof.encode(), random.Random(3)
    for at in rng.sample(range(len(raw)), 600):
        changed = bytes([*raw[:at], raw[at] ^ 1 << rng.randrange(7), *raw[at + 1 :]])
        try:
            found = ReadingEvidence.decode(changed)
            found.check()
        except DomainError:
            continue
        assert replace(found, placed=proof.placed, tip=proof.tip) == proof
        assert (found.placed.climbed(), found.tip) != (proof.placed.climbed(), proof.tip)


def test_check__of_a_batch_that_the_tip_does_not_end_with__is_refused() -> None:
    last = OPEN.consent
    assert last is not None
    tip = (OPEN.tip[0], bytes(32), *OPEN.tip[2:])
    with pytest.raises(BatchSignatureWrong):
        replace(OPEN, tip=tip).check()
    for signature in (bytes(64), last.signature[:64] + bytes(64)):
        with pytest.raises(BatchSignatureWrong):
            replace(OPEN, consent=replace(last, signature=signature)).check()
    replace(OPEN, consent=None).check()
    replace(OPEN, consent=replace(last, signature=last.signature + OPEN.key.x + OPEN.key.y)).check()


def test_decode_tip__of_one_word__is_refused() -> None:
    assert decode_tip(()) is None
    with pytest.raises(PathWrong):
        decode_tip((Span(0, 0, 0, 0, 1).pack(),))


@settings(max_examples=400, deadline=None)
@given(st.binary(max_size=200) | edited(ONE.encode()) | edited(OPEN.encode()))
def test_decode__of_any_bytes__refuses_by_name_or_gives_them_back(raw: bytes) -> None:
    try:
        found = ReadingEvidence.decode(raw)
    except DomainError:
        return
    assert found.encode() == raw


@settings(max_examples=400, deadline=None)
@given(st.binary(max_size=200) | edited(RANGE.encode()))
def test_decode__of_any_bytes_of_a_range__refuses_by_name_or_gives_them_back(raw: bytes) -> None:
    try:
        found = RangeEvidence.decode(raw)
    except DomainError:
        return
    assert found.encode() == raw


@pytest.mark.parametrize(
    "change",
    [
        (b'"version": 1', b'"version": true'),
        (b'"version": 1', b'"version": 1.0'),
        (b'"version": 1', b'"version": 2'),
        (b"0x7e7e7e7E", b"0x7e7e7e7e"),
        (b'"kind": "secp256k1"', b'"kind": "ed25519"'),
        (b'"state": null', b'"state": {}'),
        (b'"siblings": [', b'"siblings": [\n   "0x",'),
    ],
    ids=str,
)
def test_decode__of_another_spelling__is_refused(change: tuple[bytes, bytes]) -> None:
    raw = ONE.encode()
    assert change[0] in raw
    with pytest.raises(ProofFileMalformed):
        ReadingEvidence.decode(raw.replace(*change, 1))


def test_prove__of_what_was_never_measured__is_refused() -> None:
    for index in (-1, TOTAL):
        with pytest.raises(ReadingNotAnchored):
            prove_one(READER, index)
    for first, end in ((0, 0), (3, 2), (0, TOTAL + 1), (-1, 2)):
        with pytest.raises(ReadingNotAnchored):
            prove_indexes(READER, first, end)
    with pytest.raises(ReadingNotAnchored):
        prove_one(MemoryStream().reader, 0)
    with pytest.raises(TimesNotShown):
        prove_times(READER, 0, START_MS + 1_000 * WINDOW_MS)


def test_prove_times__of_any_span__shows_it_whole() -> None:
    rng, ms = random.Random(9), [int.from_bytes(STREAM.raw[at + 8 : at + 16], "big") for at in range(0, TOTAL * 28, 28)]
    for _ in range(60):
        begin, end = sorted(rng.sample(range(START_MS - 5, ms[-1] + 1), 2))
        if rng.random() < 0.3:
            begin, end = (rng.choice(ms[:-1]) + rng.randrange(-1, 2) for _ in range(2))
            begin, end = min(begin, end), max(begin, end) + 1
        proof = prove_times(READER, begin, end)
        runs = RangeEvidence.decode(proof.encode()).check()
        shown = [at_ms for run in runs for at_ms in run.columns[1]]
        assert [at_ms for at_ms in shown if begin <= at_ms < end] == [at for at in ms if begin <= at < end]
        assert shown[-1] >= end
        assert shown[0] < begin or runs[0].first_index == 0


def test_prove_times__beside_an_erased_quarter__cannot_show_its_bounds() -> None:
    part = MemoryStream.of(3, random.Random(1))
    part.keys = part.keys.without(WINDOW + 2, WINDOW + 3)
    with pytest.raises(WindowClosed):
        prove_times(part.reader, START_MS, START_MS + 2 * WINDOW_MS)
    with pytest.raises(WindowClosed):
        prove_times(part.reader, START_MS + 3 * WINDOW_MS, START_MS + 4 * WINDOW_MS)
    with pytest.raises(WindowClosed):
        prove_times(part.reader, START_MS + 2 * WINDOW_MS + 500, START_MS + 4 * WINDOW_MS)
    assert prove_indexes(part.reader, 3 * EACH, 4 * EACH).check()[0].first_index == 3 * EACH


def test_slots__are_where_the_compiler_puts_them() -> None:
    layout = artifacts.load("TelemetryAnchor").storage_layout
    places = {entry["label"]: int(entry["slot"]) for entry in layout["storage"]}
    record = next(kind for name, kind in layout["types"].items() if name.startswith("t_struct(Record)"))
    members = {entry["label"]: (int(entry["slot"]), entry["offset"]) for entry in record["members"]}
    assert places["_records"] == RECORDS_SLOT
    assert (members["tipHash"], members["pages"]) == ((0, 0), (2, 0))
