"""Requests made beforehand, posted over connections that stay open: what is measured is the server, hardly the sender.

A general HTTP client would take more of the two cores than the service that it asks.
"""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

__all__ = ["Answered", "Unanswered", "asking", "post_all", "request"]

_HEAD = "POST {path} HTTP/1.1\r\nhost: {host}\r\ncontent-type: application/json\r\ncontent-length: {length}\r\n\r\n"


class Unanswered(Exception):
    """The server gave another answer than it should."""


@dataclass(frozen=True)
class Answered:
    """Seconds from the first request to the last answer, and in the order of the requests the answers' bodies and the
    seconds that each took."""

    seconds: float
    bodies: tuple[bytes, ...]
    waits: tuple[float, ...]


def request(url: str, body: Any) -> bytes:
    """The bytes of a POST of this JSON body."""
    place = urlsplit(url)
    content = json.dumps(body).encode()
    return _HEAD.format(path=place.path, host=place.netloc, length=len(content)).encode() + content


def asking(url: str, token: str = "") -> bytes:
    """The bytes of a GET, with a bearer token if it is given."""
    place = urlsplit(url)
    path = f"{place.path}?{place.query}" if place.query else place.path
    bearer = f"authorization: Bearer {token}\r\n" if token else ""
    return f"GET {path} HTTP/1.1\r\nhost: {place.netloc}\r\n{bearer}\r\n".encode()


async def post_all(url: str, requests: Sequence[bytes], hands: int, status: int = 202) -> Answered:
    """Sends every request, `hands` at a time. Raises Unanswered at the first that is not answered with `status`."""
    place = urlsplit(url)
    waiting = iter(enumerate(requests))
    bodies, waits = [b""] * len(requests), [0.0] * len(requests)
    started = time.perf_counter()
    async with asyncio.TaskGroup() as group:
        for _ in range(hands):
            group.create_task(_hand(place.hostname or "", place.port or 80, waiting, bodies, waits, status))
    return Answered(time.perf_counter() - started, tuple(bodies), tuple(waits))


async def _hand(
    host: str, port: int, waiting: Iterator[tuple[int, bytes]], bodies: list[bytes], waits: list[float], status: int
) -> None:
    reader, writer = await asyncio.open_connection(host, port)
    try:
        for at, content in waiting:
            began = time.perf_counter()
            writer.write(content)
            bodies[at] = await _answered(reader, status)
            waits[at] = time.perf_counter() - began
    finally:
        writer.close()


async def _answered(reader: asyncio.StreamReader, status: int) -> bytes:
    head = (await reader.readuntil(b"\r\n\r\n")).decode().lower()
    length = next(line for line in head.split("\r\n") if line.startswith("content-length:"))
    body = await reader.readexactly(int(length.partition(":")[2]))
    if f" {status} " not in head.partition("\r\n")[0]:
        raise Unanswered(f"{head.splitlines()[0]}: {body.decode()[:300]}")
    return body
