"""What a database must do beyond SQL: be prepared, be held by one sender, say when it is away."""

from __future__ import annotations

import importlib.util
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Protocol

from sqlalchemy import URL
from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from gridweave.store.errors import StoreUnusable
from gridweave.store.kinds import Kind
from gridweave.store.postgres import Postgres
from gridweave.store.sqlite import Sqlite
from gridweave.store.threads import Threads

__all__ = ["Backend", "backend_of", "file_of", "url_of"]

_DRIVERS = {"sqlite": "sqlite+aiosqlite", "postgresql": "postgresql+asyncpg", "postgres": "postgresql+asyncpg"}


class Backend(Protocol):
    """SQLite or PostgreSQL behind one URL. `reader` and `writer` may be the same engine."""

    reader: AsyncEngine
    writer: AsyncEngine
    reading: Mapping[str, Any]
    """Execution options of a transaction that sees one state."""
    threads: Threads | None
    """For a database that is a file: what is quicker than its driver's own thread."""

    async def prepare(self) -> None:
        """Makes what tables stand in."""

    async def claim(self) -> None:
        """Takes an outbox for this process alone. Raises StoreBusy, OSError."""

    def release(self) -> None:
        """Lets others claim it."""

    async def begun(self, connection: AsyncConnection) -> None:
        """A transaction that writes has begun: one at a time, whoever else writes."""

    def is_away(self, error: BaseException) -> bool:
        """Whether that is the database's absence rather than a wrong statement."""


def backend_of(kind: Kind, url: str) -> Backend:
    """The backend that a URL names. Raises StoreUnusable."""
    found = url_of(url)
    return Sqlite(kind, found) if found.get_backend_name() == "sqlite" else Postgres(kind, found)


def url_of(url: str) -> URL:
    """sqlite:///, postgresql:// and postgres:// with the driver that we use. Raises StoreUnusable."""
    try:
        parsed = make_url(url)
    except ArgumentError as error:
        raise StoreUnusable("no URL of a database: give postgresql://user@host/name or sqlite:///file") from error
    name = parsed.drivername.partition("+")[0]
    if name not in _DRIVERS:
        raise StoreUnusable(f"{name} is not supported: give postgresql://user@host/name or sqlite:///file")
    if name != "sqlite" and importlib.util.find_spec("asyncpg") is None:
        raise StoreUnusable("PostgreSQL needs its driver: pip install 'gridweave[postgres]'")
    return parsed.set(drivername=_DRIVERS[name])


def file_of(url: str) -> Path | None:
    """The file that a URL names, None for a server's database. Raises StoreUnusable."""
    found = url_of(url)
    return Path(found.database) if found.get_backend_name() == "sqlite" and found.database else None
