"""An outbox that was put back from a copy learns of transactions that were signed after the copy was taken."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import Connection, delete, func, insert, select

from gridweave.store.copies import RESTORED
from gridweave.store.database import Database
from gridweave.store.outbox_rows import item_of, signed_row
from gridweave.store.outbox_sql import add_batch, bury
from gridweave.store.outbox_tables import batches, facts, items, signed
from gridweave.store.records import Draft, Item

__all__ = ["Adoptions", "Known"]


@dataclass(frozen=True)
class Known:
    """What the copy knows of one nonce: its batch, that batch's call data, and the transactions signed for it."""

    batch: int
    data: bytes
    hashes: frozenset[str]


class Adoptions:
    """Everything here is done before the first request is accepted. Raises StoreUnavailable."""

    def __init__(self, database: Database) -> None:
        self._db = database

    async def due(self) -> bool:
        """Whether this is a copy that has not looked yet."""
        async with self._db.read() as connection:
            return (await connection.execute(select(facts).where(facts.c.name == RESTORED))).first() is not None

    async def last_block(self) -> int | None:
        """The newest block that the copy knows to hold a transaction of the relayer; later ones stand no lower."""
        async with self._db.read() as connection:
            newest: int | None = (await connection.execute(select(func.max(batches.c.block_number)))).scalar()
            return newest

    async def unsettled(self) -> list[Item]:
        """Items that are not final."""
        async with self._db.read() as connection:
            rows = await connection.execute(select(items).where(items.c.final.is_(False)).order_by(items.c.seq))
            return [item_of(row) for row in rows.mappings()]

    async def known(self, nonces: Sequence[int]) -> dict[int, Known]:
        """What the copy knows of these nonces."""
        found: dict[int, Known] = {}
        async with self._db.read() as connection:
            for nonce in nonces:
                row = (await connection.execute(select(batches).where(batches.c.nonce == nonce))).mappings().first()
                if row is not None:
                    hashes = await connection.execute(select(signed.c.tx_hash).where(signed.c.batch == row["id"]))
                    found[nonce] = Known(row["id"], row["data"], frozenset(hashes.scalars()))
        return found

    async def adopt(self, drafts: Sequence[Draft]) -> None:
        """Stores these transactions and the items that they carried, and that the copy has looked."""

        def adopt(connection: Connection) -> None:
            for draft in drafts:
                _adopt(connection, draft)
            connection.execute(delete(facts).where(facts.c.name == RESTORED))

        await self._db.writing(adopt)


def _adopt(connection: Connection, draft: Draft) -> None:
    """Beside the bytes that its nonce has already; in place of another call that lost the nonce since."""
    there = connection.execute(select(batches.c.id, batches.c.data).where(batches.c.nonce == draft.nonce)).first()
    if there is not None and there.data == draft.data:
        connection.execute(insert(signed).values(signed_row(draft.signing, there.id)))
        return
    if there is not None:
        bury(connection, there.id)
    add_batch(connection, draft)
