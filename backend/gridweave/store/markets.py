"""Markets, their slots and their prices."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import func, select, tuple_

from gridweave.store.index_tables import clearings, closes, markets
from gridweave.store.reading import MOST_ROWS, Page, Reader, Row, cursor_number

__all__ = ["MarketReads"]

_CHUNK = 400


class MarketReads(Reader):
    """What the chain says of markets and slots."""

    async def terms(self, market: int | None = None) -> list[Row]:
        """Every version of one market's terms, or of all markets, oldest first."""
        query = select(markets).order_by(markets.c.market, markets.c.version)
        return await self._rows(query if market is None else query.where(markets.c.market == market))

    async def clearing(self, market: int, slot: int) -> Row | None:
        """The slot's clearing."""
        return await self._latest(clearings, market=market, slot=slot)

    async def clearings(self, market: int, slots: Sequence[int]) -> dict[int, Row]:
        """Clearings of these slots, by slot."""
        found: dict[int, Row] = {}
        for start in range(0, len(slots), _CHUNK):
            chunk = slots[start : start + _CHUNK]
            query = select(clearings).where(clearings.c.market == market, clearings.c.slot.in_(chunk))
            found |= {row["slot"]: row for row in await self._rows(query)}
        return found

    async def newest_clearings(self) -> list[Row]:
        """Each market's clearing of its newest cleared slot, by market."""
        newest = select(clearings.c.market, func.max(clearings.c.slot)).group_by(clearings.c.market)
        places = tuple_(clearings.c.market, clearings.c.slot).in_(newest)
        return await self._rows(select(clearings).where(places).order_by(clearings.c.market))

    async def close(self, market: int, slot: int) -> Row | None:
        """The slot's close."""
        return await self._latest(closes, market=market, slot=slot)

    async def closes(self, market: int, first: int, last: int) -> dict[int, Row]:
        """Closes of the slots first..last, by slot."""
        query = select(closes).where(closes.c.market == market, closes.c.slot.between(first, last))
        return {row["slot"]: row for row in await self._rows(query)}

    async def prices(self, market: int, first: int, last: int, cursor: str | None, limit: int) -> Page:
        """Clearings of the slots first..last by slot; the cursor is a slot. Raises CursorInvalid."""
        if cursor is not None:
            first = max(first, cursor_number(cursor, cursor) + 1)
        size = max(1, min(limit, MOST_ROWS))
        query = select(clearings).where(clearings.c.market == market, clearings.c.slot.between(first, last))
        rows = await self._rows(query.order_by(clearings.c.slot).limit(size + 1))
        return Page(rows[:size], str(rows[size - 1]["slot"]) if len(rows) > size else None)
