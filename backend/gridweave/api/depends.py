"""What routes ask for. All are coroutines: a plain function would wait for a thread in every request."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import Depends, Path, Query, Request

from gridweave.api.fields import Address, Digest, Id
from gridweave.api.metrics import Metrics
from gridweave.services.errors import SessionInvalid, Unavailable
from gridweave.services.runtime import Runtime
from gridweave.services.sessions import Session
from gridweave.services.world import World
from gridweave.store.reading import MOST_ROWS

__all__ = [
    "FROM",
    "AddressPath",
    "CursorQuery",
    "DigestPath",
    "InMetrics",
    "InRuntime",
    "InSession",
    "InWorld",
    "LimitQuery",
    "MarketPath",
    "MeterPath",
    "SlotPath",
    "world_of",
]


async def _runtime(request: Request) -> Runtime:
    return _running(request)


def world_of(request: Request) -> World:
    """Nothing is promised once a background task has ended: nobody would keep the promise. Raises Unavailable."""
    runtime = _running(request)
    if request.method == "POST" and runtime.has_stopped:
        raise Unavailable("the relayer")
    return runtime.world


async def _world(request: Request) -> World:
    return world_of(request)


async def _session(request: Request) -> Session:
    """The device's that is named by `Authorization: Bearer <token>`. Raises SessionInvalid."""
    scheme, _, token = request.headers.get("authorization", "").partition(" ")
    if scheme.lower() != "bearer" or not token:
        raise SessionInvalid
    return await world_of(request).sessions.check(token.strip())


async def _metrics(request: Request) -> Metrics:
    metrics: Metrics = request.app.state.metrics
    return metrics


def _running(request: Request) -> Runtime:
    runtime: Runtime = request.app.state.runtime
    return runtime


InRuntime = Annotated[Runtime, Depends(_runtime)]
InWorld = Annotated[World, Depends(_world)]
InSession = Annotated[Session, Depends(_session)]
InMetrics = Annotated[Metrics, Depends(_metrics)]
AddressPath = Annotated[Address, Path()]
DigestPath = Annotated[Digest, Path()]
MarketPath = Annotated[Id, Path()]
MeterPath = Annotated[Id, Path()]
SlotPath = Annotated[Id, Path()]
FROM: Any = Query(alias="from")
CursorQuery = Annotated[str | None, Query(max_length=60)]
LimitQuery = Annotated[int, Query(ge=1, le=MOST_ROWS)]
