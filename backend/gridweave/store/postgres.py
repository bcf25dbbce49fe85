"""A database on a PostgreSQL server: the outbox and the index each in a schema of its own."""

from __future__ import annotations

import secrets
import time
from collections.abc import Mapping
from typing import Any

from sqlalchemy import URL, event, text
from sqlalchemy.exc import DBAPIError, SQLAlchemyError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine
from sqlalchemy.pool import NullPool

from gridweave.store.errors import StoreBusy, StoreUnavailable
from gridweave.store.kinds import Kind
from gridweave.store.threads import Threads

__all__ = ["Postgres"]

_CONNECT_S, _READS_S, _OUTBOX_S, _INDEX_S = 5, 10, 15, 120
"""Patience with a connection, and with one statement: somebody waits for what is read and for the outbox, nobody for
what the index takes in or undoes."""
_GOES_WITHIN_S = 3.0
"""How long the session of a process that was killed may outlive it on the server."""
_AWAY_CLASSES = ("08", "53", "57P", "58")
_READ_ONLY = "25006"
_HOLDER = "holder"
_TO_CHANGE = {
    Kind.OUTBOX: "give each a database and a key",
    Kind.INDEX: "give each a database for its index, in GRIDWEAVE_INDEX_URL",
}
_HELD_BY = text("SELECT value FROM facts WHERE name = :name FOR SHARE")
_SIGN = text(
    "INSERT INTO facts (name, value) VALUES (:name, :token) ON CONFLICT (name) DO UPDATE SET value = excluded.value"
)


class Postgres:
    """Schemas `gridweave_outbox` and `gridweave_index` of the database that the URL names.

    Each is written through one session, which holds a lock for as long as it lives: whoever writes is the one writer.
    One whose session is lost must take the lock again before it writes. Who writes an outbox must find its own token
    still there as well: if another wrote in between, what this one keeps in memory (nonces, keys) is old.
    """

    reading: Mapping[str, Any] = {"isolation_level": "REPEATABLE READ", "postgresql_readonly": True}
    threads: Threads | None = None

    def __init__(self, kind: Kind, url: URL) -> None:
        self._url, self._kind = url, kind
        self._schema = f"gridweave_{kind.value}"
        self._where = f"{self._schema} of {url.render_as_string(hide_password=True)}"
        self.reader = self._engine(_READS_S, pool_size=4, max_overflow=8)
        self.writer = self._sole_writer()
        self._prepared = False
        self._token = secrets.token_hex(16)
        self._has_held = False
        self._has_signed = False

    async def prepare(self) -> None:
        """The schema."""
        if self._prepared:
            return
        engine = create_async_engine(self._url, poolclass=NullPool, connect_args={"timeout": _CONNECT_S})
        try:
            async with engine.begin() as connection:
                found = await connection.execute(text("SELECT to_regnamespace(:name)"), {"name": self._schema})
                if found.scalar() is None:
                    await connection.execute(text(f"CREATE SCHEMA IF NOT EXISTS {self._schema}"))
        finally:
            await engine.dispose()
        self._prepared = True

    async def claim(self) -> None:
        """Opens the session that writes. Raises StoreBusy, StoreUnavailable."""
        try:
            await self.prepare()
            async with self.writer.connect():
                return
        except StoreBusy:
            raise
        except Exception as error:
            if isinstance(error, SQLAlchemyError) or self.is_away(error):
                raise StoreUnavailable(f"{self._where} cannot be used now: {error}") from error
            raise

    def release(self) -> None:
        """The lock goes with its session."""

    async def begun(self, connection: AsyncConnection) -> None:
        if self._has_signed:
            await self._recognise(connection)

    async def sign(self, connection: AsyncConnection) -> None:
        if self._kind is Kind.OUTBOX:
            await connection.execute(_SIGN, {"name": _HOLDER, "token": self._token})
            self._has_signed = True

    async def _recognise(self, connection: AsyncConnection) -> None:
        """Raises StoreBusy if another process took over, and lets go of the lock; until the transaction ends none can.

        A session that is lost tells us of it, a pooler that gives one session to two of us does not.
        """
        found = await connection.execute(_HELD_BY, {"name": _HOLDER})
        if found.scalar() != self._token:
            await connection.invalidate()
            raise StoreBusy(f"another service took over {self._where}: start this one again if it is to go on")

    def is_away(self, error: BaseException) -> bool:
        if isinstance(error, DBAPIError):
            state = str(getattr(error.orig, "sqlstate", None) or "")
            return error.connection_invalidated or state == _READ_ONLY or state.startswith(_AWAY_CLASSES)
        return isinstance(error, OSError | PoolTimeout) or _is_drivers(error)

    def _engine(self, answers_within_s: int, **pool: int) -> AsyncEngine:
        session = {
            "search_path": self._schema,
            "synchronous_commit": "on" if self._kind is Kind.OUTBOX else "off",
            "application_name": f"gridweave {self._kind.value}",
        }
        patience = {"timeout": _CONNECT_S, "command_timeout": answers_within_s}
        arguments = patience | {"server_settings": session}
        return create_async_engine(self._url, pool_pre_ping=True, pool_timeout=10, connect_args=arguments, **pool)

    def _sole_writer(self) -> AsyncEngine:
        answers_within_s = _OUTBOX_S if self._kind is Kind.OUTBOX else _INDEX_S
        engine = self._engine(answers_within_s, pool_size=1, max_overflow=0)

        @event.listens_for(engine.sync_engine, "connect")
        def _connected(connection: Any, _record: Any) -> None:
            patience = time.monotonic() + _GOES_WITHIN_S
            pause_s = 0.0
            while not _locks(connection, self._schema, pause_s):
                if time.monotonic() > patience:
                    raise self._busy()
                pause_s = 0.1
            self._has_held = True

        return engine

    def _busy(self) -> Exception:
        """Rows of an index are the same whoever writes them: one that lost its session waits for it to end."""
        said = f"another service or keeper works with {self._where}"
        if self._kind is Kind.INDEX and self._has_held:
            return TimeoutError(said)
        return StoreBusy(f"{said}: {_TO_CHANGE[self._kind]}")


def _locks(connection: Any, name: str, pause_s: float) -> bool:
    """Whether the session holds the name's lock after that pause, in which it is the server that waits."""
    cursor = connection.cursor()
    try:
        cursor.execute("SELECT pg_sleep($2), pg_try_advisory_lock(hashtextextended($1, 0))", (name, pause_s))
        held = bool(cursor.fetchone()[1])
    finally:
        cursor.close()
    connection.commit()
    return held


def _is_drivers(error: BaseException) -> bool:
    """What the driver says while it connects reaches us as it is."""
    import asyncpg

    return isinstance(error, asyncpg.PostgresError | asyncpg.InterfaceError)
