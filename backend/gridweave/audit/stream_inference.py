"""Calls of the TelemetryAnchor that another contract made, found from what they said.

What was refused there leaves no batch to judge.
"""

from __future__ import annotations

from collections.abc import Sequence

from gridweave.audit.signed import SignedAct
from gridweave.audit.stream_calls import (
    AnchoringBatches,
    BeginningEpoch,
    GrantingAccess,
    OpeningStream,
    SeenBatch,
    StreamCall,
)
from gridweave.chain import events as chain
from gridweave.chain.events import Event
from gridweave.domain.anchors import Span, StreamMode

__all__ = ["infer_stream_calls"]

_TOLD = (chain.StreamOpened, chain.EpochBegun, chain.BatchAnchored, chain.BodyAnchored, chain.AccessGranted)


def infer_stream_calls(events: Sequence[Event]) -> dict[int, StreamCall]:
    """Each call by `id` of the first event that it left. Events that no call can have left are left out."""
    told = [event for event in events if isinstance(event, _TOLD)]
    calls: dict[int, StreamCall] = {}
    taken: set[int] = set()
    for at, event in enumerate(told):
        following = told[at + 1] if at + 1 < len(told) else None
        call = None if id(event) in taken else _call(event, following)
        if call is not None:
            calls[id(event)] = call
        if following is not None and _belongs(event, following):
            taken.add(id(following))
    return calls


def _belongs(event: Event, following: Event) -> bool:
    """Whether the following event is of the same call."""
    match event, following:
        case chain.StreamOpened(), chain.EpochBegun():
            return event.stream == following.stream
        case chain.BatchAnchored(), chain.BodyAnchored():
            return event.stream == following.stream
        case _:
            return False


def _call(event: Event, following: Event | None) -> StreamCall | None:
    match event:
        case chain.StreamOpened(device=device, schema_hash=schema_hash, mode=mode):
            owner = following.owner if isinstance(following, chain.EpochBegun) else ""
            known = mode in set(StreamMode)
            return OpeningStream(device, schema_hash, StreamMode(mode), _unseen(owner)) if known else None
        case chain.EpochBegun(stream=stream, owner=owner, epoch=epoch):
            return BeginningEpoch(stream, epoch, None, _unseen(owner))
        case chain.BatchAnchored():
            body = following.body if isinstance(following, chain.BodyAnchored) and _belongs(event, following) else b""
            span = Span.unpack(event.span.to_bytes(32, "big"))
            batch = SeenBatch(event.stream, span, None, event.root, event.body_hash, body, None)
            return AnchoringBatches((batch,), in_batch=False, bodies=1)
        case chain.AccessGranted(stream=stream, to=to, epoch=epoch):
            windows = event.first_window, event.last_window
            return GrantingAccess(stream, to, epoch, *windows, event.sealed_, _unseen(""))
    return None


def _unseen(signer: str) -> SignedAct:
    return SignedAct(signer, 0, 0, None)
