"""An outbox that was put back from a copy learns of transactions that were signed after the copy was taken."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import delete, func, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from gridweave.store.copies import RESTORED
from gridweave.store.database import Database
from gridweave.store.outbox_rows import item_of, signed_row
from gridweave.store.outbox_tables import batches, facts, items, signed
from gridweave.store.records import DEAD, OPEN, Draft, Item

__all__ = ["Adoptions", "Held"]


@dataclass(frozen=True)
class Held:
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

    async def held(self, nonces: Sequence[int]) -> dict[int, Held]:
        """What the copy knows of these nonces."""
        found: dict[int, Held] = {}
        async with self._db.read() as connection:
            for nonce in nonces:
                row = (await connection.execute(select(batches).where(batches.c.nonce == nonce))).mappings().first()
                if row is not None:
                    hashes = await connection.execute(select(signed.c.tx_hash).where(signed.c.batch == row["id"]))
                    found[nonce] = Held(row["id"], row["data"], frozenset(hashes.scalars()))
        return found

    async def adopt(self, drafts: Sequence[Draft], now: int) -> None:
        """Stores these transactions and the items that they carried, and that the copy has looked."""
        async with self._db.write() as connection:
            for draft in drafts:
                await _adopt(connection, draft, now)
            await connection.execute(delete(facts).where(facts.c.name == RESTORED))


async def _adopt(connection: AsyncConnection, draft: Draft, now: int) -> None:
    """Beside the bytes that its nonce has already; in place of another call that lost the nonce since."""
    row = (await connection.execute(select(batches).where(batches.c.nonce == draft.nonce))).mappings().first()
    if row is not None and row["data"] == draft.data:
        await connection.execute(insert(signed).values(signed_row(draft.signing, row["id"])))
        return
    if row is not None:
        await connection.execute(update(items).where(items.c.batch == row["id"]).values(batch=None))
        await connection.execute(
            update(batches).where(batches.c.id == row["id"]).values(state=DEAD, nonce=-batches.c.id)
        )
    call = {"nonce": draft.nonce, "kind": draft.kind, "to_address": draft.to, "data": draft.data, "gas": draft.gas}
    done = await connection.execute(insert(batches).values(**call, state=OPEN, created_at_ms=now))
    id_ = int((done.inserted_primary_key or (0,))[0])
    await connection.execute(insert(signed).values(signed_row(draft.signing, id_)))
    await connection.execute(update(items).where(items.c.seq.in_(draft.seqs)).values(batch=id_))
