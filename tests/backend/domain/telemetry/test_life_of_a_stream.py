"""A stream from its device's first reading to a stranger's check of it: nothing passes but bytes.

device --messages--> gateway --headers, bodies--> chain --> owner rebuilds, party reads, stranger checks
"""

from __future__ import annotations

from dataclasses import dataclass, field

import pytest

from gridweave.domain.acts import KeyKind
from gridweave.domain.telemetry.batches import BatchHeader, SealedBatch
from gridweave.domain.telemetry.errors import (
    BatchOfOtherEpoch,
    SegmentGap,
    SegmentOverlap,
    WindowClosed,
)
from gridweave.domain.telemetry.grants import SealedGrant, grant
from gridweave.domain.telemetry.keytree import WindowKeys
from gridweave.domain.telemetry.messages import decode_message, encode_message
from gridweave.domain.telemetry.opening import open_batch, open_reached
from gridweave.domain.telemetry.parties import PartySecret, PartySuite
from gridweave.domain.telemetry.proofs import prove_range, prove_reading, prove_signature
from gridweave.domain.telemetry.readings import ReadingRun
from gridweave.domain.telemetry.sealing import seal
from gridweave.domain.telemetry.segments import SignedRun, StreamTail
from gridweave.domain.telemetry.verifying import verify_segment
from gridweave.domain.telemetry.windows import WINDOW_MS, window_at, windows_of
from tests.support.seed import seeded
from tests.support.telemetry import DOMAIN, SCHEMA, START_MS, STREAM, Device, home_seconds, signed_segments

Chain = list[tuple[bytes, bytes]]

DEVICE = Device(KeyKind.P256)
# two and a half hours from the middle of a window on, a reading each ten seconds
DAY = home_seconds(seeded("life"), 900, start_ms=START_MS + WINDOW_MS // 2, step_ms=10_000)
FIRST_WINDOW = window_at(START_MS)


@dataclass
class Gateway:
    """Takes messages, seals a batch when it has enough, and knows no more of a stream than its tail."""

    keys: WindowKeys
    tail: StreamTail = field(default_factory=lambda: StreamTail.start(STREAM))
    waiting: list[SignedRun] = field(default_factory=list)
    chain: Chain = field(default_factory=list)

    def take(self, message: bytes, enough: int = 250) -> None:
        sent = decode_message(message)
        self.tail = verify_segment(self.tail, SCHEMA, sent, DEVICE.key, DOMAIN)
        self.waiting.append(sent)
        if sum(len(part.run) for part in self.waiting) >= enough:
            self.anchor()

    def anchor(self) -> None:
        batch = seal(self.keys, SCHEMA, self.waiting)
        self.chain.append((batch.header.encode(), batch.body))
        self.waiting = []


def batches(chain: Chain) -> list[SealedBatch]:
    return [SealedBatch(BatchHeader.decode(header), body) for header, body in chain]


@pytest.fixture(scope="module")
def owner() -> WindowKeys:
    return WindowKeys.fresh(1)


@pytest.fixture(scope="module")
def chain(owner: WindowKeys) -> Chain:
    gateway = Gateway(owner)
    for sent in signed_segments(DEVICE, DAY, 40):
        gateway.take(encode_message(sent))
    gateway.anchor()
    return gateway.chain


def test_gateway__given_a_message_twice_or_out_of_turn__takes_it_once(owner: WindowKeys) -> None:
    gateway = Gateway(owner)
    first, second, third, *_ = (encode_message(sent) for sent in signed_segments(DEVICE, DAY, 40))
    gateway.take(first)
    with pytest.raises(SegmentOverlap):
        gateway.take(first)
    with pytest.raises(SegmentGap):
        gateway.take(third)
    gateway.take(second)
    gateway.take(third)
    assert gateway.tail.next_index == 40 + 5 + 40


def test_rebuild__from_the_chain_and_the_owners_keys__gives_every_byte_back(owner: WindowKeys, chain: Chain) -> None:
    assert len(chain) > 3
    tail, runs = StreamTail.start(STREAM), []
    for batch in batches(chain):
        for section in open_batch(WindowKeys.decode(owner.encode()), SCHEMA, batch):
            section.must_be_signed(DEVICE.key, DOMAIN)
            tail = section.follow(tail)
            runs.append(section.run)
    assert ReadingRun.joined(runs).raw == DAY.raw
    assert tail.next_index == 900


def test_follow__with_a_batch_left_out_or_twice__says_so(owner: WindowKeys, chain: Chain) -> None:
    first, second, third, *_ = (open_batch(owner, SCHEMA, batch) for batch in batches(chain))
    tail = StreamTail.start(STREAM)
    for section in first:
        tail = section.follow(tail)
    with pytest.raises(SegmentGap):
        third[0].follow(tail)
    with pytest.raises(SegmentOverlap):
        first[0].follow(tail)
    assert second[0].follow(tail).next_index > tail.next_index


def test_seal__again_after_a_crash__gives_the_same_batches(owner: WindowKeys, chain: Chain) -> None:
    gateway = Gateway(owner)
    for sent in signed_segments(DEVICE, DAY, 40):
        gateway.take(encode_message(sent))
    gateway.anchor()
    assert gateway.chain == chain


def test_party__with_an_hours_grant__reads_and_proves_that_hour_offline(owner: WindowKeys, chain: Chain) -> None:
    city = PartySecret.fresh(PartySuite.HYBRID)
    first, end = windows_of(START_MS + 2 * WINDOW_MS, START_MS + 6 * WINDOW_MS)
    letter = grant(owner, STREAM, first, end, city.public).encode()
    opened = SealedGrant.decode(letter).open(city)
    read = [section for batch in batches(chain) for section in opened.read(SCHEMA, batch)]
    wanted = [reading for reading in DAY if first <= window_at(reading.at_ms) < end]
    assert [reading for section in read for reading in section.run] == wanted
    for section in read:
        header, run = BatchHeader.decode(section.header.encode()), section.run
        proof = prove_range([section], run.first_index, run.end_index)
        assert proof.readings(header, SCHEMA) == run  # a stranger's check, without any key


def test_stranger__given_one_reading__checks_it_and_its_device_with_the_header_alone(
    owner: WindowKeys, chain: Chain
) -> None:
    batch = batches(chain)[1]
    section = open_batch(owner, SCHEMA, batch)[0]
    index = section.run.first_index + 7
    proof, signed = prove_reading(section, index), prove_signature(section, index)
    header = BatchHeader.decode(chain[1][0])
    assert proof.reading(header, SCHEMA) == list(DAY)[index]
    signed.must_sign(proof, header, DEVICE.key, DOMAIN)


def test_erasure__of_a_window__leaves_all_else_readable_and_provable(owner: WindowKeys, chain: Chain) -> None:
    gone = FIRST_WINDOW + 3
    kept = WindowKeys.decode(owner.without(gone, gone + 1).encode())
    read = [section for batch in batches(chain) for section in open_reached(kept, SCHEMA, batch)]
    wanted = [reading for reading in DAY if window_at(reading.at_ms) != gone]
    assert [reading for section in read for reading in section.run] == wanted
    for section in read:
        index = section.run.first_index
        assert prove_reading(section, index).reading(section.header, SCHEMA) == list(DAY)[index]
    touched = next(batch for batch in batches(chain) if gone in [section.window for section in batch.sections()])
    with pytest.raises(WindowClosed):
        open_batch(kept, SCHEMA, touched)
    with pytest.raises(WindowClosed):
        grant(kept, STREAM, gone - 1, gone + 2, PartySecret.fresh(PartySuite.X25519).public)


def test_sale__with_a_new_epoch__parts_what_was_from_what_comes(owner: WindowKeys, chain: Chain) -> None:
    half = DAY.first_index + 450
    sold = [sent for sent in signed_segments(DEVICE, DAY, 10) if sent.segment.first_index >= half]
    buyer = WindowKeys.fresh(2)
    later = seal(buyer, SCHEMA, sold)
    with pytest.raises(BatchOfOtherEpoch):
        open_batch(owner, SCHEMA, later)
    with pytest.raises(BatchOfOtherEpoch):
        open_batch(buyer, SCHEMA, batches(chain)[0])
    assert ReadingRun.joined([section.run for section in open_batch(buyer, SCHEMA, later)]).end_index == 900
