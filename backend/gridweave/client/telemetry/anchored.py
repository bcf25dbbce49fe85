"""A stream as anybody sees it: what was anchored, who began its epochs, and where to ask for all of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from gridweave.client.telemetry.stream_keys import mode_of
from gridweave.domain.anchors import NO_HEAD, Batch, Span, StreamMode, batch_leaf, device_of
from gridweave.domain.telemetry.batches import BatchHeader
from gridweave.domain.telemetry.verifying import DeviceKey

__all__ = ["AnchoredBatch", "BatchSource", "StreamFacts"]


@dataclass(frozen=True)
class AnchoredBatch:
    """A batch in the chain: its span, hashes of 32 bytes, and where it stands. `time` is its block's, seconds."""

    stream: bytes
    span: Span
    head: bytes
    root: bytes
    body_hash: bytes
    block: int
    time: int
    transaction: str
    log_index: int

    @property
    def number(self) -> int:
        """From 1 on."""
        return self.span.number

    @property
    def leaf(self) -> bytes:
        """In its page."""
        return batch_leaf(self.span, self.root, self.block, self.time)

    def signed(self, previous_head: bytes = NO_HEAD) -> Batch:
        """What its device signed, given the head of the batch before it."""
        span = self.span
        places = span.first_index, span.count, span.first_ms, span.last_ms, span.epoch
        return Batch(self.stream, *places, previous_head, self.root, self.body_hash)

    def header(self, schema_hash: bytes) -> BatchHeader:
        """As its body was sealed under."""
        span = self.span
        places = span.epoch, span.first_index, span.count, span.first_ms, span.last_ms
        return BatchHeader(self.stream, schema_hash, *places, self.root)


@dataclass(frozen=True)
class StreamFacts:
    """What is said of a stream: `tip_hash` and `page_roots` as the chain keeps them (None: nobody asked the chain).

    `epochs` are those of which is known who began them. `tip_nonce` is the device's nonce in the tip, None if not told.
    """

    stream: bytes
    schema_hash: bytes
    number: int
    epoch: int
    tip_hash: bytes
    epochs: Mapping[int, str] = field(default_factory=dict)
    tip_nonce: int | None = None
    page_roots: tuple[bytes, ...] | None = None

    @property
    def device(self) -> str:
        """Whose stream it is."""
        return device_of(self.stream)

    @property
    def mode(self) -> StreamMode:
        """Where its bodies are."""
        return mode_of(self.stream)


class BatchSource(Protocol):
    """Somebody who tells of streams. Nothing that it tells is believed: `Ledger` and the hashes check it."""

    def facts(self, stream: bytes) -> StreamFacts:
        """Raises StreamNotOpened."""

    def batches(self, stream: bytes) -> Sequence[AnchoredBatch]:
        """All of them, in order."""

    def body(self, batch: AnchoredBatch) -> bytes:
        """What was sealed. Raises BodyUnavailable."""

    def device_keys(self, device: str, block: int) -> Sequence[DeviceKey]:
        """Keys that the registry has told as the device's up to a block, the newest first."""
