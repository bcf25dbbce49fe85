"""The index's writer: blocks and their rows in one transaction, undone by deleting them."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Column, ColumnElement, Connection, String, collate, delete, func, select

from gridweave.store.database import Database
from gridweave.store.errors import StoreUnavailable
from gridweave.store.event_tables import blocks, facts
from gridweave.store.facts import check_facts
from gridweave.store.index_tables import EVENT_TABLES, metadata
from gridweave.store.many import add_rows

__all__ = ["IndexStore", "IndexedBlock"]

_AT_ONCE = 2_000
"""Rows of a table that are held in memory while all of them are read."""


_NEWEST = select(blocks).order_by(blocks.c.number.desc()).limit(1)


@dataclass(frozen=True)
class IndexedBlock:
    """A block that the index stands on. Hashes are 0x hex, `timestamp` chain time in seconds."""

    number: int
    hash: str
    parent_hash: str
    timestamp: int


class IndexStore:
    """What only the indexer writes. The newest row of `blocks` is its cursor."""

    def __init__(self, database: Database) -> None:
        self.database = database

    async def belongs_to(self, identity: Mapping[str, str]) -> None:
        """Writes down which chain these rows come from, or raises StoreMismatch if they come from another."""
        async with self.database.write() as connection:
            await check_facts(connection, facts, identity)

    async def apply(self, new_blocks: Sequence[IndexedBlock], rows: Mapping[str, Sequence[Mapping[str, Any]]]) -> None:
        """Adds blocks and all their rows at once, so that the cursor and the rows never disagree.

        Raises StoreUnavailable if the first of them does not go on from the newest block: another moved it meanwhile.
        """
        first = new_blocks[0]

        def write(connection: Connection) -> None:
            newest = connection.execute(_NEWEST).one_or_none()
            if newest is not None and (newest.number + 1, newest.hash) != (first.number, first.parent_hash):
                raise StoreUnavailable(f"another wrote into the index: it stands at block {newest.number}")
            for table, found in rows.items():
                add_rows(connection, EVENT_TABLES[table], found)
            add_rows(connection, blocks, [vars(block) for block in new_blocks])

        await self.database.writing(write)

    async def undo(self, after: int) -> None:
        """Takes back every block above number `after`, and all their rows."""
        async with self.database.write() as connection:
            for table in EVENT_TABLES.values():
                await connection.execute(delete(table).where(table.c.block_number > after))
            await connection.execute(delete(blocks).where(blocks.c.number > after))

    async def head(self) -> IndexedBlock | None:
        """The newest block that the rows stand on."""
        found = await self.newest(1)
        return found[0] if found else None

    async def newest(self, count: int) -> list[IndexedBlock]:
        """The newest blocks, newest first."""
        return await self._blocks(select(blocks).order_by(blocks.c.number.desc()).limit(count))

    async def block(self, number: int) -> IndexedBlock | None:
        """The block of that number."""
        found = await self._blocks(select(blocks).where(blocks.c.number == number))
        return found[0] if found else None

    async def below(self, number: int, count: int) -> list[IndexedBlock]:
        """Up to `count` blocks at or below `number`, newest first."""
        return await self._blocks(
            select(blocks).where(blocks.c.number <= number).order_by(blocks.c.number.desc()).limit(count)
        )

    async def digest(self) -> str:
        """SHA-256 over every row of every table in order: equal for equal projections."""
        return await self.database.reading(_digest)

    async def counts(self) -> dict[str, int]:
        """Rows per table."""
        async with self.database.read() as connection:
            return {
                name: int((await connection.execute(select(func.count()).select_from(table))).scalar_one())
                for name, table in (("blocks", blocks), *EVENT_TABLES.items())
            }

    async def drop(self) -> None:
        """Forgets everything, the schema included, so that it can be built from nothing."""
        await self.database.drop(metadata)
        await self.database.migrate()

    async def _blocks(self, query: Any) -> list[IndexedBlock]:
        return await self.database.reading(lambda c: [IndexedBlock(**row) for row in c.execute(query).mappings()])


def _digest(connection: Connection) -> str:
    total = hashlib.sha256()
    for table in (blocks, *EVENT_TABLES.values()):
        total.update(f"{table.name}\n".encode())
        order = [_by_bytes(column, connection.dialect.name) for column in table.primary_key]
        query = select(table).order_by(*order).execution_options(yield_per=_AT_ONCE)
        for rows in connection.execute(query).partitions():
            total.update("".join(repr(tuple(row)) for row in rows).encode())
    return total.hexdigest()


def _by_bytes(column: Column[Any], dialect: str) -> ColumnElement[Any]:
    """What sorts the same on every database: SQLite compares texts by their bytes, PostgreSQL as people do."""
    return collate(column, "C") if dialect == "postgresql" and isinstance(column.type, String) else column
