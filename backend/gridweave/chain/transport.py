"""JSON-RPC over HTTP: one connection pool, single requests and batches, every failure with its name."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from typing import Any
from urllib.parse import urlsplit

import httpx
import orjson

from gridweave.chain.errors import ChainError, NodeError, NodeUnavailable, node_error
from gridweave.timing import Timing

__all__ = ["Request", "Transport"]

Request = tuple[str, list[Any]]
"""Method and parameters."""

BATCH_ITEMS = 100
BATCH_BYTES = 1_500_000  # nodes close the door at 2 MB or more
_OVERLOADED = frozenset({408, 429, 500, 502, 503, 504})


class Transport:
    """Speaks JSON-RPC to one URL. Keeps connections open; close it with `aclose`."""

    def __init__(self, url: str, *, timeout: float = 10.0, http: httpx.AsyncBaseTransport | None = None) -> None:
        parts = urlsplit(url)
        self.place = f"{parts.scheme}://{parts.hostname}" + (f":{parts.port}" if parts.port else "")
        self._client = httpx.AsyncClient(
            base_url=url,
            timeout=httpx.Timeout(timeout, connect=min(timeout, 5.0)),
            transport=http,
            headers={"content-type": "application/json"},
            limits=httpx.Limits(max_connections=32, max_keepalive_connections=16, keepalive_expiry=30.0),
            trust_env=False,
        )
        self._ids = itertools.count(1)
        self.timing = Timing()

    async def aclose(self) -> None:
        """Closes every connection."""
        await self._client.aclose()

    async def request(self, method: str, params: list[Any]) -> Any:
        """One result. NodeUnavailable, NodeError or Reverted otherwise."""
        answer = await self._post(self._envelope(next(self._ids), method, params))
        if not isinstance(answer, dict):
            raise NodeError(0, f"{self.place} answered {method} with no JSON-RPC object")
        return self._result(answer)

    async def batch(self, requests: Sequence[Request]) -> list[Any]:
        """Results in the order of `requests`; an item that failed is its ChainError instead of a result.

        NodeUnavailable if the node did not answer as a whole. Long batches go out in several posts.
        """
        results: list[Any] = []
        for part in self._parts(requests):
            results += await self._batch_once(part)
        return results

    async def _batch_once(self, envelopes: dict[int, bytes]) -> list[Any]:
        answers = await self._post(b"[" + b",".join(envelopes.values()) + b"]")
        if not isinstance(answers, list):
            raise node_error(answers.get("error")) if isinstance(answers, dict) else NodeError(0, "no batch answer")
        by_id = {answer.get("id"): answer for answer in answers}
        return [self._item(by_id.get(id_)) for id_ in envelopes]

    def _item(self, answer: dict[str, Any] | None) -> Any:
        if answer is None:
            return NodeError(0, "the node left out an item of a batch")
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

    @staticmethod
    def _result(answer: dict[str, Any]) -> Any:
        if answer.get("error") is not None:
            raise node_error(answer["error"])
        return answer.get("result")

    async def _post(self, content: bytes) -> Any:
        with self.timing.measure(NodeUnavailable):
            return await self._posted(content)

    async def _posted(self, content: bytes) -> Any:
        try:
            response = await self._client.post("", content=content)
        except httpx.TransportError as error:
            raise NodeUnavailable(f"{self.place}: {type(error).__name__} {error}".rstrip()) from error
        try:
            body = orjson.loads(response.content)
        except ValueError:
            body = None
        if isinstance(body, dict | list) and (response.is_success or _is_answer(body)):
            return body
        if response.status_code in _OVERLOADED or body is None:
            raise NodeUnavailable(f"{self.place}: HTTP {response.status_code}")
        raise NodeError(response.status_code, f"{self.place} refused: HTTP {response.status_code}")


def _is_answer(body: dict[str, Any] | list[Any]) -> bool:
    """Some nodes send JSON-RPC errors with an HTTP error status."""
    return isinstance(body, list) or isinstance(body.get("error"), dict)
