"""Connections that may not be held for nothing: a request's head has its time and length, and so has a stalled answer.

A request's body has its time in `bodies.BodyLimit`, between two requests the server's own keep-alive has it.
"""

from __future__ import annotations

import asyncio
import resource
from dataclasses import dataclass, field
from typing import Any

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

__all__ = ["Patience", "make_room", "patient"]

_FILES_BESIDE = 256
"""Open files that are no connections: databases, the node, logs."""

MOST_HEAD = 32_768
"""Bytes of a request line and its headers."""

_MOST_WAITING = 64
"""Requests that one connection may ask ahead of the one that is answered."""


@dataclass(frozen=True)
class Patience:
    """How long is waited, in seconds: for a request's head, and for a reader to take more of an answer.

    At most `connections` are open at once: for one more, the one that has waited longest without a request is closed.
    """

    head_s: float
    stall_s: float
    connections: int
    waiting: dict[Any, None] = field(default_factory=dict)


def make_room(connections: int) -> int:
    """How many connections the process may have open, having asked the system for as many as these."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = connections + _FILES_BESIDE
    if hard != resource.RLIM_INFINITY:
        wanted = min(wanted, hard)
    if soft != resource.RLIM_INFINITY and soft < wanted:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
    return max(1, min(connections, wanted - _FILES_BESIDE))


def patient(patience: Patience) -> type[asyncio.Protocol]:
    """The server's protocol with this patience."""
    base: Any = HttpToolsProtocol

    class Protocol(base):  # type: ignore[misc]
        """Closes what keeps it waiting. Data does not buy time: only a whole head does."""

        _head_timer: asyncio.TimerHandle | None = None
        _stall_timer: asyncio.TimerHandle | None = None
        _head_bytes = 0
        _ahead_bytes = 0

        def connection_made(self, transport: asyncio.Transport) -> None:
            super().connection_made(transport)
            if len(self.connections) > patience.connections:
                longest: Protocol = next(iter(patience.waiting), self)
                longest.transport.abort()
                patience.waiting.pop(longest, None)
            self._watch()

        def data_received(self, data: bytes) -> None:
            self._head_bytes += len(data)
            before = self.cycle
            is_ahead = before is not None and not before.response_complete and not before.more_body
            super().data_received(data)
            if is_ahead and self.cycle is before:
                self._count_ahead(len(data))
            self._watch()

        def _count_ahead(self, size: int) -> None:
            """Of the next head while an answer is under way: they have no time, and a whole head stops the reading."""
            self._ahead_bytes += size
            if self._ahead_bytes > MOST_HEAD:
                self.transport.abort()

        def on_headers_complete(self) -> None:
            hosts = sum(name == b"host" for name, _ in self.headers)
            if hosts > 1 or (hosts == 0 and self.parser.get_http_version() == "1.1"):
                raise ValueError("not one Host, as RFC 9112 wants")  # the parser stops, and 400 is the answer
            super().on_headers_complete()
            if len(self.pipeline) > _MOST_WAITING:
                raise ValueError("too many requests ahead of their turn")  # as above

        def on_response_complete(self) -> None:
            self._ahead_bytes = 0
            super().on_response_complete()
            if self.pipeline:  # else each answer would let more in than it takes out
                self.flow.pause_reading()
            self._watch()

        def pause_writing(self) -> None:
            super().pause_writing()
            self._stall_timer = self.loop.call_later(patience.stall_s, self.transport.abort)

        def resume_writing(self) -> None:
            super().resume_writing()
            _cancel(self._stall_timer)

        def connection_lost(self, exc: Exception | None) -> None:
            self._end_of_waiting()
            _cancel(self._stall_timer)
            super().connection_lost(exc)

        def _watch(self) -> None:
            """Waits from here on for the next head, or has it."""
            under_way = self.cycle is not None and not self.cycle.response_complete
            if under_way or self.transport.is_closing():
                self._end_of_waiting()
                return
            if self._head_timer is None:
                self._head_timer = self.loop.call_later(patience.head_s, self.transport.abort)
                patience.waiting[self] = None
            is_in_head = self.cycle is None or not self.cycle.more_body  # else the rest of a refused body passes by
            if is_in_head and self._head_bytes > MOST_HEAD:
                self.transport.abort()

        def _end_of_waiting(self) -> None:
            _cancel(self._head_timer)
            self._head_timer = None
            self._head_bytes = 0
            patience.waiting.pop(self, None)

    return Protocol


def _cancel(timer: asyncio.TimerHandle | None) -> None:
    if timer is not None:
        timer.cancel()
