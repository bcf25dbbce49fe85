"""Every failure as a problem of the specification: {title, status, detail}."""

from __future__ import annotations

import json
from http import HTTPStatus
from typing import Any

import structlog
from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import Response
from starlette.exceptions import HTTPException

from gridweave.services.errors import ServiceError
from gridweave.services.vtn.clients import ClientsUnreadable
from gridweave.services.vtn.errors import TokenRefused
from gridweave.store.errors import StoreBusy, StoreUnavailable

__all__ = ["install_problems", "problem"]

log = structlog.get_logger(__name__)

_AWAY = (StoreUnavailable, StoreBusy, ClientsUnreadable)
_MOST_PROBLEMS = 5
_CHALLENGE = {401: {"WWW-Authenticate": 'Bearer realm="vtn"'}}


def problem(status: int, detail: str, headers: dict[str, str] | None = None) -> Response:
    """A refusal as an answer."""
    body = {"title": HTTPStatus(status).phrase, "status": status, "detail": detail}
    return _answer(status, body, (headers or {}) | _CHALLENGE.get(status, {}))


def install_problems(app: FastAPI) -> None:
    """Makes every failure of the VTN answer so; the token endpoint's refusals follow RFC 6749."""

    @app.exception_handler(RequestValidationError)
    async def _invalid(_: Request, error: RequestValidationError) -> Response:
        found = [f"{'.'.join(str(at)[:60] for at in e['loc'])}: {e['msg']}" for e in error.errors()[:_MOST_PROBLEMS]]
        return problem(400, "; ".join(found))

    @app.exception_handler(HTTPException)
    async def _http(_: Request, error: HTTPException) -> Response:
        return problem(error.status_code, str(error.detail), dict(error.headers or {}))

    @app.exception_handler(TokenRefused)
    async def _no_token(_: Request, error: TokenRefused) -> Response:
        headers = {401: {"WWW-Authenticate": 'Basic realm="vtn"'}}.get(error.status, {})
        return _answer(error.status, {"error": error.name, "error_description": error.message}, headers)

    @app.exception_handler(ServiceError)
    async def _refused(_: Request, error: ServiceError) -> Response:
        return problem(error.status, error.message)

    @app.exception_handler(Exception)
    async def _any(_: Request, error: Exception) -> Response:
        if isinstance(error, _AWAY):
            return problem(503, "the database does not answer; send the same request again", {"Retry-After": "2"})
        log.error("fault", exc_info=error)
        return problem(500, "a fault of ours; the log names this request")

    for kind in _AWAY:
        app.add_exception_handler(kind, _any)


def _answer(status: int, body: Any, headers: dict[str, str]) -> Response:
    """Escaped, since it may repeat half a surrogate pair that was sent to us."""
    return Response(json.dumps(body), status, headers, "application/json")
