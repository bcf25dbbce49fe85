"""What a database must do beyond SQL: be prepared, be held by one writer, say when it is away."""

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


_OPTIONS = {"host": "host", "port": "port", "ssl": "ssl", "sslmode": "ssl"}


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
        """Takes it for this process alone to write. Raises StoreBusy, StoreUnavailable, OSError."""

    def release(self) -> None:
        """Lets others claim it."""

    async def begun(self, connection: AsyncConnection) -> None:
        """A transaction that writes has begun: one at a time, whoever else writes. Raises StoreBusy if another process
        took over meanwhile."""

    async def sign(self, connection: AsyncConnection) -> None:
        """From the end of this transaction on, an outbox is ours; who held it before notices."""

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
    except (ArgumentError, ValueError):  # whose words may hold a piece of the password
        raise StoreUnusable("no URL of a database: give postgresql://user@host/name or sqlite:///file") from None
    name = parsed.drivername.partition("+")[0]
    if name not in _DRIVERS:
        raise StoreUnusable(f"{name} is not supported: give postgresql://user@host/name or sqlite:///file")
    if name != "sqlite" and importlib.util.find_spec("asyncpg") is None:
        raise StoreUnusable("PostgreSQL needs its driver: pip install asyncpg")
    return parsed.set(drivername=_DRIVERS[name], query=_options(parsed) if name != "sqlite" else parsed.query)


def _options(parsed: URL) -> dict[str, Any]:
    """What may stand behind the `?` of PostgreSQL, by the driver's names."""
    if unknown := sorted(set(parsed.query) - set(_OPTIONS)):
        raise StoreUnusable(f"{unknown[0]} is no option: behind ? there may be {', '.join(_OPTIONS)}")
    return {_OPTIONS[name]: value for name, value in parsed.query.items()}


def file_of(url: str) -> Path | None:
    """The file that a URL names, None for a server's database. Raises StoreUnusable."""
    found = url_of(url)
    return Path(found.database) if found.get_backend_name() == "sqlite" and found.database else None
