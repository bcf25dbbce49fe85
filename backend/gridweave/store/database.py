"""One database: its engine, its migrations, and transactions that know how durable they are."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from enum import StrEnum
from pathlib import Path
from types import TracebackType
from typing import IO, Any

from sqlalchemy import MetaData, event, text
from sqlalchemy.engine import Connection, make_url
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine

from gridweave.locking import Taken, hold
from gridweave.store.errors import StoreBusy, StoreUnavailable
from gridweave.timing import Timing

__all__ = ["Database", "Kind"]


_WRITES = "gridweave_writes"


class Kind(StrEnum):
    """Which of the two databases, and so which migrations and how durable."""

    OUTBOX = "outbox"
    """A commit survives a power cut."""
    INDEX = "index"
    """A commit may be lost in a power cut, never torn: the chain gives it again."""


class Database:
    """An engine for one URL. Writers take turns within the process; readers never wait for them."""

    def __init__(self, kind: Kind, url: str) -> None:
        self.kind = kind
        self.url = url
        self.timing = Timing()
        self._engine = _engine(kind, url)
        self._writing = asyncio.Lock()
        self._held: IO[str] | None = None

    def claim(self) -> None:
        """Takes a database that is a file for this process alone, until `close`. Raises StoreBusy, OSError."""
        file = _file_of(self.url)
        if file is None:
            return
        try:
            self._held = hold(file.with_name(f"{file.name}.lock"))
        except Taken as taken:
            message = f"another service or keeper works with {file}: give each a --data-dir and a key of its own"
            raise StoreBusy(message) from taken

    async def migrate(self) -> None:
        """Brings the schema to the newest revision. Raises StoreUnavailable if the database cannot be reached."""
        from gridweave.store.migrate import upgrade

        async with self.write() as connection:
            await connection.run_sync(upgrade, self.kind.value)

    @asynccontextmanager
    async def read(self) -> AsyncIterator[AsyncConnection]:
        """A connection that sees one consistent state while it reads."""
        with self.timing.measure(StoreUnavailable), _Reachable():
            async with self._engine.connect() as connection:
                yield connection

    @asynccontextmanager
    async def write(self) -> AsyncIterator[AsyncConnection]:
        """A transaction, committed at the end (and on disk then, for an outbox), rolled back by an exception."""
        with self.timing.measure(StoreUnavailable), _Reachable():
            async with self._writing, self._engine.connect() as connection:
                await connection.execution_options(**{_WRITES: True})
                async with connection.begin():
                    yield connection

    async def ping(self) -> None:
        """Raises StoreUnavailable unless the database answers."""
        async with self.read() as connection:
            await connection.execute(text("SELECT 1"))

    async def drop(self, metadata: MetaData) -> None:
        """Drops every table, the migrations' own included: for projections that are rebuilt."""
        async with self.write() as connection:
            await connection.run_sync(metadata.drop_all)
            await connection.execute(text("DROP TABLE IF EXISTS alembic_version"))

    async def close(self) -> None:
        """Closes every connection, and lets others claim it."""
        await self._engine.dispose()
        if self._held is not None:
            self._held.close()


class _Reachable:
    """Turns a database that is away into StoreUnavailable; a wrong statement stays what it is."""

    def __enter__(self) -> None:
        return None

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if isinstance(error, DBAPIError) and (error.connection_invalidated or _is_away(error)):
            raise StoreUnavailable(str(error.orig)) from error
        if isinstance(error, ConnectionError):
            raise StoreUnavailable(str(error)) from error


def _is_away(error: DBAPIError) -> bool:
    words = str(error.orig).lower()
    return any(word in words for word in ("unable to open", "database is locked", "disk i/o", "readonly", "is full"))


def _file_of(url: str) -> Path | None:
    """The file that a URL of SQLite names."""
    parsed = make_url(url)
    if parsed.get_backend_name() != "sqlite" or not parsed.database or parsed.database == ":memory:":
        return None
    return Path(parsed.database).resolve()


def _engine(kind: Kind, url: str) -> AsyncEngine:
    if make_url(url).get_backend_name() != "sqlite":
        return create_async_engine(url, pool_pre_ping=True)
    if file := _file_of(url):
        file.parent.mkdir(parents=True, exist_ok=True)
    engine = create_async_engine(url, pool_size=4, max_overflow=8)
    durability = "FULL" if kind is Kind.OUTBOX else "NORMAL"

    @event.listens_for(engine.sync_engine, "connect")
    def _connected(connection: Any, _record: Any) -> None:
        # Left to itself the driver begins at the first INSERT only: DDL and reads would stand outside the transaction.
        connection.isolation_level = None
        cursor = connection.cursor()
        for pragma in ("journal_mode=WAL", f"synchronous={durability}", "busy_timeout=10000", "cache_size=-16000"):
            cursor.execute(f"PRAGMA {pragma}")
        cursor.close()

    @event.listens_for(engine.sync_engine, "begin")
    def _begun(connection: Connection) -> None:
        writes = connection.get_execution_options().get(_WRITES)
        connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")

    return engine
