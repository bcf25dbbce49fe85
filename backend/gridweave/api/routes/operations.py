"""`/operations`: how the service is, as a page that renews itself; nothing in it comes from elsewhere."""

from __future__ import annotations

from importlib.resources import files
from typing import Any

from fastapi import APIRouter, Response

from gridweave.api.depends import InRuntime
from gridweave.api.policy import page_headers
from gridweave.api.shapes.errors import READS
from gridweave.api.shapes.operations import OperationsOut
from gridweave.services.overview import overview

__all__ = ["pages", "router"]

router = APIRouter(tags=["health"])
pages = APIRouter(include_in_schema=False)

_HEADERS = page_headers(script="'self'", style="'self'", connect="'self'") | {"Cache-Control": "no-cache"}
_KINDS = {"html": "text/html", "css": "text/css", "js": "text/javascript"}


@router.get("/operations", response_model=OperationsOut, responses=READS)
async def get_operations(runtime: InRuntime) -> dict[str, Any]:
    """How the service is: chain, index, outbox, relayer, keeper, reorganisations, each market's newest price."""
    return await overview(runtime)


@pages.get("/operations")
async def page() -> Response:
    """For people; programs read /v1/operations and /metrics."""
    return _file("html")


@pages.get("/operations.css")
async def style() -> Response:
    """The page's style."""
    return _file("css")


@pages.get("/operations.js")
async def script() -> Response:
    """The page's program."""
    return _file("js")


def _file(suffix: str) -> Response:
    content = files("gridweave.api.pages").joinpath(f"operations.{suffix}").read_bytes()
    return Response(content, media_type=f"{_KINDS[suffix]}; charset=utf-8", headers=_HEADERS)
