"""Request ids, one JSON log line a request, and the request metrics. Plain ASGI: streams pass through untouched."""

from __future__ import annotations

import secrets
import time

import structlog
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from gridweave.api.metrics import Metrics

__all__ = ["RequestLog"]

log = structlog.get_logger(__name__)

_QUIET = frozenset({"/healthz", "/readyz", "/metrics"})
_MOST_ID = 64
_METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})


class RequestLog:
    """Gives every request an id (a sane `X-Request-Id` is kept) and logs how it ended."""

    def __init__(self, app: ASGIApp, metrics: Metrics) -> None:
        self._app = app
        self._metrics = metrics

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        request_id = _id_of(scope)
        scope.setdefault("state", {})["request_id"] = request_id
        started, status = time.perf_counter(), 500

        async def tell(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                message["headers"] = [*message.get("headers", []), (b"x-request-id", request_id.encode())]
            await send(message)

        with structlog.contextvars.bound_contextvars(request_id=request_id):
            try:
                await self._app(scope, receive, tell)
            finally:
                self._note(scope, status, time.perf_counter() - started)

    def _note(self, scope: Scope, status: int, seconds: float) -> None:
        route = getattr(scope.get("route"), "path", "unknown")
        method = (
            scope["method"] if scope["method"] in _METHODS else "other"
        )  # else whoever makes up words fills the memory
        self._metrics.requests.labels(method, route, str(status)).inc()
        self._metrics.seconds.labels(method, route).observe(seconds)
        if scope["path"] not in _QUIET:
            log.info("request", method=scope["method"], path=scope["path"], status=status, ms=round(seconds * 1e3, 1))


def _id_of(scope: Scope) -> str:
    for name, value in scope.get("headers", ()):
        if name == b"x-request-id" and 0 < len(value) <= _MOST_ID and value.decode("latin-1").isascii():
            text = str(value.decode("latin-1"))
            if all(char.isalnum() or char in "-_" for char in text):
                return text
    return secrets.token_hex(8)
