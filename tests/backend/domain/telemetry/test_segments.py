"""Segments: what the device signed continues the stream, or is refused by name."""

from __future__ import annotations

from dataclasses import replace
from hashlib import sha256

import pytest

from gridweave.domain.acts import KeyKind
from gridweave.domain.eip712 import Domain
from gridweave.domain.telemetry.errors import (
    ChannelCountWrong,
    ClockAhead,
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
from gridweave.domain.telemetry.schema import Channel, Schema
from gridweave.domain.telemetry.segments import (
    ClockLimits,
    Segment,
    SignedSegment,
    StreamTail,
    extend,
    judge_clock,
    verify_segment,
)
from gridweave.domain.telemetry.windows import WINDOW_MS
from tests.support.seed import seeded
from tests.support.telemetry import DOMAIN, SCHEMA, START_MS, STREAM, Device, home_seconds, signed_segments

KINDS = list(KeyKind)
DEVICE = Device(KeyKind.P256)
RUN = home_seconds(seeded("segments"), 30)
SENT = signed_segments(DEVICE, RUN, 10)
START = StreamTail.start(STREAM)


def take(tail: StreamTail, run: ReadingRun, signed: SignedSegment, device: Device = DEVICE) -> StreamTail:
    return verify_segment(tail, SCHEMA, run, signed, device.key, DOMAIN)


def second() -> tuple[StreamTail, ReadingRun, Segment]:
    """The tail after the first segment, and the second one."""
    run, signed = SENT[1]
    return take(START, *SENT[0]), run, signed.segment


def test_verify__of_a_segment_that_comes_too_early__is_a_gap() -> None:
    with pytest.raises(SegmentGap) as refusal:
        take(START, *SENT[1])
    assert refusal.value.values == {"firstIndex": 10, "expected": 0}


def test_verify__of_a_segment_that_was_taken__is_an_overlap() -> None:
    tail = take(START, *SENT[0])
    with pytest.raises(SegmentOverlap) as refusal:
        take(tail, *SENT[0])
    assert refusal.value.values == {"firstIndex": 0, "expected": 10}


def test_verify__of_a_segment_that_begins_before_the_last_reading__says_so() -> None:
    tail, run, segment = second()
    late = replace(tail, last_ms=segment.first_ms + 1)
    with pytest.raises(SegmentTimeRunsBack):
        take(late, run, DEVICE.sign(segment))


def test_verify__of_a_segment_on_another_history__is_refused() -> None:
    """A device that was reset, or two with one key, fork the chain: the second branch does not fit."""
    tail, run, segment = second()
    rows = list(SENT[0][0])
    rows[3] = replace(rows[3], values=(1, 2, 3))
    other = START.after(START.segment(ReadingRun.of(rows)))
    with pytest.raises(WrongPreviousHead):
        take(tail, run, DEVICE.sign(other.segment(run)))
    with pytest.raises(WrongPreviousHead):
        take(tail, run, DEVICE.sign(replace(segment, previous_head=bytes(32))))


def test_verify__of_another_stream__is_refused() -> None:
    other = StreamTail.start(sha256(b"another").digest())
    with pytest.raises(SegmentOfOtherStream):
        take(other, *SENT[0])


def test_verify__of_a_segment_over_a_windows_end__is_refused() -> None:
    run = home_seconds(seeded("spans"), 20, start_ms=START_MS + WINDOW_MS - 10_000)
    with pytest.raises(SegmentSpansWindows):
        take(START, run, DEVICE.sign(START.segment(run)))


def test_verify__of_too_many_readings__is_refused_before_they_are_hashed() -> None:
    segment = replace(START.segment(RUN), count=MOST_READINGS + 1)
    with pytest.raises(SegmentTooLong):
        take(START, RUN, DEVICE.sign(segment))


@pytest.mark.parametrize("field", ["first_index", "count", "first_ms", "last_ms"])
def test_verify__of_a_segment_that_says_other_than_its_readings__names_the_field(field: str) -> None:
    tail, run, segment = second()
    lying = replace(segment, **{field: getattr(segment, field) + 1})
    with pytest.raises((SegmentDisagrees, SegmentGap)):
        take(tail, run, DEVICE.sign(lying))


@pytest.mark.parametrize("place", range(10))
def test_verify__with_one_reading_changed__is_a_wrong_head(place: int) -> None:
    run, signed = SENT[0]
    rows = list(run)
    rows[place] = replace(rows[place], values=(rows[place].values[0] + 1, *rows[place].values[1:]))
    with pytest.raises(WrongHead):
        take(START, ReadingRun.of(rows), signed)


def test_verify__with_another_firmware__is_a_wrong_head() -> None:
    run, signed = SENT[0]
    with pytest.raises(WrongHead):
        take(START, ReadingRun.of(replace(row, firmware=4) for row in run), signed)


def test_verify__with_readings_left_out_or_added__is_refused() -> None:
    _, signed = SENT[0]
    for other in (RUN.cut(0, 9), RUN.cut(0, 11), RUN.cut(1, 11)):
        with pytest.raises(SegmentDisagrees):
            take(START, other, signed)


def test_verify__of_readings_beyond_the_schema__is_refused() -> None:
    rows = [Reading(0, START_MS, 1, (0, 1 << 20, 0))]
    run = ReadingRun.of(rows)
    with pytest.raises(ValueOutsideChannel):
        take(START, run, DEVICE.sign(START.segment(run)))
    schema = Schema((Channel("power", "W", 0, 4),))
    with pytest.raises(ChannelCountWrong):
        verify_segment(START, schema, RUN, DEVICE.sign(START.segment(RUN)), DEVICE.key, DOMAIN)


@pytest.mark.parametrize("kind", KINDS)
def test_verify__with_a_signature_of_something_else__is_refused(kind: KeyKind) -> None:
    device = Device(kind)
    run, signed = signed_segments(device, RUN, 10)[0]
    later = signed_segments(device, RUN, 10)[1][1]
    elsewhere = Domain.of("TelemetryAnchor", 1, DOMAIN.verifying_contract)
    wrong = [
        Device(kind, secret=8).sign(signed.segment).signature,
        device.sign(signed.segment, elsewhere).signature,
        later.signature,
        signed.signature[:63],
        signed.signature + b"\x00",
        b"",
        bytes(64),
    ]
    for signature in wrong:
        with pytest.raises(SegmentSignatureInvalid):
            take(START, run, SignedSegment(signed.segment, signature), device)


@pytest.mark.parametrize("kind", KINDS)
def test_verify__with_any_bit_of_the_signature_flipped__is_refused(kind: KeyKind) -> None:
    device = Device(kind)
    run, signed = signed_segments(device, RUN, 10)[0]
    for bit in range(0, 512, 7):
        flipped = int.from_bytes(signed.signature, "big") ^ 1 << bit
        with pytest.raises(SegmentSignatureInvalid):
            take(START, run, SignedSegment(signed.segment, flipped.to_bytes(64, "big")), device)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("every", [1, 7, 30])
def test_verify__of_all_that_a_device_sent__comes_to_its_last_head(kind: KeyKind, every: int) -> None:
    device = Device(kind)
    tail = START
    for run, signed in signed_segments(device, RUN, every):
        tail = take(tail, run, signed, device)
    assert tail == StreamTail(STREAM, 30, RUN.last_ms, extend(START.head, RUN))


def test_extend__by_hand__is_the_documented_chain() -> None:
    head = sha256(b"gridweave/telemetry/chain" + STREAM).digest()
    assert START.head == head
    for reading in RUN:
        head = sha256(b"\x02" + head + reading.pack()).digest()
    assert extend(START.head, RUN) == head


def test_judge_clock__of_a_device_ahead__refuses() -> None:
    segment = START.segment(RUN)
    with pytest.raises(ClockAhead) as refusal:
        judge_clock(segment, segment.last_ms - 5_001, ClockLimits(ahead_ms=5_000))
    assert refusal.value.values == {
        "lastMs": segment.last_ms,
        "receivedMs": segment.last_ms - 5_001,
        "limitMs": 5_000,
    }


@pytest.mark.parametrize(
    ("received", "told"), [(-5_000, 0), (0, 0), (60_000, 0), (60_001, 60_001), (9_999_999, 9_999_999)]
)
def test_judge_clock__of_a_late_segment__tells_by_how_much(received: int, told: int) -> None:
    segment = START.segment(RUN)
    assert judge_clock(segment, segment.last_ms + received, ClockLimits(5_000, 60_000)) == told
