"""Segments: what the device signed continues the stream, or is refused by name."""

from __future__ import annotations

from dataclasses import replace
from hashlib import sha256

import pytest
from cryptography.hazmat.primitives.ciphers import Cipher
from cryptography.hazmat.primitives.ciphers.algorithms import AES256
from cryptography.hazmat.primitives.ciphers.modes import ECB

from gridweave.domain.acts import KeyKind
from gridweave.domain.eip712 import Domain
from gridweave.domain.telemetry.errors import (
    ChannelCountWrong,
    ClockAhead,
    SeedMalformed,
    SegmentDisagrees,
    SegmentGap,
    SegmentOfOtherStream,
    SegmentOverlap,
    SegmentSignatureInvalid,
    SegmentSpansWindows,
    SegmentTimeRunsBack,
    SegmentTooLong,
    ValueOutsideChannel,
    WrongHead,
    WrongPreviousHead,
)
from gridweave.domain.telemetry.readings import MOST_READINGS, Reading, ReadingRun
from gridweave.domain.telemetry.salts import SaltedRun
from gridweave.domain.telemetry.schema import Channel, Schema
from gridweave.domain.telemetry.segments import SignedRun, StreamTail
from gridweave.domain.telemetry.verifying import ClockLimits, judge_clock, verify_segment
from gridweave.domain.telemetry.windows import WINDOW_MS
from tests.support.seed import seeded
from tests.support.telemetry import DOMAIN, SCHEMA, START_MS, STREAM, Device, home_seconds, signed_segments

KINDS = list(KeyKind)
DEVICE = Device(KeyKind.P256)
RUN = home_seconds(seeded("segments"), 30)
FIRST, SECOND, THIRD = signed_segments(DEVICE, RUN, 10)
START = StreamTail.start(STREAM)
AFTER_FIRST = START.after(FIRST.segment)


def take(tail: StreamTail, sent: SignedRun, device: Device = DEVICE) -> StreamTail:
    return verify_segment(tail, SCHEMA, sent, device.key, DOMAIN)


def saying(sent: SignedRun, **changed: object) -> SignedRun:
    """The same readings under a segment that says something else, signed."""
    segment = replace(sent.segment, **changed)
    return replace(sent, segment=segment, signature=DEVICE.sign(segment))


def holding(sent: SignedRun, run: ReadingRun) -> SignedRun:
    """Other readings under the same signed segment."""
    return replace(sent, salted=SaltedRun(run, sent.salted.seed))


def test_verify__of_a_segment_that_comes_too_early__is_a_gap() -> None:
    with pytest.raises(SegmentGap) as refusal:
        take(START, SECOND)
    assert refusal.value.values == {"firstIndex": 10, "expected": 0}


def test_verify__of_a_segment_that_was_taken__is_an_overlap() -> None:
    with pytest.raises(SegmentOverlap) as refusal:
        take(take(START, FIRST), FIRST)
    assert refusal.value.values == {"firstIndex": 0, "expected": 10}


def test_verify__of_a_segment_that_begins_before_the_last_reading__says_so() -> None:
    with pytest.raises(SegmentTimeRunsBack):
        take(replace(AFTER_FIRST, last_ms=SECOND.segment.first_ms + 1), SECOND)


def test_verify__of_a_segment_on_another_history__is_refused() -> None:
    """A device that was reset, or two with one key, fork the chain: the second branch does not fit."""
    rows = list(FIRST.run)
    rows[3] = replace(rows[3], values=(1, 2, 3))
    other = START.after(DEVICE.send(START, ReadingRun.of(rows)).segment)
    with pytest.raises(WrongPreviousHead):
        take(AFTER_FIRST, DEVICE.send(other, SECOND.run))
    with pytest.raises(WrongPreviousHead):
        take(AFTER_FIRST, saying(SECOND, previous_head=bytes(32)))


def test_verify__of_another_stream__is_refused() -> None:
    with pytest.raises(SegmentOfOtherStream):
        take(StreamTail.start(sha256(b"another").digest()), FIRST)


def test_verify__of_a_segment_over_a_windows_end__is_refused() -> None:
    run = home_seconds(seeded("spans"), 20, start_ms=START_MS + WINDOW_MS - 10_000)
    with pytest.raises(SegmentSpansWindows):
        take(START, DEVICE.send(START, run))


def test_verify__of_too_many_readings__is_refused_before_they_are_hashed() -> None:
    with pytest.raises(SegmentTooLong):
        take(START, saying(FIRST, count=MOST_READINGS + 1))


@pytest.mark.parametrize("field", ["first_index", "count", "first_ms", "last_ms"])
def test_verify__of_a_segment_that_says_other_than_its_readings__names_the_field(field: str) -> None:
    with pytest.raises((SegmentDisagrees, SegmentGap)):
        take(AFTER_FIRST, saying(SECOND, **{field: getattr(SECOND.segment, field) + 1}))


@pytest.mark.parametrize("place", range(10))
def test_verify__with_one_reading_changed__is_a_wrong_head(place: int) -> None:
    rows = list(FIRST.run)
    rows[place] = replace(rows[place], values=(rows[place].values[0] + 1, *rows[place].values[1:]))
    with pytest.raises(WrongHead):
        take(START, holding(FIRST, ReadingRun.of(rows)))


def test_verify__with_another_firmware_or_seed__is_a_wrong_head() -> None:
    with pytest.raises(WrongHead):
        take(START, holding(FIRST, ReadingRun.of(replace(row, firmware=4) for row in FIRST.run)))
    with pytest.raises(WrongHead):
        take(START, replace(FIRST, salted=SaltedRun(FIRST.run, bytes(32))))


def test_verify__with_readings_left_out_or_added__is_refused() -> None:
    for other in (RUN.cut(0, 9), RUN.cut(0, 11), RUN.cut(1, 11)):
        with pytest.raises(SegmentDisagrees):
            take(START, holding(FIRST, other))


def test_verify__of_readings_beyond_the_schema__is_refused() -> None:
    with pytest.raises(ValueOutsideChannel):
        take(START, DEVICE.send(START, ReadingRun.of([Reading(0, START_MS, 1, (0, 1 << 20, 0))])))
    with pytest.raises(ChannelCountWrong):
        verify_segment(START, Schema((Channel("power", "W", 0, 4),)), FIRST, DEVICE.key, DOMAIN)


@pytest.mark.parametrize("seed", [b"", bytes(16), bytes(31), bytes(33)])
def test_salted_run__with_a_seed_of_another_length__is_refused(seed: bytes) -> None:
    with pytest.raises(SeedMalformed):
        SaltedRun(RUN, seed)


@pytest.mark.parametrize("kind", KINDS)
def test_verify__with_a_signature_of_something_else__is_refused(kind: KeyKind) -> None:
    device = Device(kind)
    first, second, _ = signed_segments(device, RUN, 10)
    elsewhere = Domain.of("TelemetryAnchor", 1, DOMAIN.verifying_contract)
    wrong = [
        Device(kind, secret=8).sign(first.segment),
        device.sign(first.segment, elsewhere),
        second.signature,
        first.signature[:63],
        first.signature + b"\x00",
        b"",
        bytes(64),
    ]
    for signature in wrong:
        with pytest.raises(SegmentSignatureInvalid):
            take(START, replace(first, signature=signature), device)
    with pytest.raises(SegmentSignatureInvalid):
        take(START, replace(first, segment=replace(first.segment, head=bytes(32))), device)


@pytest.mark.parametrize("kind", KINDS)
def test_verify__with_any_bit_of_the_signature_flipped__is_refused(kind: KeyKind) -> None:
    device = Device(kind)
    first = signed_segments(device, RUN, 10)[0]
    for bit in range(0, 512, 7):
        flipped = int.from_bytes(first.signature, "big") ^ 1 << bit
        with pytest.raises(SegmentSignatureInvalid):
            take(START, replace(first, signature=flipped.to_bytes(64, "big")), device)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("every", [1, 7, 30])
def test_verify__of_all_that_a_device_sent__comes_to_its_last_head(kind: KeyKind, every: int) -> None:
    device = Device(kind)
    tail = START
    for sent in signed_segments(device, RUN, every):
        tail = take(tail, sent, device)
    assert (tail.stream, tail.next_index, tail.last_ms) == (STREAM, 30, RUN.last_ms)
    assert tail.head == sent.segment.head


def test_send__by_hand__is_the_documented_chain() -> None:
    head = sha256(b"gridweave/telemetry/chain" + STREAM).digest()
    assert START.head == head
    for sent in (FIRST, SECOND, THIRD):
        cipher = Cipher(AES256(sent.salted.seed), ECB()).encryptor()
        assert sent.segment.previous_head == head
        for reading, leaf in zip(sent.run, sent.salted.leaves, strict=True):
            assert leaf == cipher.update(reading.index.to_bytes(16, "big")) + reading.pack()
            head = sha256(b"\x02" + head + sha256(b"\x00" + leaf).digest()).digest()
        assert sent.segment.head == head


def test_repr__of_what_was_sent__tells_no_seed() -> None:
    assert "seed" not in repr(FIRST)


def test_judge_clock__of_a_device_ahead__refuses() -> None:
    last = FIRST.segment.last_ms
    with pytest.raises(ClockAhead) as refusal:
        judge_clock(FIRST.segment, last - 5_001, ClockLimits(ahead_ms=5_000))
    assert refusal.value.values == {"lastMs": last, "receivedMs": last - 5_001, "limitMs": 5_000}


@pytest.mark.parametrize(
    ("received", "told"), [(-5_000, 0), (0, 0), (60_000, 0), (60_001, 60_001), (9_999_999, 9_999_999)]
)
def test_judge_clock__of_a_late_segment__tells_by_how_much(received: int, told: int) -> None:
    limits = ClockLimits(5_000, 60_000)
    assert judge_clock(FIRST.segment, FIRST.segment.last_ms + received, limits) == told
