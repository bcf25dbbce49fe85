"""Limits that hold before a request is read: body size, and requests per address and second."""

from __future__ import annotations

import time
from collections.abc import Collection

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from gridweave.api.errors import error_response
from gridweave.services.errors import RateLimited, ServiceError

__all__ = ["READS", "UNCOUNTED", "WRITES", "BodyLimit", "RateLimit"]

WRITES = frozenset({"POST"})
READS = frozenset({"GET", "HEAD"})
UNCOUNTED = frozenset({"/healthz", "/readyz", "/metrics", "/v1/events"})
"""Reads that no rate limits: who watches over the service, and the stream, which has places of its own."""

_MOST_ADDRESSES = 10_000


class BodyTooLarge(ServiceError):
    """The body exceeds the limit."""

    status = 413

    def __init__(self, limit: int) -> None:
        super().__init__("BodyTooLarge", f"send at most {limit} bytes; split the batch", {"limit": limit})


class BodyLimit:
    """Refuses a body over `limit` bytes, by its announced length or while it comes in."""

    def __init__(self, app: ASGIApp, limit: int) -> None:
        self._app = app
        self._limit = limit

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["method"] in ("GET", "HEAD", "OPTIONS"):
            await self._app(scope, receive, send)
            return
        announced = next((value for name, value in scope["headers"] if name == b"content-length"), b"0")
        body = None if announced.isdigit() and int(announced) > self._limit else await self._read(receive)
        if body is None:
            await error_response(_request_id(scope), BodyTooLarge(self._limit))(scope, receive, send)
            return
        pending: list[Message] = [{"type": "http.request", "body": body, "more_body": False}]

        async def replay() -> Message:
            return pending.pop() if pending else await receive()

        await self._app(scope, replay, send)

    async def _read(self, receive: Receive) -> bytes | None:
        """The whole body, None once it is too large."""
        parts: list[bytes] = []
        size = 0
        while True:
            message = await receive()
            part = message.get("body", b"")
            parts.append(part)
            size += len(part)
            if size > self._limit:
                return None
            if message["type"] != "http.request" or not message.get("more_body", False):
                return b"".join(parts)


class RateLimit:
    """A token bucket per client address for requests with these `methods`, save to paths `free`; wall-clock time."""

    def __init__(
        self, app: ASGIApp, per_second: int, methods: Collection[str], free: Collection[str] = frozenset()
    ) -> None:
        self._app = app
        self._rate = per_second
        self._methods = methods
        self._free = free
        self._buckets: dict[str, tuple[float, float]] = {}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if self._counts(scope) and not self._take(_address(scope)):
            await error_response(_request_id(scope), RateLimited(1))(scope, receive, send)
            return
        await self._app(scope, receive, send)

    def _counts(self, scope: Scope) -> bool:
        return scope["type"] == "http" and scope["method"] in self._methods and scope["path"] not in self._free

    def _take(self, address: str) -> bool:
        now = time.monotonic()
        tokens, since = self._buckets.pop(address, (float(self._rate), now))
        tokens = min(float(self._rate), tokens + (now - since) * self._rate)
        self._buckets[address] = (max(0.0, tokens - 1), now)
        if len(self._buckets) > _MOST_ADDRESSES:
            self._buckets.pop(next(iter(self._buckets)))
        return tokens >= 1


def _address(scope: Scope) -> str:
    client = scope.get("client")
    return str(client[0]) if client else ""


def _request_id(scope: Scope) -> str:
    return str(scope.get("state", {}).get("request_id", ""))
