"""Every exception becomes `{"error": {name, message, args}, "requestId"}` with the status that fits it."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from functools import cache
from http import HTTPStatus
from typing import Any

import structlog
from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from starlette.exceptions import HTTPException
from starlette.types import Scope

from gridweave.chain.errors import ChainError, Reverted
from gridweave.domain.errors import DomainError
from gridweave.services.errors import Refused, RequestInvalid, ServiceError, Unavailable
from gridweave.services.intake import refusal
from gridweave.store.errors import StoreBusy, StoreUnavailable
from gridweave.store.reading import CursorInvalid

__all__ = ["error_response", "install_error_handlers", "refusal_response", "request_id_of", "service_error"]

log = structlog.get_logger(__name__)

PROBLEMS = "/openadr3/"
_MOST_PROBLEMS, _MOST_NAME = 10, 60
_NAMES = {400: "BodyUnreadable", 404: "NoSuchRoute", 405: "MethodNotAllowed"}
_MESSAGES = {400: "the body is no JSON that can be read: UTF-8, not nested deeply, numbers in their ranges"}


def service_error(error: Exception) -> ServiceError:
    """The refusal behind any exception; what nobody foresaw is a 500, which is a bug."""
    match error:
        case ServiceError():
            return error
        case DomainError():
            return refusal(error)
        case Reverted():
            return Refused(error.name or "TransactionReverted", error.arguments)
        case ChainError():
            return Unavailable("the node")
        case StoreUnavailable():
            return Unavailable("the database")
        case StoreBusy():
            return Unavailable("the outbox, which another service took over,")
        case CursorInvalid():
            return RequestInvalid("CursorInvalid", "use a cursor as a page gave it", {"cursor": str(error)[:60]})
        case _:
            return ServiceError("InternalError", "a fault of ours; the log names this request")


def error_response(request_id: str, error: ServiceError, extra: Mapping[str, Any] | None = None) -> JSONResponse:
    """The refusal as an answer."""
    headers = {"Retry-After": str(error.retry_after)} if error.retry_after else None
    body = {"error": error.body, "requestId": request_id} | dict(extra or {})
    return _Escaped(body, status_code=error.status, headers=headers)


def refusal_response(scope: Scope, error: ServiceError) -> JSONResponse:
    """The same from outside of the routes: under PROBLEMS as a problem (RFC 9457), as whoever asks there knows it."""
    if not scope["path"].startswith(PROBLEMS):
        return error_response(request_id_of(scope), error)
    headers = {"Retry-After": str(error.retry_after)} if error.retry_after else None
    body = {"title": HTTPStatus(error.status).phrase, "status": error.status, "detail": error.message}
    return _Escaped(body, status_code=error.status, headers=headers)


def request_id_of(scope: Scope) -> str:
    """The request's id, empty before it has one."""
    return str(scope.get("state", {}).get("request_id", ""))


def install_error_handlers(app: FastAPI) -> None:
    """Makes every failure of the application answer in one shape."""

    @app.exception_handler(RequestValidationError)
    async def _invalid(request: Request, error: RequestValidationError) -> JSONResponse:
        problems = [_problem(found) for found in error.errors()[:_MOST_PROBLEMS]]
        first = problems[0] if problems else {"at": "body", "problem": "unreadable"}
        message = f"{first['at']}: {first['problem']}"
        return _answer(request, RequestInvalid("RequestInvalid", message, {"problems": problems}))

    @app.exception_handler(HTTPException)
    async def _http(request: Request, error: HTTPException) -> JSONResponse:
        name = _NAMES.get(error.status_code, f"Http{error.status_code}")
        message = _MESSAGES.get(error.status_code, str(error.detail))
        refused = ServiceError(name, message, {"path": request.scope["path"]})
        refused.status = error.status_code
        answer = _answer(request, refused)
        if error.status_code == 405:
            answer.headers["Allow"] = _allowed(app, request.scope["path"]) or (error.headers or {}).get("Allow", "GET")
        return answer

    @app.exception_handler(Exception)
    async def _any(request: Request, error: Exception) -> JSONResponse:
        refused = service_error(error)
        if refused.status == 500:
            log.error("fault", name=refused.name, exc_info=error)
        return _answer(request, refused)

    for kind in (ServiceError, DomainError, ChainError, StoreUnavailable, StoreBusy, CursorInvalid):
        app.add_exception_handler(kind, _any)


def _allowed(app: FastAPI, path: str) -> str:
    """The methods that the path takes, of all routes that it matches; empty if the document does not name it."""
    items = [item for template, item in app.openapi()["paths"].items() if _pattern(template).fullmatch(path)]
    return ", ".join(sorted({method.upper() for item in items for method in item}))


@cache
def _pattern(template: str) -> re.Pattern[str]:
    return re.compile(re.sub(r"\\{[a-z_]+\\}", "[^/]+", re.escape(template)))


def _answer(request: Request, error: ServiceError) -> JSONResponse:
    return error_response(request_id_of(request.scope), error)


def _problem(found: Mapping[str, Any]) -> dict[str, Any]:
    at = ".".join(str(part)[:_MOST_NAME] for part in found.get("loc", ()))
    return {"at": at, "problem": str(found.get("msg", "")).removeprefix("Value error, ")}


class _Escaped(JSONResponse):
    """JSON that repeats what was sent to us: half a surrogate pair, which is no text, is shown as its escape."""

    def render(self, content: Any) -> bytes:
        return json.dumps(content, separators=(",", ":")).encode()
