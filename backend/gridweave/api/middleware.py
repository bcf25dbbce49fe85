"""Request ids, one JSON log line a request, and the request metrics. Plain ASGI: streams pass through untouched."""

from __future__ import annotations

import itertools
import secrets
import time

import structlog
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from gridweave.api.metrics import Metrics

__all__ = ["RequestLog"]

log = structlog.get_logger(__name__)

_QUIET = frozenset({"/healthz", "/readyz", "/metrics"})
_MOST_ID = 64


class RequestLog:
    """Gives every request an id (a sane `X-Request-Id` is kept) and logs how it ended."""

    def __init__(self, app: ASGIApp, metrics: Metrics) -> None:
        self._app = app
        self._metrics = metrics
        self._ours = secrets.token_hex(4)
        self._count = itertools.count(1)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        request_id = _id_of(scope) or f"{self._ours}{next(self._count):08x}"
        scope.setdefault("state", {})["request_id"] = request_id
        started, status = time.perf_counter(), 500

        async def tell(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                message["headers"] = [*message.get("headers", []), (b"x-request-id", request_id.encode())]
                if _drains(scope):
                    message["headers"].append((b"connection", b"close"))
            await send(message)

        with structlog.contextvars.bound_contextvars(request_id=request_id):
            try:
                await self._app(scope, receive, tell)
            finally:
                self._note(scope, status, time.perf_counter() - started)

    def _note(self, scope: Scope, status: int, seconds: float) -> None:
        self._metrics.observe(scope["method"], getattr(scope.get("route"), "path", None), status, seconds)
        if scope["path"] not in _QUIET:
            log.info("request", method=scope["method"], path=scope["path"], status=status, ms=round(seconds * 1e3, 1))


def _drains(scope: Scope) -> bool:
    """Whether the service is stopping: then each connection ends with its answer, before the door closes on it."""
    runtime = getattr(scope["app"].state, "runtime", None)
    return runtime is not None and runtime.bell.ended


def _id_of(scope: Scope) -> str | None:
    """The one that the request brings, if it is sane."""
    for name, value in scope.get("headers", ()):
        if name == b"x-request-id" and 0 < len(value) <= _MOST_ID and value.decode("latin-1").isascii():
            text = str(value.decode("latin-1"))
            if all(char.isalnum() or char in "-_" for char in text):
                return text
    return None
