"""Verifying what a device sends: it continues the stream, is what was signed, and comes from a clock that is right."""

from __future__ import annotations

from dataclasses import dataclass

from gridweave.domain.acts import KeyKind
from gridweave.domain.eip712 import Domain, digest
from gridweave.domain.signatures import verify_p256, verify_secp256k1
from gridweave.domain.telemetry.errors import (
    ClockAhead,
    SegmentDisagrees,
    SegmentSignatureInvalid,
    WrongHead,
)
from gridweave.domain.telemetry.readings import ReadingRun
from gridweave.domain.telemetry.schema import Schema
from gridweave.domain.telemetry.segments import Segment, SignedRun, StreamTail, extend


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

    def must_have_signed(self, segment: Segment, signature: bytes, domain: Domain) -> None:
        """Return if the key signed the segment. Raises SegmentSignatureInvalid."""
        if not self.signed(digest(domain, segment), signature):
            raise SegmentSignatureInvalid("0x" + segment.stream.hex(), segment.first_index)


@dataclass(frozen=True)
class ClockLimits:
    """How far a device's clock may be from the gateway's, in milliseconds.

    A reading may be late for good reason: device or gateway were cut off. So lateness is told, and being ahead refused.
    """

    ahead_ms: int = 30_000
    late_ms: int = 900_000


def verify_segment(tail: StreamTail, schema: Schema, sent: SignedRun, key: DeviceKey, domain: Domain) -> StreamTail:
    """The stream's new tail, if what was sent is what the device signed and continues the stream.

    `domain` is that of the TelemetryAnchor. Raises a SegmentRefusal for what the segment says, ChannelCountWrong or
    ValueOutsideChannel for readings of another schema.
    """
    segment = sent.segment
    new_tail = tail.after(segment)
    sent.run.must_fit(schema)
    _must_agree(segment, sent.run)
    key.must_have_signed(segment, sent.signature, domain)  # before the readings are hashed: a stranger costs no more
    computed = extend(segment.previous_head, sent.salted.leaf_hashes)
    if computed != segment.head:
        raise WrongHead("0x" + segment.head.hex(), "0x" + computed.hex())
    return new_tail


def judge_clock(segment: Segment, received_ms: int, limits: ClockLimits) -> int:
    """By how many milliseconds the segment came late, 0 within the limit. Its times stay as the device signed them.

    Raises ClockAhead.
    """
    if segment.last_ms > received_ms + limits.ahead_ms:
        raise ClockAhead(segment.last_ms, received_ms, limits.ahead_ms)
    late = received_ms - segment.last_ms
    return late if late > limits.late_ms else 0


def _must_agree(segment: Segment, run: ReadingRun) -> None:
    for name, said, found in (
        ("firstIndex", segment.first_index, run.first_index),
        ("count", segment.count, len(run)),
        ("firstMs", segment.first_ms, run.first_ms),
        ("lastMs", segment.last_ms, run.last_ms),
    ):
        if said != found:
            raise SegmentDisagrees(name, said, found)
