"""What an account held after a block, and what moved in the blocks between two.

Opening balances come from the moves' running balance and from the orders that are open then, not from all that was
before: what a statement costs grows with its period.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator

from sqlalchemy import ColumnElement, Connection, Table, func, select, tuple_

from gridweave.domain.orders import position_reference
from gridweave.domain.slots import RING, ring_index
from gridweave.store.event_tables import blocks
from gridweave.store.index_tables import balances, compensations, debts, meters, moves, placements, settlements
from gridweave.store.reading import Reader, Row

__all__ = ["StatementReads"]

_CHUNK = 5_000
_OF_ANY_VERSION = 26
"""How much of a reference, as hex, names market, slot and meter: what follows is the order's version."""


class StatementReads(Reader):
    """An account's book, as the chain's events keep it. A stretch of blocks leaves out its first, has its last."""

    async def last_block(self, before: int) -> int:
        """The newest block before that second, -1 if there is none."""
        newest = select(func.max(blocks.c.timestamp)).where(blocks.c.timestamp < before).scalar_subquery()
        row = await self._row(select(func.max(blocks.c.number).label("number")).where(blocks.c.timestamp == newest))
        return -1 if row is None or row["number"] is None else int(row["number"])

    async def available(self, account: str, block: int) -> int:
        """What was available after that block, micro."""
        query = select(moves.c.available).where(moves.c.account == account, moves.c.block_number <= block)
        row = await self._row(query.order_by(moves.c.block_number.desc(), moves.c.log_index.desc()))
        return int(row["available"]) if row else 0

    async def debts(self, account: str, block: int) -> tuple[int, int]:
        """(what it owed, what it was owed) after that block, micro."""
        owes = await self._owed(debts.c.debtor == account, block)
        return owes, await self._owed(debts.c.creditor == account, block)

    async def locked(self, account: str, bond: str, block: int, last_slot: int) -> int:
        """Collateral of its orders that were not settled by that block, micro.

        `bond` is who locks for other reasons; no order can have been for a slot beyond `last_slot`. A settlement takes
        all that lies there for its meter and slot, so that settled ones need no look.
        """
        since, places = await self._db.reading(lambda c: _unsettled(c, account, block, last_slot))
        query = select(moves.c.ref, moves.c.amount).where(
            moves.c.account == account,
            moves.c.block_number.between(since, block),
            moves.c.kind.in_(("locked", "released")),
            moves.c.counterparty != bond,
        )
        rows = await self._rows(query) if places else []
        return -sum(int(row["amount"]) for row in rows if row["ref"][:_OF_ANY_VERSION] in places)

    async def moves(self, account: str, after: int, until: int) -> AsyncIterator[Row]:
        """Its moves in these blocks in chain order: kind, counterparty, amount, tx_hash."""
        place = (moves.c.block_number, moves.c.log_index)
        query = (
            select(*place, moves.c.kind, moves.c.counterparty, moves.c.amount, moves.c.tx_hash)
            .where(moves.c.account == account, moves.c.block_number <= until)
            .order_by(*place)
        )
        behind = (after + 1, -1)
        while rows := await self._rows(query.where(tuple_(*place) > behind).limit(_CHUNK)):
            for row in rows:
                yield row
            behind = rows[-1]["block_number"], rows[-1]["log_index"]

    async def cash(self, account: str, after: int, until: int) -> int:
        """By how much the settlements of its meters in these blocks changed what the slots come to, micro."""
        before = settlements.alias()
        previous = (
            select(before.c.cash)
            .where(
                before.c.meter == settlements.c.meter,
                before.c.slot == settlements.c.slot,
                tuple_(before.c.block_number, before.c.log_index)
                < tuple_(settlements.c.block_number, settlements.c.log_index),
            )
            .order_by(before.c.block_number.desc(), before.c.log_index.desc())
            .limit(1)
            .scalar_subquery()
        )
        query = (
            select(settlements.c.cash, previous.label("previous"))
            .join(meters, meters.c.meter == settlements.c.meter)
            .where(meters.c.account == account, _within(settlements, after, until))
        )
        return sum(int(row["cash"]) - int(row["previous"] or 0) for row in await self._rows(query))

    async def legs(self, utility: str, after: int, until: int) -> int:
        """What settlements in these blocks moved between the utility and others, its gain."""
        inner = balances.alias()
        closing = (
            select(func.min(inner.c.log_index))
            .where(inner.c.block_number == moves.c.block_number, inner.c.log_index > moves.c.log_index)
            .scalar_subquery()
        )
        query = (
            select(moves.c.from_utility)
            .join_from(
                moves, balances, (balances.c.block_number == moves.c.block_number) & (balances.c.log_index == closing)
            )
            .where(balances.c.utility == utility, moves.c.kind == "settled", _within(moves, after, until))
        )
        return -sum(int(row["from_utility"]) for row in await self._rows(query))

    async def compensated(self, account: str) -> set[str]:
        """Transactions that paid it out of a bond."""
        query = select(compensations.c.tx_hash).where(compensations.c.account == account)
        return {row["tx_hash"] for row in await self._rows(query)}

    async def _owed(self, condition: ColumnElement[bool], block: int) -> int:
        newest = func.row_number().over(
            partition_by=(debts.c.debtor, debts.c.creditor),
            order_by=(debts.c.block_number.desc(), debts.c.log_index.desc()),
        )
        ranked = select(debts.c.owed, newest.label("rank")).where(condition, debts.c.block_number <= block).subquery()
        return sum(int(row["owed"]) for row in await self._rows(select(ranked.c.owed).where(ranked.c.rank == 1)))


def _unsettled(connection: Connection, account: str, block: int, last_slot: int) -> tuple[int, set[str]]:
    """(the first block with one of its orders not settled by that block, what their references begin with)."""
    since, places = block + 1, set()
    for meter in connection.execute(select(meters.c.meter).where(meters.c.account == account).distinct()).scalars():
        for market, slot, first in _unsettled_of(connection, meter, block, last_slot):
            since = min(since, first)
            places.add(f"0x{position_reference(market, slot, meter, 0).hex()}"[:_OF_ANY_VERSION])
    return since, places


def _unsettled_of(connection: Connection, meter: int, block: int, last_slot: int) -> Iterator[tuple[int, int, int]]:
    """(market, slot, block of the first order) of the meter's slots without a settlement, newest first.

    The contract lets a slot have a place of its ring only once no order of the one before lives: below the newest slot
    of every place there is nothing to find.
    """
    ring: set[int] = set()
    slot, first = placements.c.slot, func.min(placements.c.block_number)
    ordered = (
        select(func.min(placements.c.market), slot, first)
        .where(placements.c.meter == meter, placements.c.block_number <= block)
        .group_by(slot)
        .order_by(slot.desc())
        .limit(2 * RING)
    )
    while len(ring) < RING and (found := connection.execute(ordered.where(slot <= last_slot)).all()):
        settled = select(settlements.c.slot).where(
            settlements.c.meter == meter,
            settlements.c.slot.between(found[-1][1], last_slot),
            settlements.c.block_number <= block,
        )
        done = set(connection.execute(settled).scalars())
        yield from ((row[0], row[1], row[2]) for row in found if row[1] not in done)
        ring |= {ring_index(row[1]) for row in found}
        last_slot = found[-1][1] - 1


def _within(table: Table, after: int, until: int) -> ColumnElement[bool]:
    return (table.c.block_number > after) & (table.c.block_number <= until)
