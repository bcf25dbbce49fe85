"""The VTN's database: transactions over its rows, and the queue of what subscribers are to be told."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

from sqlalchemy import ColumnElement, Connection, delete, func, select, update

from gridweave.store.database import Database
from gridweave.store.vtn_rows import VtnRows
from gridweave.store.vtn_tables import vtn_notices

__all__ = ["Notice", "VtnStore"]

T = TypeVar("T")


@dataclass(frozen=True)
class Notice:
    """What is to be told to a subscriber; `attempts` so far, `created_at_ms` by the wall clock."""

    seq: int
    subscription: str
    url: str
    bearer: str | None
    body: str
    attempts: int
    created_at_ms: int


class VtnStore:
    """Every write is on disk when its call returns. Raises StoreUnavailable, StoreBusy."""

    def __init__(self, outbox: Database) -> None:
        self._db = outbox

    async def look(self, work: Callable[[VtnRows], T]) -> T:
        """What `work` returns, from one consistent state."""
        return await self._db.reading(lambda connection: work(VtnRows(connection)))

    async def change(self, work: Callable[[VtnRows], T]) -> T:
        """What `work` returns, once all that it wrote is committed; nothing is if it raises."""
        return await self._db.writing(lambda connection: work(VtnRows(connection)))

    async def due(self, now_ms: int, limit: int) -> list[Notice]:
        """Notices whose time has come and of which no older one to the same address waits, oldest first."""
        older = vtn_notices.alias("older")
        waits = (
            select(older.c.seq)
            .where(older.c.subscription == vtn_notices.c.subscription, older.c.url == vtn_notices.c.url)
            .where(older.c.seq < vtn_notices.c.seq)
            .exists()
        )
        columns = [vtn_notices.c[name] for name in Notice.__dataclass_fields__]
        query = select(*columns).where(vtn_notices.c.due_at_ms <= now_ms, ~waits).order_by(vtn_notices.c.seq)

        def read(connection: Connection) -> list[Notice]:
            return [Notice(**row) for row in connection.execute(query.limit(limit)).mappings()]

        return await self._db.reading(read)

    async def waiting(self) -> int:
        """How many notices are not told yet."""
        query = select(func.count()).select_from(vtn_notices)
        return int(await self._db.reading(lambda connection: connection.execute(query).scalar_one()))

    async def told(self, seq: int) -> None:
        """The notice was told, or is given up."""
        await self._db.writing(lambda connection: connection.execute(delete(vtn_notices).where(_is(seq))))

    async def later(self, seq: int, attempts: int, due_at_ms: int) -> None:
        """The notice is to be tried again."""
        changed = update(vtn_notices).where(_is(seq)).values(attempts=attempts, due_at_ms=due_at_ms)
        await self._db.writing(lambda connection: connection.execute(changed))


def _is(seq: int) -> ColumnElement[bool]:
    return vtn_notices.c.seq == seq
