"""HTTP to the service: one connection pool, retries where the service asks for patience, errors by name.

Every request of the API may be repeated: a signed act has one effect however often it is sent.
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterator, Mapping
from types import TracebackType
from typing import Any

import httpx

from gridweave.client.errors import ServiceError, ServiceUnavailable, UrlUnusable

__all__ = ["Transport"]

_PATIENT = frozenset({429, 503})
_LONGEST_PAUSE_S = 30.0
_BEYOND_ANY_BODY = object()
_SCHEME = re.compile("^[a-z]*:/+")


class Transport:
    """Sends JSON, returns JSON.

    `attempts` counts the first one; `sleep` takes seconds. A given `http` client is used as it is and closed with this.
    Raises UrlUnusable.
    """

    def __init__(
        self,
        base_url: str,
        *,
        http: httpx.Client | None = None,
        attempts: int = 6,
        timeout_s: float = 30.0,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self.base_url = _checked(base_url).rstrip("/")
        self._http = http or httpx.Client(timeout=timeout_s)
        self._attempts = attempts
        self._sleep = sleep

    def __enter__(self) -> Transport:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        self._http.close()

    def get(self, path: str, **params: Any) -> Any:
        """The body at `path`; parameters that are None are left out. Raises ServiceError, ServiceUnavailable."""
        return self._json(self._patiently("GET", path, params=_wanted(params)))

    def post(self, path: str, body: Mapping[str, Any]) -> Any:
        """The answer to `body`. Raises ServiceError, ServiceUnavailable."""
        return self._json(self._patiently("POST", path, json=dict(body)))

    def lines(self, path: str, *, headers: Mapping[str, str]) -> Iterator[str]:
        """Lines of a stream that the service keeps open. Raises ServiceError, ServiceUnavailable."""
        try:
            with self._http.stream("GET", self.base_url + path, headers=dict(headers), timeout=None) as response:
                if response.status_code >= 400:
                    response.read()
                    raise _refusal(response)
                yield from response.iter_lines()
        except httpx.TransportError as fault:
            raise ServiceUnavailable(self.base_url, str(fault) or type(fault).__name__) from fault

    def stream(self, path: str, **params: Any) -> Iterator[bytes]:
        """A long body in parts. Raises ServiceError, and ServiceUnavailable also when it breaks off."""
        try:
            with self._http.stream("GET", self.base_url + path, params=_wanted(params)) as response:
                if response.status_code >= 400:
                    response.read()
                    raise _refusal(response)
                yield from response.iter_bytes()
        except httpx.TransportError as fault:
            raise ServiceUnavailable(self.base_url, str(fault) or type(fault).__name__) from fault

    def _patiently(self, method: str, path: str, **content: Any) -> httpx.Response:
        for attempt in range(1, self._attempts + 1):
            last = attempt == self._attempts
            try:
                response = self._http.request(method, self.base_url + path, **content)
            except httpx.TransportError as fault:
                if last:
                    raise ServiceUnavailable(self.base_url, str(fault) or type(fault).__name__) from fault
                self._sleep(_pause(attempt, None))
                continue
            if response.status_code not in _PATIENT or last:
                return response
            self._sleep(_pause(attempt, response.headers.get("Retry-After")))
        raise AssertionError("attempts is at least one")

    def _json(self, response: httpx.Response) -> Any:
        body = _body(response)
        if response.status_code == 503:
            raise ServiceUnavailable(self.base_url, _refusal(response).message or "503", answered=True)
        if response.status_code >= 400 and not (isinstance(body, dict) and "items" in body):
            raise _refusal(response)
        if body is _BEYOND_ANY_BODY:
            raise ServiceError(
                "AnswerNotUnderstood",
                "the answer is not JSON; is this a Gridweave service?",
                status=response.status_code,
            )
        return body


def _checked(url: str) -> str:
    """The address of a service, as it is. Raises UrlUnusable."""
    if _is_address(url):
        return url
    meant = f"http://{_SCHEME.sub('', url).strip('/ ')}"
    likely = meant if _is_address(meant) else "http://HOST:PORT"
    raise UrlUnusable(f"{url!r} is no address of a service: write {likely}, or the same with https")


def _is_address(url: str) -> bool:
    try:
        parsed = httpx.URL(url)
    except httpx.InvalidURL:
        return False
    return parsed.scheme in ("http", "https") and bool(parsed.host)


def _wanted(params: Mapping[str, Any]) -> dict[str, Any]:
    return {name.rstrip("_"): value for name, value in params.items() if value is not None}


def _pause(attempt: int, retry_after: str | None) -> float:
    """Seconds before the next attempt: what the service says, else 0.1 s doubled each time."""
    asked = (
        float(retry_after) if retry_after and retry_after.replace(".", "", 1).isdigit() else 0.1 * 2 ** (attempt - 1)
    )
    return min(asked, _LONGEST_PAUSE_S)


def _body(response: httpx.Response) -> Any:
    try:
        return response.json()
    except ValueError:
        return _BEYOND_ANY_BODY


def _refusal(response: httpx.Response) -> ServiceError:
    body = _body(response)
    error = body.get("error") if isinstance(body, dict) else None
    if not isinstance(error, dict):
        here = response.url.copy_with(path="/", query=None)
        said = f"no Gridweave service answers at {here} (HTTP {response.status_code}); name one with --url"
        return ServiceError("NoService", said, status=response.status_code)
    return ServiceError(
        str(error.get("name", "Unnamed")),
        str(error.get("message", "")),
        error.get("args") or {},
        status=response.status_code,
        request_id=body.get("requestId"),
    )
