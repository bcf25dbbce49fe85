"""Segments: what a device signs of its stream, every N readings or T seconds, and at the end of every window.

The device chains the hashes of its leaves, which are salted: head 0 is SHA-256("gridweave/telemetry/chain" . stream),
and head i + 1 is SHA-256(0x02 . head i . hash of leaf i). A segment names the heads before and after its readings, so
one signature vouches for each of them, for their order, and for all that came before. Heads tell nothing of readings,
so segments may be public; and any one reading is shown to be signed with nothing but the hashes of those after it.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from hashlib import sha256
from typing import ClassVar

from gridweave.domain.eip712 import TYPES, StructType
from gridweave.domain.telemetry.errors import (
    SegmentGap,
    SegmentOfOtherStream,
    SegmentOverlap,
    SegmentSpansWindows,
    SegmentTimeRunsBack,
    SegmentTooLong,
    WrongPreviousHead,
)
from gridweave.domain.telemetry.readings import MOST_READINGS, ReadingRun
from gridweave.domain.telemetry.salts import SaltedRun
from gridweave.domain.telemetry.windows import window_at

_TAG = b"gridweave/telemetry/chain"


@dataclass(frozen=True)
class Segment:
    """Readings [first_index, first_index + count) of a stream and the heads before and after them.

    Times are milliseconds UTC of the first and the last reading; `stream` and heads are 32 bytes.
    """

    stream: bytes
    first_index: int
    count: int
    first_ms: int
    last_ms: int
    previous_head: bytes
    head: bytes

    TYPE: ClassVar[StructType] = TYPES["Segment"]

    @property
    def end_index(self) -> int:
        """The index that the next segment begins with."""
        return self.first_index + self.count


@dataclass(frozen=True)
class SignedRun:
    """What a device sends: salted readings, and the segment over them with its signature.

    The signature is 64 bytes, secp256k1 compact or P-256.
    """

    salted: SaltedRun
    segment: Segment
    signature: bytes

    @property
    def run(self) -> ReadingRun:
        """The readings."""
        return self.salted.run


@dataclass(frozen=True)
class StreamTail:
    """How far a stream has come: index and chain head that its next segment continues, time it must not precede."""

    stream: bytes
    next_index: int
    last_ms: int
    head: bytes

    @classmethod
    def start(cls, stream: bytes) -> StreamTail:
        """Before the first reading."""
        return cls(stream, 0, 0, sha256(_TAG + stream).digest())

    @classmethod
    def before(cls, segment: Segment) -> StreamTail:
        """What the segment says that it continues."""
        return cls(segment.stream, segment.first_index, segment.first_ms, segment.previous_head)

    def segment(self, salted: SaltedRun) -> Segment:
        """What the device signs once it has measured and salted a run."""
        run, head = salted.run, extend(self.head, salted.leaf_hashes)
        return Segment(self.stream, run.first_index, len(run), run.first_ms, run.last_ms, self.head, head)

    def after(self, segment: Segment) -> StreamTail:
        """Once this segment is taken. Raises a SegmentRefusal for what it says that does not follow."""
        _must_follow(self, segment)
        return StreamTail(self.stream, segment.end_index, segment.last_ms, segment.head)


def extend(head: bytes, leaf_hashes: Iterable[bytes]) -> bytes:
    """The chain's head once these leaves follow it, 32 bytes."""
    for leaf_hash in leaf_hashes:
        head = sha256(b"\x02" + head + leaf_hash).digest()
    return head


def _must_follow(tail: StreamTail, segment: Segment) -> None:
    if segment.stream != tail.stream:
        raise SegmentOfOtherStream("0x" + segment.stream.hex(), "0x" + tail.stream.hex())
    if segment.first_index > tail.next_index:
        raise SegmentGap(segment.first_index, tail.next_index)
    if segment.first_index < tail.next_index:
        raise SegmentOverlap(segment.first_index, tail.next_index)
    if segment.first_ms < tail.last_ms:
        raise SegmentTimeRunsBack(segment.first_ms, tail.last_ms)
    if segment.previous_head != tail.head:
        raise WrongPreviousHead("0x" + segment.previous_head.hex(), "0x" + tail.head.hex())
    if segment.count > MOST_READINGS:
        raise SegmentTooLong(segment.count, MOST_READINGS)
    first_window, last_window = window_at(segment.first_ms), window_at(segment.last_ms)
    if first_window != last_window:
        raise SegmentSpansWindows(first_window, last_window)
