"""Meters, assets and readings."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import bindparam, func, or_, select, tuple_

from gridweave.store.event_tables import blocks
from gridweave.store.index_tables import assets, delegations, meter_ends, meter_moves, meters, readings, settlements
from gridweave.store.reading import Page, Reader, Row

__all__ = ["MeterReads", "is_within_bounds"]

_CHUNK = 400


class MeterReads(Reader):
    """What the chain says of meters."""

    async def meter(self, meter: int) -> Row | None:
        """One meter, as in `meters`."""
        return (await self.meters([meter])).get(meter)

    async def meters(self, ids: Sequence[int]) -> dict[int, Row]:
        """Meters by id, in force from `from_slot` up to `until_slot` (None: open); unknown ids are missing."""
        found: dict[int, Row] = {}
        for start in range(0, len(ids), _CHUNK):
            rows = await self._rows(_BOUNDED_BY_ID, ids=ids[start : start + _CHUNK])
            found |= {row["meter"]: row for row in rows}
        return found

    async def page(
        self, *, device: str | None, account: str | None, market: int | None, cursor: str | None, limit: int
    ) -> Page:
        """Meters of a device, an account, a market, or all. Raises CursorInvalid."""
        wanted = {"device": device, "account": account, "market": market}
        conditions = [meters.c[name] == value for name, value in wanted.items() if value is not None]
        found = await self._page(meters, cursor, limit, *conditions)
        bounded = await self.meters([row["meter"] for row in found.rows])
        return Page([bounded[row["meter"]] for row in found.rows], found.next_cursor)

    async def assets(self, meter: int) -> list[Row]:
        """What stands behind a meter."""
        return await self._rows(select(assets).where(assets.c.meter == meter).order_by(assets.c.asset))

    async def readings(self, meter: int, first: int, last: int, cursor: str | None, limit: int) -> Page:
        """Readings of a meter in the slots first..last, corrections included, in chain order. Raises CursorInvalid."""
        return await self._page(
            readings, cursor, limit, readings.c.meter == meter, readings.c.slot.between(first, last)
        )

    async def reading(self, meter: int, slot: int, version: int) -> Row | None:
        """One version of a reading."""
        return await self._latest(readings, meter=meter, slot=slot, version=version)

    async def newest_versions(self, places: Sequence[tuple[int, int]]) -> dict[tuple[int, int], int]:
        """The newest recorded version by (meter, slot); places without a reading are missing."""
        found: dict[tuple[int, int], int] = {}
        for start in range(0, len(places), _CHUNK):
            for row in await self._rows(_VERSIONS, places=places[start : start + _CHUNK]):
                found[row["meter"], row["slot"]] = row["newest"]
        return found

    async def standing(self, market: int, slot: int, time: int) -> set[int]:
        """Meters of a market that are in force in a slot and were registered when it began, at chain time `time`."""
        query = _BOUNDED.join(blocks, blocks.c.number == meters.c.block_number)
        rows = await self._rows(query.where(meters.c.market == market, blocks.c.timestamp <= time))
        return {row["meter"] for row in rows if is_within_bounds(row, slot)}

    async def scopes(self, pairs: Sequence[tuple[str, str]]) -> dict[tuple[str, str], dict[int, Row]]:
        """By (account, delegate), the newest delegation of each meter; 0 stands for all without one of their own."""
        found: dict[tuple[str, str], dict[int, Row]] = {pair: {} for pair in pairs}
        for start in range(0, len(pairs), _CHUNK):
            wanted = tuple_(delegations.c.account, delegations.c.delegate).in_(pairs[start : start + _CHUNK])
            newest_last = (delegations.c.block_number, delegations.c.log_index)
            for row in await self._rows(select(delegations).where(wanted).order_by(*newest_last)):
                found[row["account"], row["delegate"]][row["meter"]] = row
        return found

    async def delegations(self, who: str) -> list[Row]:
        """What `who` lets others order, and what others let it order: the newest of each meter, those ended too."""
        rows = await self._rows(
            select(delegations)
            .where(or_(delegations.c.account == who, delegations.c.delegate == who))
            .order_by(delegations.c.block_number, delegations.c.log_index)
        )
        return list({(row["account"], row["delegate"], row["meter"]): row for row in rows}.values())

    async def settled(self, market: int, slot: int) -> set[int]:
        """Meters of a market that are settled for a slot."""
        query = (
            select(settlements.c.meter)
            .join(meters, meters.c.meter == settlements.c.meter)
            .where(settlements.c.slot == slot, meters.c.market == market)
        )
        return {row["meter"] for row in await self._rows(query)}


def is_within_bounds(row: Row, slot: int) -> bool:
    """Whether a meter's row has it in force in the slot."""
    until = row["until_slot"]
    return bool(row["from_slot"] <= slot and (until is None or slot < until))


_BOUNDED = (
    select(meters, func.coalesce(meter_moves.c.from_slot, 0).label("from_slot"), meter_ends.c.until_slot)
    .outerjoin(meter_moves, meter_moves.c.begun == meters.c.meter)
    .outerjoin(meter_ends, meter_ends.c.meter == meters.c.meter)
)
"""Meters with their bounds: each begins and ends at most once."""

_PLACE = (readings.c.meter, readings.c.slot)
_VERSIONS = (
    select(*_PLACE, func.max(readings.c.version).label("newest"))
    .where(tuple_(*_PLACE).in_(bindparam("places", expanding=True)))
    .group_by(*_PLACE)
)
_BOUNDED_BY_ID = _BOUNDED.where(meters.c.meter.in_(bindparam("ids", expanding=True)))
