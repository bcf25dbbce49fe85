"""Events of the TelemetryAnchor, as typed records. Spans are words: `Span.unpack(event.span.to_bytes(32, "big"))`."""

from __future__ import annotations

from dataclasses import dataclass

from gridweave.chain.event import Event

__all__ = ["AccessGranted", "BatchAnchored", "BatchRefused", "BodyAnchored", "EpochBegun", "StreamOpened"]


@dataclass(frozen=True, slots=True)
class StreamOpened(Event):
    """A stream of a device begins, under a schema of that hash."""

    stream: bytes
    device: str
    schema_hash: bytes
    mode: int


@dataclass(frozen=True, slots=True)
class EpochBegun(Event):
    """`tip` is the span of the stream's tip from now on; its head and peaks stay."""

    stream: bytes
    owner: str
    epoch: int
    tip: int


@dataclass(frozen=True, slots=True)
class BatchAnchored(Event):
    """The stream's tip is now this span, this head, and the peaks of its page with this batch."""

    stream: bytes
    span: int
    head: bytes
    root: bytes
    body_hash: bytes


@dataclass(frozen=True, slots=True)
class BodyAnchored(Event):
    """What was sealed in batch `number` of a stream in mode Full."""

    stream: bytes
    number: int
    body: bytes


@dataclass(frozen=True, slots=True)
class BatchRefused(Event):
    """One of many was not anchored; `reason` is the whole error, selector and arguments."""

    stream: bytes
    span: int
    reason: bytes


@dataclass(frozen=True, slots=True)
class AccessGranted(Event):
    """Windows of a stream are open to the key of `to`, the last included."""

    stream: bytes
    to: str
    epoch: int
    first_window: int
    last_window: int
    sealed_: bytes
