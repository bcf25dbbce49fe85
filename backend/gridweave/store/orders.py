"""Orders as the chain holds them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, Integer, Select, Subquery, Table, bindparam, func, null, select, tuple_, union_all

from gridweave.store.index_tables import cancellations, clearings, placements, refusals, settlements
from gridweave.store.reading import Reader, Row

__all__ = ["OrderReads", "OrderTrace"]

_CHUNK = 400

Where = Callable[[Table], ColumnElement[bool]]


@dataclass(frozen=True)
class OrderTrace:
    """Every row that names one digest: where it was placed or cancelled, or last refused."""

    placed: Row | None = None
    cancelled: Row | None = None
    refused: Row | None = None


class OrderReads(Reader):
    """Orders, cancels and what became of them. An act's `energy_wh` is None where it cancels."""

    async def traces(self, digests: Sequence[str]) -> dict[str, OrderTrace]:
        """Traces by digest; a digest that the chain never saw is missing."""
        found: dict[str, dict[str, Row]] = {}
        for name, table in (("placed", placements), ("cancelled", cancellations), ("refused", refusals)):
            for start in range(0, len(digests), _CHUNK):
                query = select(table).where(table.c.digest.in_(digests[start : start + _CHUNK]))
                for row in await self._rows(query.order_by(table.c.block_number, table.c.log_index)):
                    found.setdefault(row["digest"], {})[name] = row
        return {digest: OrderTrace(**rows) for digest, rows in found.items()}

    async def of_meter(self, meter: int, slot: int | None, limit: int) -> list[Row]:
        """A meter's newest acts, oldest first."""
        acts = _acts(lambda t: t.c.meter == meter if slot is None else (t.c.meter == meter) & (t.c.slot == slot))
        newest = select(acts).order_by(acts.c.block_number.desc(), acts.c.log_index.desc()).limit(limit)
        return (await self._rows(newest))[::-1]

    async def newest(self, places: Sequence[tuple[int, int]]) -> dict[tuple[int, int], Row]:
        """The newest act of each (meter, slot) that has one, and under `acts` how many there were."""
        found: dict[tuple[int, int], Row] = {}
        for start in range(0, len(places), _CHUNK):
            chunk = places[start : start + _CHUNK]
            acts = _acts(lambda t, chunk=chunk: tuple_(t.c.meter, t.c.slot).in_(chunk))  # type: ignore[misc]
            for row in await self._rows(select(acts).order_by(acts.c.version)):
                place = row["meter"], row["slot"]
                earlier = found[place]["acts"] if place in found else 0
                found[place] = row | {"acts": earlier + 1}
        return found

    async def newest_of_slots(self, slots: Sequence[int]) -> dict[int, dict[int, Row]]:
        """The newest act of every meter in each of these slots, and under `acts` how many there were."""
        found: dict[int, dict[int, Row]] = {slot: {} for slot in slots}
        for row in await self._rows(_OF_SLOTS, slots=slots):
            of_slot = found[row["slot"]]
            earlier = of_slot[row["meter"]]["acts"] if row["meter"] in of_slot else 0
            of_slot[row["meter"]] = row | {"acts": earlier + 1}
        return found

    async def live(self, market: int, slot: int) -> list[Row]:
        """Orders that stand in the slot's book, one a meter at most."""
        acts = _acts(lambda t: (t.c.market == market) & (t.c.slot == slot))
        rank = func.row_number().over(partition_by=acts.c.meter, order_by=acts.c.version.desc()).label("rank")
        ranked = select(acts, rank).subquery()
        query = select(ranked).where(ranked.c.rank == 1, ranked.c.energy_wh.is_not(None))
        return await self._rows(query.order_by(ranked.c.meter))

    async def settlement(self, meter: int, slot: int) -> Row | None:
        """The newest settlement of a meter in a slot."""
        return await self._latest(settlements, meter=meter, slot=slot)

    async def uncleared(self, first: int, before: int) -> list[tuple[int, int]]:
        """(market, slot) with first <= slot < before into which something was placed and which nobody has cleared."""
        same = (clearings.c.market == placements.c.market) & (clearings.c.slot == placements.c.slot)
        query = (
            select(placements.c.market, placements.c.slot)
            .where(placements.c.slot >= first, placements.c.slot < before)
            .where(~select(clearings.c.slot).where(same).exists())
            .distinct()
            .order_by(placements.c.slot, placements.c.market)
        )
        return [(row["market"], row["slot"]) for row in await self._rows(query)]


def _acts(where: Where) -> Subquery:
    """Placements and cancellations alike."""
    common = ("block_number", "log_index", "tx_hash", "digest", "market", "slot", "meter", "version", "deadline")
    bare: tuple[Any, ...] = tuple(null().cast(Integer).label(name) for name in ("side", "energy_wh", "limit_price"))
    placed = select(
        *(placements.c[name] for name in common), placements.c.side, placements.c.energy_wh, placements.c.limit_price
    ).where(where(placements))
    cancelled = select(*(cancellations.c[name] for name in common), *bare).where(where(cancellations))
    return union_all(placed, cancelled).subquery()


def _of_slots() -> Select[Any]:
    acts = _acts(lambda t: t.c.slot.in_(bindparam("slots", expanding=True)))
    return select(acts).order_by(acts.c.version)


_OF_SLOTS = _of_slots()
"""Built once: it is asked whenever somebody is the first to order in a slot."""
