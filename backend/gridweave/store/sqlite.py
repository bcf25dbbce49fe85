"""A database that is a file."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import IO, Any

from sqlalchemy import URL, Engine, create_engine, event
from sqlalchemy.engine import Connection
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from sqlalchemy.ext.asyncio import AsyncConnection, create_async_engine

from gridweave.locking import Taken, hold
from gridweave.store.errors import StoreBusy
from gridweave.store.kinds import WRITES, Kind
from gridweave.store.threads import Threads

__all__ = ["Sqlite"]

_AWAY = ("unable to open", "database is locked", "disk i/o", "readonly", "is full")


class Sqlite:
    """SQLite in write-ahead mode. A lock file beside it keeps other services out."""

    reading: Mapping[str, Any] = {}

    def __init__(self, kind: Kind, url: URL) -> None:
        self._file = Path(url.database).resolve() if url.database and url.database != ":memory:" else None
        if self._file:
            self._file.parent.mkdir(parents=True, exist_ok=True)
        durability = "FULL" if kind is Kind.OUTBOX else "NORMAL"
        self.reader = self.writer = create_async_engine(url, pool_size=4, max_overflow=8, pool_timeout=10)
        _prepare(self.writer.sync_engine, durability)
        self.threads: Threads | None = _threads(url, durability) if self._file else None
        self._held: IO[str] | None = None

    async def prepare(self) -> None:
        """The file comes with the first connection."""

    async def claim(self) -> None:
        """Raises StoreBusy, OSError."""
        if self._file is None:
            return
        try:
            self._held = hold(self._file.with_name(f"{self._file.name}.lock"))
        except Taken as taken:
            message = f"another service or keeper works with {self._file}: give each a --data-dir and a key of its own"
            raise StoreBusy(message) from taken

    def release(self) -> None:
        if self._held is not None:
            self._held.close()

    async def begun(self, connection: AsyncConnection) -> None:
        """BEGIN IMMEDIATE has let one writer in."""

    async def sign(self, connection: AsyncConnection) -> None:
        """A lock of the system cannot be lost while the process lives."""

    def is_away(self, error: BaseException) -> bool:
        if isinstance(error, PoolTimeout):  # more readers than connections, for longer than anybody waits
            return True
        return isinstance(error, DBAPIError) and (error.connection_invalidated or _says_away(str(error.orig)))


def _says_away(words: str) -> bool:
    return any(word in words.lower() for word in _AWAY)


def _threads(url: URL, durability: str) -> Threads:
    engine = create_engine(url.set(drivername="sqlite"))
    _prepare(engine, durability)
    return Threads(engine, {WRITES: True})


def _prepare(engine: Engine, durability: str) -> None:
    """Makes every connection as durable as its database must be, and begin as its transaction needs."""

    @event.listens_for(engine, "connect")
    def _connected(connection: Any, _record: Any) -> None:
        # Left to itself the driver begins at the first INSERT only: DDL and reads would stand outside the transaction.
        connection.isolation_level = None
        cursor = connection.cursor()
        for pragma in ("journal_mode=WAL", f"synchronous={durability}", "busy_timeout=10000", "cache_size=-16000"):
            cursor.execute(f"PRAGMA {pragma}")
        cursor.close()

    @event.listens_for(engine, "begin")
    def _begun(connection: Connection) -> None:
        writes = connection.get_execution_options().get(WRITES)
        connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")
