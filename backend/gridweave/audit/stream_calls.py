"""What transactions ask of the TelemetryAnchor, one class a call; `stream_inputs` reads them.

Of a call seen from outside no `tip` is known (None), no `signature` (None) and none of an act.
"""

from __future__ import annotations

from dataclasses import dataclass

from gridweave.audit.signed import SignedAct
from gridweave.domain.anchors import Span, StreamMode, Tip

__all__ = ["AnchoringBatches", "BeginningEpoch", "GrantingAccess", "OpeningStream", "SeenBatch", "StreamCall"]


@dataclass(frozen=True)
class OpeningStream:
    device: str
    schema_hash: bytes
    mode: StreamMode
    owner: SignedAct


@dataclass(frozen=True)
class BeginningEpoch:
    stream: bytes
    epoch: int
    tip: Tip | None
    owner: SignedAct


@dataclass(frozen=True)
class SeenBatch:
    """`span` as it was brought. `body` None: by the call that takes none."""

    stream: bytes
    span: Span
    tip: Tip | None
    root: bytes
    body_hash: bytes
    body: bytes | None
    signature: bytes | None


@dataclass(frozen=True)
class AnchoringBatches:
    """`in_batch`: what is refused leaves the others standing. `bodies`: how many came with them."""

    items: tuple[SeenBatch, ...]
    in_batch: bool
    bodies: int


@dataclass(frozen=True)
class GrantingAccess:
    """Without a signer: its owner, whom no event names."""

    stream: bytes
    to: str
    epoch: int
    first_window: int
    last_window: int
    sealed: bytes
    owner: SignedAct


StreamCall = OpeningStream | BeginningEpoch | AnchoringBatches | GrantingAccess
