"""How many requests an address may make in a second."""

from __future__ import annotations

import time
from collections.abc import Collection

from starlette.types import ASGIApp, Receive, Scope, Send

from gridweave.api.errors import refusal_response
from gridweave.services.errors import RateLimited

__all__ = ["READS", "UNCOUNTED", "WRITES", "RateLimit"]

WRITES = frozenset({"POST", "PUT", "PATCH", "DELETE"})
READS = frozenset({"GET", "HEAD"})
UNCOUNTED = frozenset({"/healthz", "/readyz", "/metrics", "/v1/events"})
"""Reads that no rate limits: who watches over the service, and the stream, which has places of its own."""

_MOST_ADDRESSES = 10_000


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
            await refusal_response(scope, RateLimited(1))(scope, receive, send)
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
