"""One database: its migrations, and transactions that know how durable they are."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from types import TracebackType
from typing import TypeVar

from sqlalchemy import Connection, MetaData, text
from sqlalchemy.ext.asyncio import AsyncConnection

from gridweave.store.backend import Backend, backend_of
from gridweave.store.errors import StoreUnavailable
from gridweave.store.kinds import WRITES, Kind
from gridweave.timing import Timing

__all__ = ["Database", "Kind"]

T = TypeVar("T")


class Database:
    """What one URL names. Writers take turns; readers never wait for them. Raises StoreUnusable."""

    def __init__(self, kind: Kind, url: str) -> None:
        self.kind = kind
        self.timing = Timing()
        self._backend = backend_of(kind, url)
        self._writing = asyncio.Lock()

    async def claim(self) -> None:
        """Takes it for this process alone to write, until `close`. Raises StoreBusy, StoreUnavailable, OSError."""
        await self._backend.claim()

    async def migrate(self) -> None:
        """Brings the schema to the newest revision. Raises StoreUnavailable if the database cannot be reached."""
        from gridweave.store.migrate import upgrade

        async with self.write() as connection:
            await connection.run_sync(upgrade, self.kind.value)
            await self._backend.sign(connection)

    @asynccontextmanager
    async def read(self) -> AsyncIterator[AsyncConnection]:
        """A connection that sees one consistent state while it reads."""
        with self.timing.measure(StoreUnavailable), _Reachable(self._backend):
            async with self._backend.reader.connect() as connection:
                await connection.execution_options(**self._backend.reading)
                yield connection

    @asynccontextmanager
    async def write(self) -> AsyncIterator[AsyncConnection]:
        """A transaction, committed at the end (and on disk then, for an outbox), rolled back by an exception."""
        with self.timing.measure(StoreUnavailable), _Reachable(self._backend):
            await self._backend.prepare()
            async with self._writing, self._backend.writer.connect() as connection:
                await connection.execution_options(**{WRITES: True})
                async with connection.begin():
                    await self._backend.begun(connection)
                    yield connection

    async def reading(self, work: Callable[[Connection], T]) -> T:
        """What `work` returns, from one consistent state. It runs in another thread where the database is a file."""
        threads = self._backend.threads
        if threads is not None:
            with self.timing.measure(StoreUnavailable), _Reachable(self._backend):
                return await threads.read(work)
        async with self.read() as connection:
            return await connection.run_sync(work)

    async def writing(self, work: Callable[[Connection], T]) -> T:
        """What `work` returns, once its transaction is committed: as in `write`, and as in `reading`."""
        threads = self._backend.threads
        if threads is not None:
            with self.timing.measure(StoreUnavailable), _Reachable(self._backend):
                async with self._writing:
                    return await threads.write(work)
        async with self.write() as connection:
            return await connection.run_sync(work)

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
        if self._backend.threads is not None:
            await self._backend.threads.close()
        await self._backend.reader.dispose()
        await self._backend.writer.dispose()
        self._backend.release()


class _Reachable:
    """Turns a database that is away into StoreUnavailable; a wrong statement stays what it is."""

    def __init__(self, backend: Backend) -> None:
        self._backend = backend

    def __enter__(self) -> None:
        return None

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if error is not None and self._backend.is_away(error):
            raise StoreUnavailable(str(getattr(error, "orig", None) or error)) from error
