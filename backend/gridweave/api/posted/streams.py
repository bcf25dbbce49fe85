"""What is posted about streams: by their devices' owners (`owner`), or signed by their devices (`signature`)."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Base64Bytes, Field

from gridweave.api.fields import Address, Body, Bytes, Compact, Hex32, Uint32, Uint40, Uint64
from gridweave.api.posted.base import ActIn
from gridweave.chain.contracts import ReadingProof
from gridweave.domain.anchors import Batch, Span, StreamMode, Tip
from gridweave.domain.hashing import keccak
from gridweave.domain.stream_acts import GrantAccess, NewEpoch, OpenStream
from gridweave.domain.telemetry.schema import Schema

__all__ = ["BatchIn", "EpochIn", "GrantIn", "ReadingProofIn", "StreamIn"]

_MOST_SEALED = 1 << 14
_MOST_SCHEMA = 4_096
_MOST_LEAF = 512
_MOST_SIBLINGS = 64
_MOST_PATH = 5
_MOST_TIP = 7

Uint48 = Annotated[Uint64, Field(lt=1 << 48)]


class StreamIn(Body):
    """A stream of a device to be, by the device's owner."""

    device: Address
    channels: Annotated[Bytes, Field(alias="schema", max_length=_MOST_SCHEMA, description="its canonical bytes")]
    mode: Literal["full", "hash"]
    owner: ActIn

    def opened(self) -> tuple[OpenStream, Schema]:
        """Raises SchemaMalformed, ChannelMalformed."""
        schema = Schema.decode(self.channels)
        mode = StreamMode[self.mode.upper()]
        return OpenStream(self.device, schema.hash, mode, self.owner.nonce, self.owner.deadline), schema


class EpochIn(Body):
    """A stream's epoch to be, by the device's owner."""

    epoch: Uint32
    owner: ActIn

    def act(self, stream: bytes) -> NewEpoch:
        return NewEpoch(stream, self.epoch, self.owner.nonce, self.owner.deadline)


class BatchIn(Body):
    """A batch, signed by its stream's device, with what was sealed in base64."""

    first_index: Uint48
    count: Uint32
    first_ms: Uint48
    last_ms: Uint48
    epoch: Uint32
    previous_head: Hex32
    root: Hex32
    body_hash: Hex32
    signature: Compact
    body: Base64Bytes

    def batch(self, stream: bytes) -> Batch:
        times = self.first_ms, self.last_ms
        hashes = self.previous_head, self.root, self.body_hash
        return Batch(stream, self.first_index, self.count, *times, self.epoch, *hashes)


class GrantIn(Body):
    """A grant to be put on chain, by the device's owner."""

    to: Address
    epoch: Uint32
    first_window: Uint32
    last_window: Uint32
    sealed: Annotated[Bytes, Field(max_length=_MOST_SEALED)]
    owner: ActIn

    def act(self, stream: bytes) -> GrantAccess:
        windows = self.first_window, self.last_window
        sealed_hash, owner = keccak(self.sealed), self.owner
        return GrantAccess(stream, self.to, self.epoch, *windows, sealed_hash, owner.nonce, owner.deadline)


class ReadingProofIn(Body):
    """A proof that a reading stands in a stream; `leaf` is its salt and canonical bytes."""

    stream: Hex32
    span: Hex32
    root: Hex32
    block_number: Uint40
    anchored_at: Uint40
    leaf: Annotated[Bytes, Field(max_length=_MOST_LEAF)]
    siblings: Annotated[list[Hex32], Field(max_length=_MOST_SIBLINGS)]
    path: Annotated[list[Hex32], Field(max_length=_MOST_PATH)]
    tip: Annotated[list[Hex32], Field(max_length=_MOST_TIP, default_factory=list)]

    def proof(self) -> ReadingProof:
        words = tuple(self.tip)
        tip = Tip(Span.unpack(words[0]), words[1], words[2:]) if len(words) > 1 else None
        return ReadingProof(
            self.stream,
            Span.unpack(self.span),
            self.root,
            self.block_number,
            self.anchored_at,
            self.leaf,
            tuple(self.siblings),
            tuple(self.path),
            tip,
        )
