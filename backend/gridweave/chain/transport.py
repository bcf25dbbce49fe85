"""JSON-RPC over HTTP: one connection pool, single requests and batches, every failure with its name."""

from __future__ import annotations

import itertools
import os
from collections.abc import Awaitable, Callable, Sequence
from typing import Any
from urllib.parse import urlsplit

import aiohttp
import orjson

from gridweave.chain.errors import AnswerTooLarge, ChainError, NodeError, NodeUnavailable, node_error
from gridweave.timing import Timing

__all__ = ["MOST_ANSWER_BYTES", "Post", "Request", "Transport"]

Request = tuple[str, list[Any]]
"""Method and parameters."""

Post = Callable[[bytes], Awaitable[tuple[int, bytes]]]
"""Sends JSON; the answer's HTTP status and body. OSError, TimeoutError or aiohttp.ClientError if there is none."""

BATCH_ITEMS = 100
BATCH_BYTES = 1_500_000  # nodes close the door at 2 MB or more
MOST_ANSWER_BYTES = 512 << 20
"""Of one answer, unpacked: many times what an honest node says to the largest question that is asked here."""
_OVERLOADED = frozenset({408, 429, 500, 502, 503, 504})
_MOST_CONNECTIONS = 32
_CONNECTS_WITHIN_S = 5.0


class _Http:
    """A pool of connections, made with the first request, in its event loop. `timeout`: seconds without a byte.

    `most`: bytes of an answer that are read.
    """

    def __init__(self, url: str, timeout: float, most: int) -> None:
        self._url, self._most = url, most
        self._timeout = aiohttp.ClientTimeout(sock_connect=min(timeout, _CONNECTS_WITHIN_S), sock_read=timeout)
        self._session: aiohttp.ClientSession | None = None

    async def post(self, content: bytes) -> tuple[int, bytes]:
        if self._session is None:
            self._session = aiohttp.ClientSession(
                connector=aiohttp.TCPConnector(limit=_MOST_CONNECTIONS),
                headers={"Content-Type": "application/json"},
                timeout=self._timeout,
            )
        async with self._session.post(self._url, data=content, allow_redirects=False) as response:
            return response.status, await self._read(response)

    async def _read(self, response: aiohttp.ClientResponse) -> bytes:
        """The whole answer. AnswerTooLarge as soon as it is; what is left of it is not waited for."""
        parts, length = [], 0
        async for part in response.content.iter_any():
            length += len(part)
            if length > self._most:
                raise AnswerTooLarge(self._most)
            parts.append(part)
        return b"".join(parts)

    async def close(self) -> None:
        if self._session is not None:
            await self._session.close()


class Transport:
    """Speaks JSON-RPC to one URL. Keeps connections open; close it with `aclose`. `post` replaces the network.

    `most`: bytes of an answer that are read. Raises NodeUnavailable if the URL is none.
    """

    def __init__(
        self, url: str, *, timeout: float = 10.0, post: Post | None = None, most: int = MOST_ANSWER_BYTES
    ) -> None:
        self.place = _place(url)
        self._http = _Http(url, timeout, most)
        self._send = post or self._http.post
        self._ids = itertools.count(1)
        self.timing = Timing()

    async def aclose(self) -> None:
        """Closes every connection."""
        await self._http.close()

    async def request(self, method: str, params: list[Any]) -> Any:
        """One result. NodeUnavailable, NodeError (AnswerTooLarge among them) or Reverted otherwise."""
        answer = await self._post(self._envelope(next(self._ids), method, params))
        return self._result(answer)

    async def batch(self, requests: Sequence[Request]) -> list[Any]:
        """Results in the order of `requests`; an item that failed is its ChainError instead of a result.

        NodeUnavailable if the node did not answer as a whole, AnswerTooLarge if it said too much at once.
        Long batches go out in several posts.
        """
        results: list[Any] = []
        for part in self._parts(requests):
            results += await self._batch_once(part)
        return results

    async def _batch_once(self, envelopes: dict[int, bytes]) -> list[Any]:
        answers = await self._post(b"[" + b",".join(envelopes.values()) + b"]")
        if not isinstance(answers, list):
            self._result(answers)
            raise self._no_answer()
        by_id = {str(answer.get("id")): answer for answer in answers if isinstance(answer, dict)}
        return [self._item(by_id.get(str(id_))) for id_ in envelopes]

    def _item(self, answer: Any) -> Any:
        try:
            return self._result(answer)
        except ChainError as error:
            return error

    def _parts(self, requests: Sequence[Request]) -> list[dict[int, bytes]]:
        parts: list[dict[int, bytes]] = []
        size = BATCH_BYTES
        for method, params in requests:
            id_ = next(self._ids)
            text = self._envelope(id_, method, params)
            if not parts or size + len(text) > BATCH_BYTES or len(parts[-1]) == BATCH_ITEMS:
                parts.append({})
                size = 0
            parts[-1][id_] = text
            size += len(text)
        return parts

    @staticmethod
    def _envelope(id_: int, method: str, params: list[Any]) -> bytes:
        return orjson.dumps({"jsonrpc": "2.0", "id": id_, "method": method, "params": params})

    def _result(self, answer: Any) -> Any:
        if isinstance(answer, dict) and answer.get("error") is not None:
            raise node_error(answer["error"])
        if not isinstance(answer, dict) or "result" not in answer:
            raise self._no_answer()
        return answer["result"]

    def _no_answer(self) -> NodeUnavailable:
        """Of what speaks JSON and is no node, or none now: a proxy that tells of maintenance."""
        return NodeUnavailable(f"{self.place}: no JSON-RPC answer")

    async def _post(self, content: bytes) -> Any:
        with self.timing.measure(NodeUnavailable):
            return await self._posted(content)

    async def _posted(self, content: bytes) -> Any:
        try:
            status, answer = await self._send(content)
        except (aiohttp.ClientError, OSError) as error:
            raise NodeUnavailable(f"{self.place}: {_why(error)}") from error
        try:
            body = orjson.loads(answer)
        except ValueError:
            body = None
        if isinstance(body, dict | list) and (200 <= status < 300 or _is_answer(body)):
            return body
        if status in _OVERLOADED or body is None:
            raise NodeUnavailable(f"{self.place}: HTTP {status}")
        raise NodeError(status, f"{self.place} refused: HTTP {status}")


def _place(url: str) -> str:
    """Scheme, host and port alone. Raises NodeUnavailable."""
    try:
        parts = urlsplit(url)
        return f"{parts.scheme}://{parts.hostname}" + (f":{parts.port}" if parts.port else "")
    except ValueError:  # whose words may hold a piece of a password
        raise NodeUnavailable("no address of a node: give http://HOST:PORT, a password's / as %2F") from None


def _why(error: Exception) -> str:
    """In words that hold no address: it may carry a secret."""
    if isinstance(error, aiohttp.ClientConnectorDNSError):
        return "no such host"
    if isinstance(error, aiohttp.ClientConnectorError) and error.os_error.errno:
        return os.strerror(error.os_error.errno).lower()
    return "no answer in time" if isinstance(error, TimeoutError) else type(error).__name__


def _is_answer(body: dict[str, Any] | list[Any]) -> bool:
    """Some nodes send JSON-RPC errors with an HTTP error status."""
    return isinstance(body, list) or isinstance(body.get("error"), dict)
