"""Streams live on the contracts and in the domain at once: every tip and page agrees, every proof of the library holds.

GRIDWEAVE_BATCHES sets how many batches are sent (400); GRIDWEAVE_SEED which.
"""

from __future__ import annotations

import os
import random
from collections.abc import Callable, Iterator
from dataclasses import replace

import pytest

from gridweave.chain.abi import abi_of
from gridweave.chain.contracts.telemetry_anchor import ReadingProof
from gridweave.domain import stream_errors
from gridweave.domain.acts import DeviceStatus
from gridweave.domain.addresses import ZERO_ADDRESS
from gridweave.domain.anchors import PAGE_SIZE, StreamMode, page_root
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
EXPECTED = {
    *("StreamOpened", "EpochBegun", "BatchAnchored", "BodyAnchored", "BatchRefused", "AccessGranted"),
    *("open", "anchor", "anchorAll", "newEpoch", "grant", "acceptTransfer", "setStatus", "open page", "closed page"),
    *("SignerNotAllowed", "many: TipDiffers", *stream_errors.__all__),
} - {"TooManyBatches", "BodyCountDiffers"}  # of the arguments alone: their own tests refuse them


@pytest.fixture
def streams() -> Iterator[Streams]:
    rng = random.Random(f"streams {run_seed()}")
    with Chain(START) as chain:
        yield Streams(chain, rng)


def test_streams__given_many_batches__agree_with_the_domain(streams: Streams) -> None:
    life, rng = Life(streams), streams.rng
    while streams.seen["BatchAnchored"] < COUNT:
        streams.chain.now += rng.randrange(120)
        life.act(rng.choice(streams.streams))
    for stream in streams.streams:
        _compare_pages(streams, stream)
        for _ in range(25):
            streams.seen[_prove_one(streams, stream, rng)] += 1
            _prove_range(streams, stream, rng)
    print(f"\nseed {run_seed()}: {dict(streams.seen)}")
    missing = sorted(name for name in EXPECTED if not streams.seen[name])
    assert not missing or COUNT < 400, f"never seen: {missing}"


class Life:
    """Draws one act after another, most of them sensible."""

    def __init__(self, streams: Streams) -> None:
        self.streams, self.rng = streams, streams.rng
        self.tips = {stream.id: [stream.tip] for stream in streams.streams}

    def act(self, stream: Stream) -> None:
        acts: list[tuple[int, Callable[[Stream], str]]] = [
            *((50, self._anchor), (14, self._spoilt), (6, self._forged), (10, self._many), (7, self._epoch)),
            *((7, self._grant), (2, self._sell), (3, self._status), (1, self._open), (3, self._body)),
        ]
        (drawn,) = self.rng.choices([act for _, act in acts], [weight for weight, _ in acts])
        drawn(stream)
        self.tips[stream.id].append(stream.tip)

    def _anchor(self, stream: Stream) -> str:
        batch, body = self.streams.draft(stream, self.rng.randrange(1, 40))
        alone = None if stream.mode is StreamMode.HASH and self.rng.random() < 0.5 else body
        return self.streams.anchor(self.streams.signed(stream, batch), alone)

    def _spoilt(self, stream: Stream) -> str:
        batch, body = self.streams.draft(stream, self.rng.randrange(1, 40))
        name = self.rng.choice([name for name in SPOILT if batch.first_index or name != "BatchOverlaps"])
        return self.streams.anchor(self.streams.signed(stream, SPOILT[name](batch)), body)

    def _forged(self, stream: Stream) -> str:
        """A stale tip, another root than was signed, or another device's signature."""
        batch, body = self.streams.draft(stream, 3)
        signed = self.streams.signed(stream, batch)
        kind = self.rng.randrange(4)
        if kind == 0:
            stale = self.rng.choice(self.tips[stream.id])
            signed = self.streams.signed(stream, replace(batch, previous_head=stale.head), stale)
        elif kind == 1:
            signed = replace(signed, batch=replace(batch, root=self.rng.randbytes(32)))
        elif kind == 2:
            other = self.rng.choice([each for each in self.streams.streams if each.device is not stream.device])
            signed = replace(signed, signature=self.streams.signed(other, batch).signature)
        else:
            unknown = stream.id[:-1] + bytes([stream.id[-1] ^ 1])
            signed = self.streams.signed(stream, replace(batch, stream=unknown))
        return self.streams.anchor(signed, body)

    def _body(self, stream: Stream) -> str:
        """A body that is missing, unwanted, too long or another."""
        batch, body = self.streams.draft(stream, 3)
        if stream.mode is StreamMode.HASH:
            return self.streams.anchor(self.streams.signed(stream, batch), b"unwanted")
        bodies = [None, b"", body + b"!", bytes((1 << 17) + 1)]
        return self.streams.anchor(self.streams.signed(stream, batch), self.rng.choice(bodies))

    def _many(self, stream: Stream) -> str:
        """Up to three batches of a stream in a row, between others, any of which may not follow."""
        streams, tip, row = self.streams, stream.tip, []
        for _ in range(self.rng.randrange(1, 4)):
            batch, body = streams.draft(stream, self.rng.randrange(1, 9), tip)
            if self.rng.random() < 0.25 and batch.first_index:
                batch = self.rng.choice(list(SPOILT.values()))(batch)
            row.append((streams.signed(stream, batch, tip), body))
            nonce = streams.registry.devices[stream.record.device].nonce
            block = int(streams.chain.rpc("eth_blockNumber"), 16) + 1
            if batch.count:
                tip = tip.after(batch, block, streams.chain.now + 1, nonce)
        other = self.rng.choice([each for each in streams.streams if each is not stream])
        batch, body = streams.draft(other, 2)
        row.insert(self.rng.randrange(len(row) + 1), (streams.signed(other, batch), body))
        return streams.anchor_all(row)

    def _someone(self, stream: Stream) -> Person:
        """Its owner most of the time."""
        others = [*self.streams.people, self.streams.stranger]
        return self.streams.owner_of(stream.device) if self.rng.random() < 0.7 else self.rng.choice(others)

    def _epoch(self, stream: Stream) -> str:
        tip = stream.tip if self.rng.random() < 0.85 else self.rng.choice(self.tips[stream.id])
        epoch = stream.tip.span.epoch + self.rng.choice([1, 1, 1, 1, 1, 2, 2, 0, 256, 257])
        return self.streams.new_epoch(stream, self._someone(stream), epoch, tip)

    def _grant(self, stream: Stream) -> str:
        epoch = max(1, stream.tip.span.epoch + self.rng.choice([0, 0, 0, -1, 1]))
        first = self.rng.randrange(1 << 20)
        last = first + self.rng.choice([0, 5, 5, 5, -1])
        sealed = self.rng.randbytes(self.rng.choice([0, 64, 1_200, 1_200, (1 << 14) + 1]))
        to = self.rng.choice([*(person.address for person in self.streams.people), ZERO_ADDRESS])
        return self.streams.grant(stream, self._someone(stream), epoch, (first, max(0, last)), sealed, to)

    def _sell(self, stream: Stream) -> str:
        """The next owner begins an epoch at once, or later."""
        sold = self.streams.sell(stream.device)
        for each in self.streams.streams:
            if each.device is stream.device and self.rng.random() < 0.5:
                owner = self.streams.owner_of(each.device)
                self.streams.new_epoch(each, owner, each.tip.span.epoch + 1, each.tip)
        return sold

    def _status(self, stream: Stream) -> str:
        """A device out of service says nothing; it comes back with the next such act."""
        out = self.streams.registry.devices[stream.record.device].status is DeviceStatus.SUSPENDED
        return self.streams.status(stream.device, DeviceStatus.ACTIVE if out else DeviceStatus.SUSPENDED)

    def _open(self, stream: Stream) -> str:
        """One that is open, or one more that stays empty."""
        schema = stream.schema if self.rng.random() < 0.6 else self.rng.randbytes(32)
        return self.streams.open(stream.device, stream.mode, schema, self._someone(stream))


def _compare_pages(streams: Streams, stream: Stream) -> None:
    full = len(stream.anchored) // PAGE_SIZE
    answers = streams.chain.view([streams.anchors.call("pageOf", stream.id, page) for page in range(full + 1)])
    leaves = [each.leaf for each in stream.anchored]
    roots = [page_root(leaves[at * PAGE_SIZE : (at + 1) * PAGE_SIZE]) for at in range(full)]
    assert answers == [*roots, bytes(32)]
    assert stream.record.pages == roots


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
