"""What a call on the TelemetryAnchor leaves behind: each class and its fields are named as the event that says it."""

# ruff: noqa: D101 (one class per event of the interface, which is the manual)

from __future__ import annotations

from dataclasses import dataclass

from gridweave.domain.anchors import StreamMode

__all__ = [
    "AccessGranted",
    "BatchAnchored",
    "BatchRefused",
    "BodyAnchored",
    "EpochBegun",
    "StreamOpened",
    "StreamOutcome",
]


@dataclass(frozen=True)
class StreamOpened:
    stream: bytes
    device: str
    schema_hash: bytes
    mode: StreamMode


@dataclass(frozen=True)
class EpochBegun:
    """`tip` is a span's word as a number."""

    stream: bytes
    owner: str
    epoch: int
    tip: int


@dataclass(frozen=True)
class BatchAnchored:
    """`span` is a word as a number."""

    stream: bytes
    span: int
    head: bytes
    root: bytes
    body_hash: bytes


@dataclass(frozen=True)
class BodyAnchored:
    stream: bytes
    number: int
    body: bytes


@dataclass(frozen=True)
class BatchRefused:
    """`span` is the word that was brought; `reason` the whole error, selector and arguments."""

    stream: bytes
    span: int
    reason: bytes


@dataclass(frozen=True)
class AccessGranted:
    stream: bytes
    to: str
    epoch: int
    first_window: int
    last_window: int
    sealed_: bytes


StreamOutcome = StreamOpened | EpochBegun | BatchAnchored | BodyAnchored | BatchRefused | AccessGranted
