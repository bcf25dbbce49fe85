"""Streams live on the contracts and in the domain at once: every tip and page agrees, every proof of the library holds.

GRIDWEAVE_BATCHES sets how many batches are sent (400); GRIDWEAVE_SEED which.
"""

from __future__ import annotations

import os
import random
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace

import pytest

from gridweave.chain.abi import abi_of
from gridweave.chain.contracts.telemetry_anchor import ReadingProof
from gridweave.chain.errors import reverted
from gridweave.chain.events import BatchAnchored, BodyAnchored, decode_logs
from gridweave.chain.types import Call
from gridweave.domain.anchors import PAGE_SIZE, Batch, Span, page_root
from gridweave.domain.telemetry.readings import Reading
from gridweave.domain.telemetry.salts import SALT_LENGTH
from tests.e2e.differential.chain import Chain, Failed
from tests.e2e.differential.streams import Stream, Streams
from tests.e2e.differential.town import Person
from tests.support.seed import run_seed

pytestmark = [pytest.mark.chain, pytest.mark.slow, pytest.mark.timeout(900)]

COUNT = int(os.environ.get("GRIDWEAVE_BATCHES", "400"))
START = 1_800_000_000
SPOILT = {
    "BatchLeavesGap": lambda b: replace(b, first_index=b.first_index + 1),
    "BatchOverlaps": lambda b: replace(b, first_index=b.first_index - 1),
    "BatchTimeRunsBack": lambda b: replace(b, last_ms=b.first_ms - 1),
    "BatchFromFuture": lambda b: replace(b, last_ms=b.last_ms + 200_000),
    "EpochNotBegun": lambda b: replace(b, epoch=b.epoch + 1),
    "EpochRunsBack": lambda b: replace(b, epoch=b.epoch - 1),
    "BatchEmpty": lambda b: replace(b, count=0),
}
"""What the device may sign that does not follow, by the refusal's name."""


@pytest.fixture
def streams() -> Iterator[Streams]:
    rng = random.Random(f"streams {run_seed()}")
    with Chain(START) as chain:
        yield Streams(chain, rng)


def test_streams__given_many_batches__agree_with_the_domain(streams: Streams) -> None:
    rng, seen = streams.rng, Counter[str]()
    for _ in range(COUNT):
        stream = rng.choice(streams.streams)
        streams.chain.now += rng.randrange(120)
        seen[_act(streams, stream, rng)] += 1
        (kept,) = streams.chain.view([streams.anchors.call("tipHashOf", stream.id)])
        assert kept == stream.tip.hash
    for stream in streams.streams:
        _compare_pages(streams, stream)
        for _ in range(25):
            seen[_prove_one(streams, stream, rng)] += 1
            _prove_range(streams, stream, rng)
    missing = {"anchored", "TipDiffers", "BatchNotAuthentic", "epoch", "no epoch", *SPOILT} - set(seen)
    assert not missing, f"the test never met {missing}"


def _act(streams: Streams, stream: Stream, rng: random.Random) -> str:
    batch, body, leaves = streams.draft(stream, rng.randrange(1, 40))
    kind = rng.random()
    if kind < 0.05:
        by = streams.owner if rng.random() < 0.5 else Person(rng)
        begun = streams.new_epoch(stream, by)
        assert begun == (by is streams.owner)
        return "epoch" if begun else "no epoch"
    if kind < 0.15 and batch.first_index:
        name = rng.choice(list(SPOILT))
        return _refused(streams, stream, SPOILT[name](batch), body, name)
    if kind < 0.2:
        return _refused(streams, stream, replace(batch, previous_head=rng.randbytes(32)), body, "TipDiffers")
    signed = streams.signed(stream, batch)
    if kind < 0.25:
        forged = replace(signed, batch=replace(batch, root=rng.randbytes(32)))
        return _fails(streams, streams.anchors.anchor_with_body(forged, body), "BatchNotAuthentic")
    (mined,) = streams.chain.mine([streams.anchors.anchor_with_body(signed, body)])
    assert mined.succeeded, reverted(streams.chain.revert_of(mined))
    streams.take(stream, batch, leaves, mined.logs[0].block_number)
    told = list(decode_logs(mined.logs))
    assert isinstance(told[0], BatchAnchored)
    assert Span.unpack(told[0].span.to_bytes(32, "big")) == stream.tip.span
    assert (told[0].head, told[0].root, told[0].body_hash) == (batch.head, batch.root, batch.body_hash)
    assert [event.body for event in told if isinstance(event, BodyAnchored)] == ([body] if body else [])
    return "anchored"


def _refused(streams: Streams, stream: Stream, batch: Batch, body: bytes, name: str) -> str:
    signed = streams.signed(stream, batch)
    if name == "TipDiffers":
        signed = replace(signed, tip=replace(stream.tip, head=batch.previous_head))
    return _fails(streams, streams.anchors.anchor_with_body(signed, body), name)


def _fails(streams: Streams, call: Call, name: str) -> str:
    (mined,) = streams.chain.mine([call])
    assert not mined.succeeded
    assert reverted(streams.chain.revert_of(mined)).name == name
    return name


def _compare_pages(streams: Streams, stream: Stream) -> None:
    full = len(stream.anchored) // PAGE_SIZE
    answers = streams.chain.view([streams.anchors.call("pageOf", stream.id, page) for page in range(full + 1)])
    leaves = [each.leaf for each in stream.anchored]
    roots = [page_root(leaves[at * PAGE_SIZE : (at + 1) * PAGE_SIZE]) for at in range(full)]
    assert answers == [*roots, bytes(32)]


def _prove_one(streams: Streams, stream: Stream, rng: random.Random) -> str:
    number = rng.randrange(len(stream.anchored)) + 1
    batch = stream.anchored[number - 1]
    place = rng.randrange(batch.span.count)
    proof = stream.proof(number, batch.span.first_index + place)
    (found,) = _view(streams, "verifyReading", proof)
    reading = Reading.unpack(batch.leaves[place][SALT_LENGTH:])
    said = reading.index, reading.at_ms, reading.firmware, batch.block_number, batch.anchored_at, True
    assert (found[0].lower(), *found[1:]) == (stream.device.id.lower(), *said)

    at = rng.randrange(len(proof.leaf))
    spoilt = bytes([*proof.leaf[:at], proof.leaf[at] ^ 1 << rng.randrange(8), *proof.leaf[at + 1 :]])
    with pytest.raises(Failed):
        _view(streams, "verifyReading", replace(proof, leaf=spoilt))
    return "open page" if proof.tip else "closed page"


def _prove_range(streams: Streams, stream: Stream, rng: random.Random) -> None:
    low = rng.randrange(len(stream.anchored)) + 1
    high = rng.randrange(low, min(low + 4, len(stream.anchored)) + 1)
    base, top = stream.anchored[low - 1].span, stream.anchored[high - 1].span
    first = rng.randrange(base.first_index, base.next_index)
    end = rng.randrange(max(first, top.first_index), top.next_index) + 1
    parts = [stream.part(number, first, end) for number in range(low, high + 1)]
    tip = list(stream.tip.words) if stream.is_open(high) else []
    function = abi_of("TelemetryAnchor").functions["verifyRange"]
    call = streams.anchors.call("verifyRange", (stream.id, tip, [part.abi() for part in parts]))
    (found,) = function.decode(streams.chain.view([call])[0])
    blocks = stream.anchored[low - 1].block_number, stream.anchored[high - 1].block_number
    assert (found[1], found[2], *found[5:]) == (first, end, *blocks, True)


def _view(streams: Streams, function: str, proof: ReadingProof) -> tuple[tuple[object, ...]]:
    (answer,) = streams.chain.view([streams.anchors.call(function, proof.abi())])
    decoded: tuple[tuple[object, ...]] = abi_of("TelemetryAnchor").functions[function].decode(answer)
    return decoded
