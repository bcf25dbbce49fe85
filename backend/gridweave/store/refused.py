"""What was acknowledged with a bond behind it, was refused on chain, and is to be proved so."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import select, update

from gridweave.store.database import Database
from gridweave.store.outbox_rows import item_of
from gridweave.store.outbox_tables import items
from gridweave.store.records import Item

__all__ = ["RefusedItems"]


class RefusedItems:
    """The outbox's items that a bond must hear of."""

    def __init__(self, database: Database) -> None:
        self._db = database

    async def all(self) -> list[Item]:
        """Oldest first."""
        query = select(items).where(items.c.to_prove.is_(True)).order_by(items.c.seq)
        return await self._db.reading(lambda connection: [item_of(row) for row in connection.execute(query).mappings()])

    async def done(self, seqs: Sequence[int]) -> None:
        """Proofs of these are on their way, or come too late."""
        if not seqs:
            return
        proved = update(items).where(items.c.seq.in_(seqs)).values(to_prove=False)
        await self._db.writing(lambda connection: connection.execute(proved))
