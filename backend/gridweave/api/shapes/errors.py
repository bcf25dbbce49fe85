"""The one shape of every refusal, and which statuses a route may answer with."""

from __future__ import annotations

from typing import Any

from gridweave.api.shapes.base import LEFT_OUT, Shape

__all__ = ["FINDS", "HISTORY", "IN_SESSION", "MANY", "POSTS", "PROVES", "READS", "SESSIONS", "RefusalOut", "Responses"]

Responses = dict[int | str, dict[str, Any]]


class ErrorOut(Shape):
    """`name` is a contract's custom error or one of the service's; `message` says what to change."""

    name: str
    message: str
    args: dict[str, Any]


class RefusalOut(Shape):
    """Every answer from 400 up."""

    error: ErrorOut
    request_id: str


class RefusedItemsOut(RefusalOut):
    """The same where every item of a request was refused: `error` is the first refusal's."""

    items: list[dict[str, Any]] = LEFT_OUT


_SAID = {
    400: "the request cannot be read as HTTP or as text",
    401: "a device must answer a challenge first, or anew",
    403: "somebody else must sign this, or hold the role for it",
    404: "no such thing (yet)",
    405: "this path does not take this method; see `Allow`",
    408: "the request did not arrive in time",
    409: "not now, or not any more: time, money, state or an earlier act stands against it",
    413: "too many items, or too long a body",
    415: "a body is JSON, without a content encoding",
    422: "the request is malformed or breaks a rule of the contracts",
    429: "too much at once; see `Retry-After`",
    501: "it needs what this service does not have: a package, or a node that proves its state",
    503: "the node or a database is away, or all places are taken; see `Retry-After`",
}
_WAITS = {429, 503}
_RETRY = {"Retry-After": {"description": "seconds", "required": True, "schema": {"type": "integer", "minimum": 1}}}


def _refusals(*statuses: int) -> Responses:
    return {
        status: {"model": RefusalOut, "description": _SAID[status]} | ({"headers": _RETRY} if status in _WAITS else {})
        for status in statuses
    }


READS = _refusals(400, 405, 422, 429, 503)
"""Of any read."""

FINDS = READS | _refusals(404)
"""Of a read of one thing."""

HISTORY = FINDS | _refusals(409, 501)
"""Of the history, whose cursor may have been thrown out and whose Parquet may be missing."""

PROVES = FINDS | _refusals(501)
"""Of what is made of the node's own proofs."""

POSTS = FINDS | _refusals(403, 408, 409, 413, 415)
"""Of whatever is posted."""

SESSIONS = POSTS | _refusals(401)
"""Of what a device posts in a session."""

IN_SESSION = READS | _refusals(401)
"""Of what it asks there."""

MANY = {status: said | {"model": RefusedItemsOut} for status, said in POSTS.items()}
"""Of what may be posted by the hundred."""
