"""`/operations`: how the service is, as a page that renews itself; nothing in it comes from elsewhere."""

from __future__ import annotations

from importlib.resources import files
from typing import Any

from fastapi import APIRouter, Response

from gridweave.api.depends import InRuntime
from gridweave.api.shapes.errors import READS
from gridweave.api.shapes.operations import OperationsOut
from gridweave.services.overview import overview

__all__ = ["pages", "router"]

router = APIRouter(tags=["health"])
pages = APIRouter(include_in_schema=False)

_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
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
    headers = {"Content-Security-Policy": _POLICY, "X-Content-Type-Options": "nosniff", "Cache-Control": "no-cache"}
    return Response(content, media_type=f"{_KINDS[suffix]}; charset=utf-8", headers=headers)
