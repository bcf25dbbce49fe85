"""Telemetry that nobody can change, lose or reorder: streams, batches, grants and proofs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

from gridweave.chain.contracts.acts import Act
from gridweave.chain.contracts.base import Contract
from gridweave.chain.types import Call
from gridweave.domain.addresses import ZERO_ADDRESS, checksum_address
from gridweave.domain.anchors import Batch, Span, StreamMode, Tip

__all__ = [
    "RangePart",
    "ReadingProof",
    "SignedBatch",
    "StreamKeeper",
    "StreamRange",
    "StreamReading",
    "TelemetryAnchor",
]

Words = tuple[bytes, ...]


@dataclass(frozen=True)
class SignedBatch:
    """A batch, the tip that it follows, and its device's signature of 64 bytes, or 128 with its key behind."""

    batch: Batch
    tip: Tip
    signature: bytes

    def abi(self) -> tuple[Any, ...]:
        """The struct Batch."""
        batch, tip = self.batch, self.tip
        words = _number(tip.span), _number(batch.span())
        hashes = batch.previous_head, batch.root, batch.body_hash
        return batch.stream, *words, *hashes, list(tip.peaks), self.signature


@dataclass(frozen=True)
class ReadingProof:
    """That a reading stands in a stream. `leaf` is salt and canonical bytes; without `tip` the page is closed."""

    stream: bytes
    span: Span
    root: bytes
    block_number: int
    anchored_at: int
    leaf: bytes
    siblings: Words
    path: Words
    tip: Tip | None = None

    def abi(self) -> tuple[Any, ...]:
        """The struct."""
        placed = _number(self.span), self.root, self.block_number, self.anchored_at
        return self.stream, *placed, self.leaf, list(self.siblings), list(self.path), _words(self.tip)


@dataclass(frozen=True)
class RangePart:
    """The readings of a range that one batch has: all `leaves` are of one length, `hashes` those beside them."""

    span: Span
    root: bytes
    block_number: int
    anchored_at: int
    path: Words
    leaves: Words
    hashes: Words

    def abi(self) -> tuple[Any, ...]:
        """The struct."""
        placed = _number(self.span), self.root, self.block_number, self.anchored_at
        return *placed, list(self.path), len(self.leaves), b"".join(self.leaves), list(self.hashes)


@dataclass(frozen=True)
class StreamReading:
    """What the contract says of a reading that was proved: struct ReadingFound."""

    device: str
    index: int
    at_ms: int
    firmware: int
    block_number: int
    anchored_at: int
    is_trusted: bool


@dataclass(frozen=True)
class StreamRange:
    """What the contract says of readings that were proved to be all there are: struct RangeFound."""

    device: str
    first_index: int
    end_index: int
    first_ms: int
    last_ms: int
    first_block: int
    last_block: int
    is_trusted: bool


@dataclass(frozen=True)
class StreamKeeper:
    """Who began a stream's present epoch."""

    owner: str
    epoch: int


class TelemetryAnchor(Contract):
    """Every call may be sent by anyone."""

    NAME: ClassVar[str] = "TelemetryAnchor"

    async def stream_of(self, device: str, schema_hash: bytes, mode: StreamMode, block: int | None = None) -> bytes:
        """The name that the stream has, or would have."""
        return bytes(await self._result("streamOf", device, schema_hash, mode, block=block))

    async def keeper_of(self, stream: bytes, block: int | None = None) -> StreamKeeper | None:
        """None if there is no such stream."""
        owner, epoch = await self._results("keeperOf", stream, block=block)
        return None if owner == ZERO_ADDRESS else StreamKeeper(checksum_address(owner), epoch)

    async def tip_hash_of(self, stream: bytes, block: int | None = None) -> bytes:
        """The hash of the stream's tip; zeros if there is no such stream."""
        return bytes(await self._result("tipHashOf", stream, block=block))

    async def page_of(self, stream: bytes, page: int, block: int | None = None) -> bytes:
        """Root of the batches numbered 32 * page + 1 to 32 * page + 32; zeros while the page is open."""
        return bytes(await self._result("pageOf", stream, page, block=block))

    async def digest_of(self, batch: SignedBatch, block: int | None = None) -> bytes:
        """What the device signs."""
        return bytes(await self._result("digestOf", batch.abi(), block=block))

    async def verify_reading(self, proof: ReadingProof, block: int | None = None) -> StreamReading:
        """Raises Reverted unless the reading stands in the stream."""
        device, *found = await self._result("verifyReading", proof.abi(), block=block)
        return StreamReading(checksum_address(device), *found)

    async def verify_range(
        self, stream: bytes, parts: Sequence[RangePart], tip: Tip | None = None, block: int | None = None
    ) -> StreamRange:
        """Raises Reverted unless these are all readings from the first to the last. `tip` if a page is open."""
        proof = stream, _words(tip), [part.abi() for part in parts]
        device, *found = await self._result("verifyRange", proof, block=block)
        return StreamRange(checksum_address(device), *found)

    async def is_nonce_used(self, signer: str, nonce: int, block: int | None = None) -> bool:
        return bool(await self._result("isNonceUsed", signer, nonce, block=block))

    def open(self, device: str, schema_hash: bytes, mode: StreamMode, owner: Act) -> Call:
        """The device's owner signs OpenStream."""
        return self.call("open", device, schema_hash, mode, owner.abi())

    def new_epoch(self, stream: bytes, epoch: int, tip: Tip, owner: Act) -> Call:
        """The device's owner signs NewEpoch; the tip is the stream's present one."""
        return self.call("newEpoch", stream, epoch, (_number(tip.span), tip.head, list(tip.peaks)), owner.abi())

    def anchor(self, batch: SignedBatch) -> Call:
        """Of a stream in mode Hash."""
        return self.call("anchor", batch.abi())

    def anchor_with_body(self, batch: SignedBatch, body: bytes) -> Call:
        """Of any stream; in mode Hash the body is empty."""
        return self.call("anchorWithBody", batch.abi(), body)

    def anchor_all(self, batches: Sequence[tuple[SignedBatch, bytes]]) -> Call:
        """Each with its body. One that is refused leaves the others."""
        return self.call("anchorAll", [batch.abi() for batch, _ in batches], [body for _, body in batches])

    def grant(self, stream: bytes, to: str, epoch: int, windows: tuple[int, int], sealed: bytes, owner: Act) -> Call:
        """The device's owner signs Grant; `windows` are the first and the last."""
        return self.call("grant", stream, to, epoch, *windows, sealed, owner.abi())


def _number(span: Span) -> int:
    return int.from_bytes(span.pack(), "big")


def _words(tip: Tip | None) -> list[bytes]:
    return list(tip.words) if tip else []
