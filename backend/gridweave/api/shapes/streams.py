"""Streams of telemetry as they are answered."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from gridweave.api.shapes.base import AccountId, Count, Hash, Paged, Shape

__all__ = [
    "BatchPlaceOut",
    "GrantsOut",
    "ReadingFoundOut",
    "StreamBatchOut",
    "StreamBatchesOut",
    "StreamOut",
    "StreamsOut",
]

Bytes = Annotated[str, Field(pattern=r"^0x([0-9a-f]{2})*$")]


class ListedStreamOut(Shape):
    """A stream: whose it is, and how far it has come."""

    stream: Hash
    device: AccountId
    mode: Literal["full", "hash"]
    schema_hash: Hash
    owner: Annotated[AccountId, Field(description="who began its present epoch")]
    epoch: Count
    number: Annotated[Count, Field(description="batches so far")]
    next_index: Count
    last_ms: Annotated[Count, Field(description="of the last anchored reading, milliseconds UTC by its device's clock")]
    head: Annotated[Hash, Field(description="of the last batch; zeros before the first")]
    opened_block: Count
    transaction: Hash
    block: Count
    final: bool


class StreamOut(ListedStreamOut):
    """The same, with its schema, if this service was given it, and the hash that the chain keeps of its tip."""

    channels: Annotated[Bytes | None, Field(alias="schema", description="canonical bytes")]
    tip_hash: Hash


class StreamsOut(Paged):
    """A page of streams."""

    items: list[ListedStreamOut]


class StreamBatchOut(Shape):
    """An anchored batch; `time` is its block's."""

    number: Count
    first_index: Count
    count: Count
    first_ms: Count
    last_ms: Count
    epoch: Count
    device_nonce: Count
    head: Hash
    root: Hash
    body_hash: Hash
    time: Count
    log_index: Count
    transaction: Hash
    block: Count
    final: bool


class StreamBatchesOut(Shape):
    """Batches by their numbers."""

    items: list[StreamBatchOut]


class BatchPlaceOut(Shape):
    """That a batch is anchored: what `POST /v1/readings/verify` wants beside leaf and siblings."""

    stream: Hash
    span: Hash
    root: Hash
    block_number: Count
    anchored_at: Count
    path: list[Hash]
    tip: Annotated[list[Hash], Field(description="empty once the batch's page is closed")]


class GrantOut(Shape):
    """Windows of a stream that are open to the key of `to`, the last included."""

    stream: Hash
    to: AccountId
    epoch: Count
    first_window: Count
    last_window: Count
    sealed: Bytes
    transaction: Hash
    block: Count
    final: bool


class GrantsOut(Paged):
    """A page of grants."""

    items: list[GrantOut]


class ReadingFoundOut(Shape):
    """What the contract finds of a reading that was proved; `isTrusted` is the registry's word as of now."""

    device: AccountId
    index: Count
    at_ms: Count
    firmware: Count
    block_number: Count
    anchored_at: Count
    is_trusted: bool
