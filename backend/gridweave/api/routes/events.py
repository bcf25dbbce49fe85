"""Live updates by server-sent events."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from typing import Annotated

from fastapi import APIRouter, Header
from sse_starlette import EventSourceResponse, ServerSentEvent
from starlette.types import Receive, Scope, Send

from gridweave.api.depends import InRuntime
from gridweave.api.shapes.errors import READS
from gridweave.services.places import Places
from gridweave.services.stream import check_id, follow

__all__ = ["router"]

router = APIRouter(tags=["events"])

_PING_S = 15
_STREAM = {200: {"content": {"text/event-stream": {"schema": {"type": "string"}}}}} | READS


class _Counted(EventSourceResponse):
    """A stream that gives its place back however it ends."""

    def __init__(self, places: Places, content: AsyncIterator[ServerSentEvent]) -> None:
        super().__init__(content, ping=_PING_S)
        self._places = places

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            await super().__call__(scope, receive, send)
        finally:
            self._places.leave()


@router.get("/events", response_class=EventSourceResponse, responses=_STREAM)
async def get_events(
    runtime: InRuntime, last_event_id: Annotated[str | None, Header(max_length=60)] = None
) -> EventSourceResponse:
    """order, cleared, settled, block and reorg, from now on or behind `Last-Event-ID`."""
    check_id(last_event_id)
    runtime.readers.enter()

    async def events() -> AsyncIterator[ServerSentEvent]:
        async for event in follow(runtime.world, runtime.bell, last_event_id):
            yield ServerSentEvent(data=json.dumps(event.data), event=event.kind, id=event.id)

    return _Counted(runtime.readers, events())
