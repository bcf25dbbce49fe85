"""Accounts: what moved, what is owed, and what bills are made of."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import ColumnElement, Connection, bindparam, func, select

from gridweave.store.columns import Micro
from gridweave.store.event_tables import blocks
from gridweave.store.index_tables import debts, meters, moves, readings, settlements
from gridweave.store.reading import Page, Reader, Row

__all__ = ["AccountReads"]


class AccountReads(Reader):
    """What the chain's events say of accounts."""

    async def moves(self, account: str, cursor: str | None, limit: int) -> Page:
        """An account's moves in chain order. Raises CursorInvalid."""
        return await self._page(moves, cursor, limit, moves.c.account == account)

    async def standing(self, accounts: Sequence[str]) -> dict[str, tuple[int, bool]]:
        """(available after the newest move, whether it owes anything) by account."""
        return await self._db.reading(lambda connection: {name: _standing(connection, name) for name in accounts})

    async def debts(self, account: str) -> tuple[list[Row], list[Row]]:
        """(what it owes, what is owed to it), the newest row for each other party, settled ones left out."""
        return await self._debts(debts.c.debtor == account), await self._debts(debts.c.creditor == account)

    async def lines(self, account: str, first: int, last: int) -> list[Row]:
        """Settlements of the account's meters, as in `_lines`."""
        return await self._lines(meters.c.account == account, first, last)

    async def settled_meters(self, account: str, first: int, last: int) -> list[Row]:
        """The account's meters with settlements of slots first..last: meter, slots (how many), first, last."""
        slot = settlements.c.slot
        query = (
            select(
                settlements.c.meter,
                func.count(slot.distinct()).label("slots"),
                func.min(slot).label("first"),
                func.max(slot).label("last"),
            )
            .join(meters, meters.c.meter == settlements.c.meter)
            .where(meters.c.account == account, slot.between(first, last))
            .group_by(settlements.c.meter)
            .order_by(settlements.c.meter)
        )
        return await self._rows(query)

    async def lines_of_market(self, market: int, first: int, last: int) -> list[Row]:
        """Settlements of the market's meters, as in `_lines`."""
        return await self._lines(meters.c.market == market, first, last)

    async def lines_by_slot(self, market: int, first: int, last: int) -> dict[int, int]:
        """How many lines `lines_of_market` has of each slot that has any."""
        query = (
            select(settlements.c.slot, func.count(settlements.c.meter.distinct()).label("lines"))
            .join(meters, meters.c.meter == settlements.c.meter)
            .where(meters.c.market == market, settlements.c.slot.between(first, last))
            .group_by(settlements.c.slot)
        )
        return {row["slot"]: row["lines"] for row in await self._rows(query)}

    async def _lines(self, whose: ColumnElement[bool], from_slot: int, to_slot: int) -> list[Row]:
        """The newest settlement of each of these meters in each slot of a range, with the reading it paid.

        Columns of `settlements`, and `market`, `import_wh`, `export_wh` (None: settled without a reading), `timestamp`,
        `times` (how often it was settled) and `first_cash` (what it came to at first).
        """
        places = (settlements.c.meter, settlements.c.slot)
        newest_first = (settlements.c.block_number.desc(), settlements.c.log_index.desc())
        newest = func.row_number().over(partition_by=places, order_by=newest_first)
        times = func.count().over(partition_by=places)
        oldest_first = (settlements.c.block_number, settlements.c.log_index)
        first = func.first_value(settlements.c.cash, type_=Micro).over(partition_by=places, order_by=oldest_first)
        ranked = (
            select(
                settlements,
                meters.c.market,
                newest.label("rank"),
                times.label("times"),
                first.label("first_cash"),
            )
            .join(meters, meters.c.meter == settlements.c.meter)
            .where(whose, settlements.c.slot.between(from_slot, to_slot))
            .subquery()
        )
        paid = (
            (readings.c.meter == ranked.c.meter)
            & (readings.c.slot == ranked.c.slot)
            & (readings.c.version == ranked.c.reading_version)
        )
        query = (
            select(ranked, readings.c.import_wh, readings.c.export_wh, blocks.c.timestamp)
            .join(readings, paid, isouter=True)
            .join(blocks, blocks.c.number == ranked.c.block_number)
            .where(ranked.c.rank == 1)
            .order_by(ranked.c.slot, ranked.c.meter)
        )
        return await self._rows(query)

    async def _debts(self, condition: ColumnElement[bool]) -> list[Row]:
        pair = (debts.c.debtor, debts.c.creditor)
        newest = func.row_number().over(
            partition_by=pair, order_by=(debts.c.block_number.desc(), debts.c.log_index.desc())
        )
        ranked = select(debts, newest.label("rank")).where(condition).subquery()
        query = select(ranked).where(ranked.c.rank == 1).order_by(ranked.c.block_number, ranked.c.log_index)
        return [row for row in await self._rows(query) if row["owed"]]


_AVAILABLE = (
    select(moves.c.available)
    .where(moves.c.account == bindparam("name"))
    .order_by(moves.c.block_number.desc(), moves.c.log_index.desc())
    .limit(1)
)
_OWED = (
    select(debts.c.creditor, debts.c.owed)
    .where(debts.c.debtor == bindparam("name"))
    .order_by(debts.c.block_number, debts.c.log_index)
)


def _standing(connection: Connection, name: str) -> tuple[int, bool]:
    available = connection.execute(_AVAILABLE, {"name": name}).scalar()
    owed = dict(connection.execute(_OWED, {"name": name}).all())
    return available or 0, any(owed.values())
