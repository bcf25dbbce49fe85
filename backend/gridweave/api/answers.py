"""Answers to signed requests: 202 for what is acknowledged, 207 for a mixed batch, else the refusal's status."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import orjson
from fastapi import Request
from fastapi.responses import JSONResponse

from gridweave.api.errors import error_response
from gridweave.services.errors import ServiceError
from gridweave.services.intake import Answer
from gridweave.services.world import World
from gridweave.store.reading import Page, Row

__all__ = ["TooManyItems", "many", "one", "page", "place_of"]


class TooManyItems(ServiceError):
    """More items than one request may carry."""

    status = 413

    def __init__(self, items: int, most: int) -> None:
        super().__init__("TooManyItems", f"send at most {most} items in one request", {"items": items, "most": most})


class _Plain(JSONResponse):
    """Of texts and numbers below 2**63 alone, which is quick to write."""

    def render(self, content: Any) -> bytes:
        return orjson.dumps(content)


def many(request: Request, answers: Sequence[Answer]) -> JSONResponse:
    """{"items": [...]} in the order of the request. If every item was refused, the first refusal is the answer's."""
    items = [answer.body for answer in answers]
    refusals = [answer.error for answer in answers if answer.error is not None]
    if len(refusals) == len(answers):
        return error_response(request.state.request_id, refusals[0], {"items": items})
    if refusals:
        return JSONResponse({"items": items}, status_code=207)
    return _Plain({"items": items}, status_code=202)


def one(request: Request, answer: Answer) -> JSONResponse:
    """{id, status, commitBefore, acknowledgement, sponsor}."""
    if answer.error is not None:
        return error_response(request.state.request_id, answer.error)
    return JSONResponse(answer.body, status_code=202)


def page(world: World, found: Page, show: Callable[[Row], dict[str, Any]]) -> dict[str, Any]:
    """{"items": [...], "nextCursor"}: rows and where they stand; null at the end."""
    return {"items": [show(row) | place_of(world, row) for row in found.rows], "nextCursor": found.next_cursor}


def place_of(world: World, row: Row) -> dict[str, Any]:
    """{transaction, block, final} of a row."""
    block = row["block_number"]
    return {"transaction": row["tx_hash"], "block": block, "final": world.heads.is_final(block)}
