"""Batches: what a gateway anchors of a stream. The header is public, the body sealed, a section for each window.

header     0x01, stream (32), schema hash (32), epoch (4), first index (8), number of readings (4), first and last
           time (8 each), root (32)
body       0x01, number of sections (2), the sections
section    window (4), number of readings (4), imprint (32), number of hashes (1), hashes (32 each), length (4),
           ciphertext
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import sha256
from struct import Struct

from gridweave.domain.telemetry.errors import BodyExtended, BodyMalformed, BodyTruncated, HeaderMalformed
from gridweave.domain.telemetry.merkle import HASH_LENGTH, range_proof_length
from gridweave.domain.telemetry.readings import MOST_READINGS
from gridweave.domain.telemetry.windows import END_MS, window_at

_VERSION = 1
_HEADER = Struct(">B32s32sIQIQQ32s")
_BODY = Struct(">BH")
_SECTION = Struct(">II32sB")
_LENGTH = Struct(">I")


@dataclass(frozen=True)
class BatchHeader:
    """What everybody sees of a batch: which readings of which stream, under which epoch's keys, and the tree's root.

    Stream, schema hash and root are 32 bytes, times milliseconds UTC of the first and the last reading. The root is
    that of an RFC 9162 tree of `count` leaves, salt and reading each.
    """

    stream: bytes
    schema_hash: bytes
    epoch: int
    first_index: int
    count: int
    first_ms: int
    last_ms: int
    root: bytes

    def encode(self) -> bytes:
        """Canonical bytes, 129 of them."""
        return _HEADER.pack(
            _VERSION,
            self.stream,
            self.schema_hash,
            self.epoch,
            self.first_index,
            self.count,
            self.first_ms,
            self.last_ms,
            self.root,
        )

    @classmethod
    def decode(cls, raw: bytes) -> BatchHeader:
        """The header of canonical bytes. Raises HeaderMalformed."""
        if len(raw) != _HEADER.size:
            raise HeaderMalformed(f"{_HEADER.size} bytes")
        version, *fields = _HEADER.unpack(raw)
        if version != _VERSION:
            raise HeaderMalformed("this program reads version 1")
        header = cls(*fields)
        if header.count == 0 or header.first_index + header.count > 1 << 64:
            raise HeaderMalformed("at least one reading, and the last index a uint64")
        if not header.first_ms <= header.last_ms < END_MS:
            raise HeaderMalformed("the first time not after the last, and that in a window")
        return header


@dataclass(frozen=True)
class Section:
    """A window's readings from `first_index` on, sealed.

    `imprint` (32 bytes) is what their key depends on; `proof` places their leaves in the batch's tree.
    """

    window: int
    first_index: int
    count: int
    imprint: bytes
    proof: tuple[bytes, ...]
    ciphertext: bytes

    def encode(self) -> bytes:
        """Its part of a body."""
        head = _SECTION.pack(self.window, self.count, self.imprint, len(self.proof))
        return head + b"".join(self.proof) + _LENGTH.pack(len(self.ciphertext)) + self.ciphertext


@dataclass(frozen=True)
class SealedBatch:
    """A header and its body."""

    header: BatchHeader
    body: bytes

    @property
    def body_hash(self) -> bytes:
        """SHA-256 of the body, 32 bytes: its name in a content-addressed store."""
        return sha256(self.body).digest()

    def sections(self) -> tuple[Section, ...]:
        """The body's sections. Raises BodyTruncated, BodyExtended, BodyMalformed."""
        return _decode(self.header, self.body)


def encode_body(sections: Sequence[Section]) -> bytes:
    """The body of these sections."""
    return _BODY.pack(_VERSION, len(sections)) + b"".join(section.encode() for section in sections)


def _decode(header: BatchHeader, raw: bytes) -> tuple[Section, ...]:
    at = _Reader(raw)
    version, many = _BODY.unpack(at.take(_BODY.size))
    if version != _VERSION:
        raise BodyMalformed("this program reads version 1")
    sections: list[Section] = []
    index = header.first_index
    for _ in range(many):
        sections.append(_section(at, header, index))
        index += sections[-1].count
    if at.place != len(raw):
        raise BodyExtended(len(raw) - at.place)
    _must_fill(header, sections, index)
    return tuple(sections)


def _section(at: _Reader, header: BatchHeader, index: int) -> Section:
    window, count, imprint, hashes = _SECTION.unpack(at.take(_SECTION.size))
    first = index - header.first_index
    if not 1 <= count <= min(MOST_READINGS, header.count - first):
        raise BodyMalformed(f"1 to {MOST_READINGS} readings a section, and the header's number in all")
    if hashes != range_proof_length(header.count, first, first + count):
        raise BodyMalformed("a section's hashes are those beside its readings")
    proof = tuple(at.take(HASH_LENGTH) for _ in range(hashes))
    (length,) = _LENGTH.unpack(at.take(_LENGTH.size))
    return Section(window, index, count, imprint, proof, at.take(length))


def _must_fill(header: BatchHeader, sections: Sequence[Section], end: int) -> None:
    windows = [section.window for section in sections]
    if end != header.first_index + header.count:
        raise BodyMalformed("sections hold the header's number of readings")
    if windows != sorted(set(windows)):
        raise BodyMalformed("sections stand in the order of their windows, one for each")
    if (windows[0], windows[-1]) != (window_at(header.first_ms), window_at(header.last_ms)):
        raise BodyMalformed("sections begin and end in the windows of the header's times")


class _Reader:
    def __init__(self, raw: bytes) -> None:
        self.raw, self.place = raw, 0

    def take(self, length: int) -> bytes:
        part = self.raw[self.place : self.place + length]
        if len(part) != length:
            raise BodyTruncated(len(self.raw))
        self.place += length
        return part
