"""What the TelemetryAnchor keeps of a stream: its tip, and a page for every 32 batches.

The same batches in the same blocks give the same tips and pages as the contract's. The chain holds one word of a tip,
its hash; whoever anchors brings the rest, which follows from the stream's events alone.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from enum import IntEnum
from typing import ClassVar

from gridweave.domain.addresses import checksum_address
from gridweave.domain.eip712 import TYPES, StructType, struct_hash
from gridweave.domain.hashing import keccak
from gridweave.domain.words import WordLayout

PAGE_BITS = 5
PAGE_SIZE = 1 << PAGE_BITS
NO_HEAD = bytes(32)
MODE_AT = 20
"""Where the mode stands in a stream's name, behind its device."""

_SPAN = WordLayout(
    "Span",
    (
        ("firstIndex", 48),
        ("count", 32),
        ("firstMs", 48),
        ("lastMs", 48),
        ("epoch", 32),
        ("number", 32),
        ("deviceNonce", 16),
    ),
)


class StreamMode(IntEnum):
    """Where the bodies of a stream's batches go, numbered as in contracts/types/StreamId.sol."""

    FULL = 1
    HASH = 2


MOST_BODY = {StreamMode.FULL: 1 << 17, StreamMode.HASH: 11 << 16}
"""Bytes of what is sealed: as the contract takes them in full, and as one request to the service holds them."""


def stream_id(device: str, mode: StreamMode, schema_hash: bytes) -> bytes:
    """The stream's name, 32 bytes: device 160 | mode 8 | first 88 bits of the schema's hash."""
    return bytes.fromhex(device.removeprefix("0x")) + bytes([mode]) + schema_hash[:11]


def device_of(stream: bytes) -> str:
    """Whose stream it is, checksummed."""
    return checksum_address(stream[:MODE_AT])


@dataclass(frozen=True)
class Span:
    """Which readings a batch has. `number` counts the stream's batches from 1 on, `device_nonce` is the registry's.

    Times are milliseconds UTC of the first and the last reading.
    """

    first_index: int
    count: int
    first_ms: int
    last_ms: int
    epoch: int
    number: int = 0
    device_nonce: int = 0

    @property
    def next_index(self) -> int:
        """Of the reading that follows."""
        return self.first_index + self.count

    def pack(self) -> bytes:
        """The word, 32 bytes. Raises FieldOutOfRange."""
        return _SPAN.pack(tuple(getattr(self, name) for name in self.__dataclass_fields__))

    @classmethod
    def unpack(cls, word: bytes) -> Span:
        """The span of a word. Raises WordMalformed for another length than 32 bytes."""
        return cls(*_SPAN.unpack(word))


@dataclass(frozen=True)
class Batch:
    """What a device signs of readings that were sealed in a row; stream and hashes are 32 bytes."""

    stream: bytes
    first_index: int
    count: int
    first_ms: int
    last_ms: int
    epoch: int
    previous_head: bytes
    root: bytes
    body_hash: bytes

    TYPE: ClassVar[StructType] = TYPES["Batch"]

    @property
    def head(self) -> bytes:
        """What the next batch names as its previous head. Raises FieldOutOfRange."""
        return struct_hash(self)

    def span(self, number: int = 0, device_nonce: int = 0) -> Span:
        """Its span, as anchored under this number."""
        places = self.first_index, self.count, self.first_ms, self.last_ms
        return Span(*places, self.epoch, number, device_nonce)


@dataclass(frozen=True)
class Tip:
    """How far a stream has come: its last batch's span and head, and the peaks of its open page from the left."""

    span: Span
    head: bytes
    peaks: tuple[bytes, ...]

    @classmethod
    def start(cls, device_nonce: int) -> Tip:
        """Of a stream that was just opened, in epoch 1."""
        return cls(Span(0, 0, 0, 0, 1, 0, device_nonce), NO_HEAD, ())

    @property
    def words(self) -> tuple[bytes, ...]:
        """The tip as proofs bring it."""
        return (self.span.pack(), self.head, *self.peaks)

    @property
    def hash(self) -> bytes:
        """What the contract keeps of it."""
        return keccak(b"".join(self.words))

    def after(self, batch: Batch, block_number: int, anchored_at: int, device_nonce: int) -> Tip:
        """Once this batch, which follows, is anchored in a block of this time."""
        span = batch.span(self.span.number + 1, device_nonce)
        closed = span.number % PAGE_SIZE == 0
        peaks = () if closed else self._peaks_with(batch_leaf(span, batch.root, block_number, anchored_at))
        return Tip(span, batch.head, peaks)

    def page_closed_by(self, batch: Batch, block_number: int, anchored_at: int, device_nonce: int) -> bytes | None:
        """Root of the page that this batch, which follows, fills; None: the page stays open."""
        span = batch.span(self.span.number + 1, device_nonce)
        if span.number % PAGE_SIZE:
            return None
        (root,) = self._peaks_with(batch_leaf(span, batch.root, block_number, anchored_at))
        return root

    def _peaks_with(self, leaf: bytes) -> tuple[bytes, ...]:
        """The peaks with another leaf behind them; of a full page its root alone."""
        peaks, node, place = list(self.peaks), leaf, self.span.number % PAGE_SIZE
        while place & 1:
            node, place = _node(peaks.pop(), node), place >> 1
        return (*peaks, node)

    def rekeyed(self, epoch: int, device_nonce: int) -> Tip:
        """Once the owner has begun this epoch."""
        return replace(self, span=replace(self.span, epoch=epoch, device_nonce=device_nonce))


def batch_leaf(span: Span, root: bytes, block_number: int, anchored_at: int) -> bytes:
    """A batch's leaf in its page."""
    return keccak(span.pack() + root + (block_number << 64 | anchored_at).to_bytes(32, "big"))


def page_root(leaves: Sequence[bytes]) -> bytes:
    """Root of a full page, or peak, over a power of two of leaves."""
    while len(leaves) > 1:
        leaves = _paired(leaves)
    return leaves[0]


def page_path(leaves: Sequence[bytes], place: int) -> tuple[bytes, ...]:
    """Siblings of the leaf at `place` up to the page's root, of an open page up to the peak over it."""
    low, size = 0, PAGE_SIZE
    while not len(leaves) & size or place >= low + size:
        low, size = low + (len(leaves) & size), size >> 1
    level, place, path = leaves[low : low + size], place - low, []
    while len(level) > 1:
        path.append(level[place ^ 1])
        level, place = _paired(level), place >> 1
    return tuple(path)


def page_peaks(leaves: Sequence[bytes]) -> tuple[bytes, ...]:
    """Peaks of an open page over its leaves, from the left; none of an empty one."""
    peaks, low, size = [], 0, PAGE_SIZE >> 1
    while size:
        if len(leaves) & size:
            peaks.append(page_root(leaves[low : low + size]))
            low += size
        size >>= 1
    return tuple(peaks)


def _paired(level: Sequence[bytes]) -> list[bytes]:
    return [_node(left, right) for left, right in zip(level[::2], level[1::2], strict=True)]


def _node(left: bytes, right: bytes) -> bytes:
    return keccak(left + right)
