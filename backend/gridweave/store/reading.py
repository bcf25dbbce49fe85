"""What the readers of projections share: rows as dictionaries, and pages that stay put under reorganisations."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from sqlalchemy import Select, Table, and_, or_, select

from gridweave.store.database import Database

__all__ = ["MOST_ROWS", "CursorInvalid", "Page", "Reader", "Row", "cursor_number"]

Row = dict[str, Any]
"""A row by column name, as `index_tables` declares it."""

MOST_ROWS = 1_000
_MOST_DIGITS = 18


class CursorInvalid(ValueError):
    """A cursor that no page gave out."""


@dataclass(frozen=True)
class Page:
    """Rows and where to go on; None at the end."""

    rows: list[Row]
    next_cursor: str | None


class Reader:
    """Base of the readers: each answers questions about one noun from the index."""

    def __init__(self, database: Database) -> None:
        self._db = database

    async def _rows(self, query: Any, **values: Any) -> list[Row]:
        """Rows of the query, `values` in the places that it leaves open."""
        return await self._db.reading(lambda c: [dict(row) for row in c.execute(query, values).mappings()])

    async def _row(self, query: Select[Any]) -> Row | None:
        found = await self._rows(query.limit(1))
        return found[0] if found else None

    async def _latest(self, table: Table, **where: Any) -> Row | None:
        """The newest row with these column values."""
        conditions = [table.c[name] == value for name, value in where.items()]
        newest = (table.c.block_number.desc(), table.c.log_index.desc())
        return await self._row(select(table).where(*conditions).order_by(*newest))

    async def _page(self, table: Table, cursor: str | None, limit: int, *conditions: Any) -> Page:
        """Rows in chain order behind `cursor`. Raises CursorInvalid."""
        size = max(1, min(limit, MOST_ROWS))
        query = select(table).where(*conditions)
        if cursor is not None:
            block, log = _place(cursor)
            later = and_(table.c.block_number == block, table.c.log_index > log)
            query = query.where(or_(table.c.block_number > block, later))
        rows = await self._rows(query.order_by(table.c.block_number, table.c.log_index).limit(size + 1))
        last = rows[size - 1] if len(rows) > size else None
        return Page(rows[:size], f"{last['block_number']}.{last['log_index']}" if last else None)


def cursor_number(digits: str, cursor: str) -> int:
    """A number out of a cursor, one that a column can hold. Raises CursorInvalid."""
    if not (digits.isascii() and digits.isdecimal() and len(digits) <= _MOST_DIGITS):
        raise CursorInvalid(cursor)
    return int(digits)


def _place(cursor: str) -> tuple[int, int]:
    block, dot, log = cursor.partition(".")
    if not dot:
        raise CursorInvalid(cursor)
    return cursor_number(block, cursor), cursor_number(log, cursor)
