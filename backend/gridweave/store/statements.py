"""What an account held at a moment, and what moved between two, by chain time."""

from __future__ import annotations

from collections.abc import AsyncIterator

from sqlalchemy import Select, func, select, tuple_

from gridweave.store.columns import Micro
from gridweave.store.index_tables import balances, blocks, compensations, debts, meters, moves, settlements
from gridweave.store.reading import Reader, Row

__all__ = ["StatementReads"]

_CHUNK = 5_000


class StatementReads(Reader):
    """An account's book, as the chain's events keep it."""

    async def available(self, account: str, before: int) -> int:
        """What was available before that second, micro."""
        query = _timed(select(moves.c.available), moves, before).where(moves.c.account == account)
        row = await self._row(query.order_by(moves.c.block_number.desc(), moves.c.log_index.desc()))
        return int(row["available"]) if row else 0

    async def debts(self, account: str, before: int) -> tuple[int, int]:
        """(what it owed, what it was owed) before that second, micro."""
        owes = await self._owed(debts.c.debtor == account, before)
        return owes, await self._owed(debts.c.creditor == account, before)

    async def moves(self, account: str, before: int) -> AsyncIterator[Row]:
        """Its moves before that second in chain order: kind, counterparty, amount, timestamp, tx_hash."""
        place = (moves.c.block_number, moves.c.log_index)
        columns = (*place, moves.c.kind, moves.c.counterparty, moves.c.amount, moves.c.tx_hash, blocks.c.timestamp)
        query = _timed(select(*columns), moves, before).where(moves.c.account == account).order_by(*place)
        behind = (-1, -1)
        while rows := await self._rows(query.where(tuple_(*place) > behind).limit(_CHUNK)):
            for row in rows:
                yield row
            behind = rows[-1]["block_number"], rows[-1]["log_index"]

    async def cash(self, account: str, before: int) -> AsyncIterator[Row]:
        """What each settlement of its meters before that second changed: cash, previous (None at first), timestamp."""
        place = (settlements.c.block_number, settlements.c.log_index)
        whose = (settlements.c.meter, settlements.c.slot)
        previous = func.lag(settlements.c.cash, type_=Micro).over(partition_by=whose, order_by=place)
        changes = (
            select(*place, settlements.c.cash, previous.label("previous"))
            .join(meters, meters.c.meter == settlements.c.meter)
            .where(meters.c.account == account)
            .subquery()
        )
        query = _timed(select(changes.c.cash, changes.c.previous, blocks.c.timestamp), changes, before)
        for row in await self._rows(query):
            yield row

    async def legs(self, utility: str, after: int, before: int) -> int:
        """What settlements between these seconds, `before` left out, moved between the utility and others, its gain."""
        inner = balances.alias()
        closing = (
            select(func.min(inner.c.log_index))
            .where(inner.c.block_number == moves.c.block_number, inner.c.log_index > moves.c.log_index)
            .scalar_subquery()
        )
        query = (
            _timed(select(moves.c.from_utility), moves, before)
            .join(balances, (balances.c.block_number == moves.c.block_number) & (balances.c.log_index == closing))
            .where(balances.c.utility == utility, moves.c.kind == "settled", blocks.c.timestamp >= after)
        )
        return -sum(int(row["from_utility"]) for row in await self._rows(query))

    async def compensated(self, account: str) -> set[str]:
        """Transactions that paid it out of a bond."""
        query = select(compensations.c.tx_hash).where(compensations.c.account == account)
        return {row["tx_hash"] for row in await self._rows(query)}

    async def _owed(self, condition: object, before: int) -> int:
        newest = func.row_number().over(
            partition_by=(debts.c.debtor, debts.c.creditor),
            order_by=(debts.c.block_number.desc(), debts.c.log_index.desc()),
        )
        ranked = _timed(select(debts.c.owed, newest.label("rank")), debts, before).where(condition).subquery()  # type: ignore[arg-type]
        return sum(int(row["owed"]) for row in await self._rows(select(ranked.c.owed).where(ranked.c.rank == 1)))


def _timed(query: Select, table: object, before: int) -> Select:  # type: ignore[type-arg]
    """The query over rows of a table whose block stands before that second."""
    in_block = blocks.c.number == table.c.block_number  # type: ignore[attr-defined]
    return query.join_from(table, blocks, in_block).where(blocks.c.timestamp < before)  # type: ignore[arg-type]
