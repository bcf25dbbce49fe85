"""Whether the service lives, whether it can serve, and its figures."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter, Response
from fastapi.responses import PlainTextResponse

from gridweave.api.depends import InMetrics, InRuntime
from gridweave.api.shapes.errors import READS
from gridweave.api.shapes.operations import AliveOut, ReadyOut
from gridweave.services.errors import Unavailable
from gridweave.services.vitals import vitals

__all__ = ["router"]

router = APIRouter(tags=["health"])


@router.get("/healthz", response_model=AliveOut, responses=READS)
async def healthz() -> dict[str, str]:
    """The process lives."""
    return {"status": "ok"}


@router.get("/readyz", response_model=ReadyOut, responses=READS)
async def readyz(runtime: InRuntime) -> dict[str, Any]:
    """Node, databases and background tasks work; 503 otherwise."""
    reason = runtime.not_ready()
    if reason is not None:
        raise Unavailable(reason)
    await runtime.stores.outbox.ping()
    await runtime.stores.index.ping()
    found = await vitals(runtime)
    return {"status": "ready", "blockNumber": found.indexed_block, "warnings": found.warnings}


@router.get("/metrics", response_class=PlainTextResponse, responses=READS)
async def metrics(runtime: InRuntime, found: InMetrics) -> Response:
    """Prometheus text."""
    return Response(await found.render(runtime), media_type="text/plain; version=0.0.4; charset=utf-8")
