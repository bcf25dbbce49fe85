"""What an operator watches of the outbox: how much stands where, how old it is, what it may cost and has cost."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import func, select

from gridweave.store.database import Database
from gridweave.store.outbox_tables import batches, items, signed
from gridweave.store.records import ACCEPTED, FINAL, MINED, OPEN

__all__ = ["OutboxWatch", "Spent", "Standing"]


@dataclass(frozen=True)
class Standing:
    """Items of one kind and status that are not final, and when the oldest was accepted, wall-clock milliseconds."""

    kind: str
    status: str
    count: int
    oldest_ms: int


@dataclass(frozen=True)
class Spent:
    """What mined transactions took: gas, the items they carried, and when the first was signed, 0 if there is none."""

    gas: int
    items: int
    first_ms: int


class OutboxWatch:
    """Reads sums, never rows one by one. Raises StoreUnavailable."""

    def __init__(self, database: Database) -> None:
        self._db = database

    async def standing(self) -> list[Standing]:
        """Everything that is not final, by kind and status."""
        query = (
            select(items.c.kind, items.c.status, func.count(), func.min(items.c.created_at_ms))
            .where(items.c.final.is_(False))
            .group_by(items.c.kind, items.c.status)
        )
        async with self._db.read() as connection:
            return [Standing(*row) for row in await connection.execute(query)]

    async def queued(self) -> dict[str, int]:
        """How many items of each kind no transaction carries yet."""
        query = (
            select(items.c.kind, func.count())
            .where(items.c.final.is_(False), items.c.status == ACCEPTED, items.c.batch.is_(None))
            .group_by(items.c.kind)
        )
        async with self._db.read() as connection:
            return {kind: int(count) for kind, count in await connection.execute(query)}

    async def batches(self) -> dict[str, int]:
        """How many batches are open, and mined but not final."""
        query = select(batches.c.state, func.count()).where(batches.c.state.in_((OPEN, MINED)))
        async with self._db.read() as connection:
            found = {state: int(count) for state, count in await connection.execute(query.group_by(batches.c.state))}
        return {OPEN: 0, MINED: 0} | found

    async def offered(self) -> int:
        """The most, in wei, that open transactions may cost: each by the dearest of its bytes."""
        query = (
            select(batches.c.id, batches.c.gas, signed.c.most_fee)
            .join(signed, signed.c.batch == batches.c.id)
            .where(batches.c.state == OPEN)
        )
        most: dict[int, int] = {}
        async with self._db.read() as connection:
            for batch, gas, fee in await connection.execute(query):
                most[batch] = max(most.get(batch, 0), gas * fee)  # fees are text to the database: it cannot compare
        return sum(most.values())

    async def spent(self, most: int) -> Spent:
        """By the newest `most` transactions that were mined: so it costs the same, however long the history is."""
        newest = (
            select(batches.c.id, batches.c.gas_used, batches.c.created_at_ms)
            .where(batches.c.state.in_((MINED, FINAL)))
            .order_by(batches.c.id.desc())
            .limit(most)
        )
        async with self._db.read() as connection:
            rows = (await connection.execute(newest)).all()
            carried = select(func.count()).select_from(items).where(items.c.batch.in_([row.id for row in rows]))
            count = int((await connection.execute(carried)).scalar() or 0)
        gas = sum(row.gas_used or 0 for row in rows)
        return Spent(gas, count, min((row.created_at_ms for row in rows), default=0))
