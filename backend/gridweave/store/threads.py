"""A database that is a file, worked on in threads of our own: a whole transaction crosses to one and back once.

The asynchronous driver crosses with every statement, which costs more than the statement.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import TypeVar

from sqlalchemy import Connection, Engine

__all__ = ["Threads"]

T = TypeVar("T")

_READERS = 3


class Threads:
    """One thread that writes, a few that read, over one engine."""

    def __init__(self, engine: Engine, for_writing: dict[str, bool]) -> None:
        self._engine = engine
        self._writes = engine.execution_options(**for_writing)
        self._writer = ThreadPoolExecutor(1, "database-writer")
        self._readers = ThreadPoolExecutor(_READERS, "database-reader")

    async def read(self, work: Callable[[Connection], T]) -> T:
        """What `work` returns, from one consistent state."""
        return await asyncio.get_running_loop().run_in_executor(self._readers, partial(_within, self._engine, work))

    async def write(self, work: Callable[[Connection], T]) -> T:
        """What `work` returns, once its transaction is committed."""
        return await asyncio.get_running_loop().run_in_executor(self._writer, partial(_within, self._writes, work))

    async def close(self) -> None:
        """Waits for the work under way and closes every connection."""
        await asyncio.to_thread(self._writer.shutdown)
        await asyncio.to_thread(self._readers.shutdown)
        self._engine.dispose()


def _within(engine: Engine, work: Callable[[Connection], T]) -> T:
    with engine.begin() as connection:
        return work(connection)
