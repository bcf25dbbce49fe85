"""What of a request is taken before it is read: plain JSON, not too long, in time, of a length that is said once."""

from __future__ import annotations

import asyncio
from collections.abc import Collection, Iterable

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from gridweave.api.errors import refusal_response
from gridweave.services.errors import ServiceError

__all__ = ["BodyLimit"]

_MOST_DIGITS = 18
_WITHOUT_BODY = frozenset({"GET", "HEAD", "OPTIONS"})


class BodyTooLarge(ServiceError):
    """The body exceeds the limit."""

    status = 413

    def __init__(self, limit: int) -> None:
        super().__init__("BodyTooLarge", f"send at most {limit} bytes; split the batch", {"limit": limit})


class BodyUnreadable(ServiceError):
    """The body is text, but not UTF-8, or says so in a mark of its own: JSON has one encoding."""

    status = 400

    def __init__(self) -> None:
        super().__init__("BodyUnreadable", "send JSON in UTF-8, without a byte order mark")


class LengthAmbiguous(ServiceError):
    """The body's length is said twice, or by a coding beside chunks; a proxy before us may read it otherwise, and take
    what follows for another's."""

    status = 400

    def __init__(self) -> None:
        super().__init__("LengthAmbiguous", "say Content-Length or Transfer-Encoding: chunked, not both")


class TooManyFields(ServiceError):
    """The body names more fields than the largest batch has; each one unknown would be looked at and complained of."""

    status = 413

    def __init__(self, most: int) -> None:
        super().__init__("TooManyFields", f"send at most {most} fields in one request", {"most": most})


class BodyLate(ServiceError):
    """The body has not arrived in its time."""

    status = 408

    def __init__(self, seconds: float) -> None:
        super().__init__("BodyLate", f"send the whole body within {seconds:g} s", {"seconds": seconds})


class BodyNotTaken(ServiceError):
    """The body is compressed, or not said to be JSON."""

    status = 415

    def __init__(self, header: str, value: str) -> None:
        message = "send JSON as it is: Content-Type: application/json, no Content-Encoding"
        super().__init__("BodyNotTaken", message, {"header": header, "value": value[:60]})


class BodyLimit:
    """Takes plain JSON of at most `limit` bytes and `fields` fields that arrives within `within_s` seconds.

    At the paths `forms` a form is taken as well.

    What is longer is refused by its announced length or while it comes in; what is refused is not kept.
    """

    def __init__(
        self, app: ASGIApp, limit: int, fields: int, within_s: float, forms: Collection[str] = frozenset()
    ) -> None:
        self._app = app
        self._limit = limit
        self._fields = fields
        self._within_s = within_s
        self._forms = forms

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        try:
            taken = await self._taken(scope, receive)
        except ServiceError as refusal:
            answer = refusal_response(scope, refusal)
            if isinstance(refusal, LengthAmbiguous):
                answer.headers["Connection"] = "close"
            await answer(scope, receive, send)
            return
        await self._app(scope, taken, send)

    async def _taken(self, scope: Scope, receive: Receive) -> Receive:
        """What the application reads the body from. Raises ServiceError."""
        _check_length(scope["headers"])
        if scope["method"] in _WITHOUT_BODY:
            return receive
        is_said = self._check(scope["headers"], forms=scope["path"] in self._forms)
        try:
            async with asyncio.timeout(self._within_s):
                body = await self._read(receive)
        except TimeoutError as late:
            raise BodyLate(self._within_s) from late
        if body and not is_said:
            raise BodyNotTaken("Content-Type", "")
        self._check_text(body)
        pending: list[Message] = [{"type": "http.request", "body": body, "more_body": False}]

        async def replay() -> Message:
            return pending.pop() if pending else await receive()

        return replay

    def _check(self, headers: Iterable[tuple[bytes, bytes]], *, forms: bool) -> bool:
        """Whether the body is said to be JSON (or a form); if nothing is said, there had better be none.

        Raises BodyTooLarge, BodyNotTaken.
        """
        said = False
        for name, value in headers:
            if name == b"content-length" and value.isdigit() and _longer(value, self._limit):
                raise BodyTooLarge(self._limit)
            if name == b"content-encoding" and value.strip().lower() not in (b"", b"identity"):
                raise BodyNotTaken("Content-Encoding", value.decode("latin-1"))
            if name == b"content-type":
                said = _is_json(value) or (forms and _is_form(value))
                if not said:
                    raise BodyNotTaken("Content-Type", value.decode("latin-1"))
        return said

    def _check_text(self, body: bytes) -> None:
        """Raises TooManyFields, BodyUnreadable."""
        if body.count(b":") > self._fields:
            raise TooManyFields(self._fields)
        if body[:1] > b"\x7f" or b"\0" in body[:4] or not _is_utf8(body):
            raise BodyUnreadable

    async def _read(self, receive: Receive) -> bytes:
        """The whole body. Raises BodyTooLarge."""
        parts: list[bytes] = []
        size = 0
        while True:
            message = await receive()
            part = message.get("body", b"")
            parts.append(part)
            size += len(part)
            if size > self._limit:
                raise BodyTooLarge(self._limit)
            if message["type"] != "http.request" or not message.get("more_body", False):
                return b"".join(parts)


def _check_length(headers: Iterable[tuple[bytes, bytes]]) -> None:
    """Raises LengthAmbiguous."""
    said = [(name, value) for name, value in headers if name in (b"content-length", b"transfer-encoding")]
    if len(said) > 1 or any(name == b"transfer-encoding" and value.lower() != b"chunked" for name, value in said):
        raise LengthAmbiguous


def _is_utf8(body: bytes) -> bool:
    try:
        body.decode()
    except UnicodeDecodeError:
        return False
    return True


def _longer(digits: bytes, limit: int) -> bool:
    return len(digits) > _MOST_DIGITS or int(digits) > limit


def _is_json(value: bytes) -> bool:
    kind = value.split(b";")[0].strip().lower()
    return kind == b"application/json" or (kind.startswith(b"application/") and kind.endswith(b"+json"))


def _is_form(value: bytes) -> bool:
    return value.split(b";")[0].strip().lower() == b"application/x-www-form-urlencoded"
