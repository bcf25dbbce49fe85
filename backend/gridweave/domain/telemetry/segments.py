"""Segments: what a device signs of its stream, every N readings or T seconds, and at the end of every window.

The device chains its readings: head 0 is SHA-256("gridweave/telemetry/chain" . stream), and head i is
SHA-256(0x02 . head i-1 . canonical bytes of reading i). A segment names the heads before and after its readings, so one
signature vouches for each of them, for their order, and for all that came before.

Heads are hashes of readings without salt: whoever knows two heads of a short segment could guess what lies between.
Segments therefore travel to the gateway and inside of what is sealed, never in the open.
"""

from __future__ import annotations

from dataclasses import dataclass
from hashlib import sha256
from typing import ClassVar, NamedTuple

from gridweave.domain.acts import KeyKind
from gridweave.domain.eip712 import TYPES, Domain, StructType, digest
from gridweave.domain.signatures import verify_p256, verify_secp256k1
from gridweave.domain.telemetry.errors import (
    ClockAhead,
    SegmentDisagrees,
    SegmentGap,
    SegmentOfOtherStream,
    SegmentOverlap,
    SegmentSignatureInvalid,
    SegmentSpansWindows,
    SegmentTimeRunsBack,
    SegmentTooLong,
    WrongHead,
    WrongPreviousHead,
)
from gridweave.domain.telemetry.readings import MOST_READINGS, ReadingRun
from gridweave.domain.telemetry.schema import Schema
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


@dataclass(frozen=True)
class SignedSegment:
    """A segment with its device's signature, 64 bytes (secp256k1 compact or P-256)."""

    segment: Segment
    signature: bytes


class SignedRun(NamedTuple):
    """What a device sends: readings and the signed segment over them."""

    run: ReadingRun
    signed: SignedSegment


@dataclass(frozen=True)
class DeviceKey:
    """A device's public key: its curve and coordinates, 32 bytes each."""

    kind: KeyKind
    x: bytes
    y: bytes

    def signed(self, digest_: bytes, signature: bytes) -> bool:
        """Whether the key signed the digest."""
        verify = verify_p256 if self.kind is KeyKind.P256 else verify_secp256k1
        return verify(self.x, self.y, digest_, signature)


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

    def segment(self, run: ReadingRun) -> Segment:
        """What the device signs once it has measured `run`."""
        head = extend(self.head, run)
        return Segment(self.stream, run.first_index, len(run), run.first_ms, run.last_ms, self.head, head)

    def after(self, segment: Segment) -> StreamTail:
        """Once this segment is taken."""
        return StreamTail(self.stream, segment.first_index + segment.count, segment.last_ms, segment.head)


@dataclass(frozen=True)
class ClockLimits:
    """How far a device's clock may be from the gateway's, in milliseconds.

    A reading may be late for good reason: device or gateway were cut off. So lateness is told, and being ahead refused.
    """

    ahead_ms: int = 30_000
    late_ms: int = 900_000


def extend(head: bytes, run: ReadingRun) -> bytes:
    """The chain's head once the readings of `run` follow it, 32 bytes."""
    for record in run.records:
        head = sha256(b"\x02" + head + record).digest()
    return head


def verify_segment(
    tail: StreamTail, schema: Schema, run: ReadingRun, signed: SignedSegment, key: DeviceKey, domain: Domain
) -> StreamTail:
    """The stream's new tail, if `run` is what the device signed and continues the stream.

    `domain` is that of the TelemetryAnchor. Raises a SegmentRefusal for what the segment says, ChannelCountWrong or
    ValueOutsideChannel for readings of another schema.
    """
    segment = signed.segment
    must_continue(tail, segment)
    run.must_fit(schema)
    _must_agree(segment, run)
    computed = extend(segment.previous_head, run)
    if computed != segment.head:
        raise WrongHead("0x" + segment.head.hex(), "0x" + computed.hex())
    must_be_signed(signed, key, domain)
    return tail.after(segment)


def judge_clock(segment: Segment, received_ms: int, limits: ClockLimits) -> int:
    """By how many milliseconds the segment came late, 0 within the limit. Its times stay as the device signed them.

    Raises ClockAhead.
    """
    if segment.last_ms > received_ms + limits.ahead_ms:
        raise ClockAhead(segment.last_ms, received_ms, limits.ahead_ms)
    late = received_ms - segment.last_ms
    return late if late > limits.late_ms else 0


def must_be_signed(signed: SignedSegment, key: DeviceKey, domain: Domain) -> None:
    """Return if the key signed the segment. Raises SegmentSignatureInvalid."""
    segment = signed.segment
    if not key.signed(digest(domain, segment), signed.signature):
        raise SegmentSignatureInvalid("0x" + segment.stream.hex(), segment.first_index)


def must_continue(tail: StreamTail, segment: Segment) -> None:
    """Return if what the segment says follows the tail. Raises a SegmentRefusal."""
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


def _must_agree(segment: Segment, run: ReadingRun) -> None:
    for name, said, found in (
        ("firstIndex", segment.first_index, run.first_index),
        ("count", segment.count, len(run)),
        ("firstMs", segment.first_ms, run.first_ms),
        ("lastMs", segment.last_ms, run.last_ms),
    ):
        if said != found:
            raise SegmentDisagrees(name, said, found)
