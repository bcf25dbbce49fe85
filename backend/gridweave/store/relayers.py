"""Whose outbox it is: the relayer that signs now, and those that signed before."""

from __future__ import annotations

from sqlalchemy import delete, insert, select, update

from gridweave.store.database import Database
from gridweave.store.errors import StoreMismatch
from gridweave.store.outbox_tables import batches, facts
from gridweave.store.records import MINED, OPEN

__all__ = ["RelayerFacts"]

_NOW, _BEFORE = "relayer", "former relayers"


class RelayerFacts:
    """Addresses as the facade gives them. Raises StoreUnavailable."""

    def __init__(self, database: Database) -> None:
        self._db = database

    async def now(self) -> str | None:
        """The relayer, None in an outbox that nobody has worked with."""
        return await self._value(_NOW)

    async def before(self) -> tuple[str, ...]:
        """Former relayers, the first one first."""
        told = await self._value(_BEFORE)
        return tuple(told.split(",")) if told else ()

    async def succeed(self, old: str, new: str) -> None:
        """`new` takes over, in one transaction. The nonces of `old` are free: those of `new` begin where its own do.

        Raises StoreMismatch unless the outbox is `old`'s and all that it sent is final.
        """
        former = [*(address for address in await self.before() if address != new), old]
        async with self._db.write() as connection:
            under_way = await connection.execute(select(batches.c.id).where(batches.c.state.in_((OPEN, MINED))))
            if under_way.first() is not None:
                raise StoreMismatch("transactions of the old relayer are not final yet")
            done = await connection.execute(
                update(facts).where(facts.c.name == _NOW, facts.c.value == old).values(value=new)
            )
            if done.rowcount != 1:
                raise StoreMismatch(f"this database does not belong to relayer {old}")
            await connection.execute(update(batches).values(nonce=-batches.c.id))
            await connection.execute(delete(facts).where(facts.c.name == _BEFORE))
            await connection.execute(insert(facts).values(name=_BEFORE, value=",".join(former)))

    async def _value(self, name: str) -> str | None:
        async with self._db.read() as connection:
            found: str | None = (await connection.execute(select(facts.c.value).where(facts.c.name == name))).scalar()
            return found
