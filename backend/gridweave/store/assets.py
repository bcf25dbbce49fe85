"""Energy assets: what stands behind which meter on which feeder, their states, and what their meters gave."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Sequence
from itertools import islice
from typing import Any

from sqlalchemy import Connection, Select, func, select, tuple_

from gridweave.store.event_tables import blocks
from gridweave.store.index_tables import asset_states, assets, readings
from gridweave.store.reading import Page, Reader, Row

__all__ = ["AssetReads"]

_CHUNK = 400


class AssetReads(Reader):
    """What the chain says of assets. A row is one of `assets` with `registered_at`, its block's chain time."""

    async def asset(self, asset: int) -> Row | None:
        """One asset."""
        return await self._row(_ASSETS.where(assets.c.asset == asset))

    async def page(self, *, feeder: int | None, kind: int | None, cursor: str | None, limit: int) -> Page:
        """Assets of a feeder, a kind, or all. Raises CursorInvalid."""
        wanted = {"feeder": feeder, "kind": kind}
        conditions = [assets.c[name] == value for name, value in wanted.items() if value is not None]
        found = await self._page(assets, cursor, limit, *conditions)
        times = await self._rows(_TIMES.where(blocks.c.number.in_({row["block_number"] for row in found.rows})))
        time_of = {row["number"]: row["timestamp"] for row in times}
        return Page([row | {"registered_at": time_of[row["block_number"]]} for row in found.rows], found.next_cursor)

    async def alike(self, groups: Collection[tuple[int, int]], most: int) -> list[Row]:
        """Assets of these (feeder, kind) by their numbers, at most so many of each."""
        rank = func.row_number().over(partition_by=(assets.c.feeder, assets.c.kind), order_by=assets.c.asset)
        found: list[Row] = []
        for chunk in _chunks(sorted(groups)):
            ranked = _ASSETS.add_columns(rank.label("rank")).where(tuple_(assets.c.feeder, assets.c.kind).in_(chunk))
            inner = ranked.subquery()
            found += await self._rows(select(inner).where(inner.c.rank <= most).order_by(inner.c.asset))
        return found

    async def behind(self, meters: Collection[int]) -> list[Row]:
        """All assets behind these meters by their numbers."""
        found: list[Row] = []
        for chunk in _chunks(sorted(meters)):
            found += await self._rows(_ASSETS.where(assets.c.meter.in_(chunk)).order_by(assets.c.asset))
        return found

    async def states(self, ids: Collection[int]) -> dict[int, list[Row]]:
        """Rows of `asset_states` by asset, oldest first; assets without any are missing."""
        found: dict[int, list[Row]] = defaultdict(list)
        order = (asset_states.c.block_number, asset_states.c.log_index)
        for chunk in _chunks(sorted(ids)):
            for row in await self._rows(select(asset_states).where(asset_states.c.asset.in_(chunk)).order_by(*order)):
                found[row["asset"]].append(row)
        return found

    async def exports(self, meters: Collection[int], first: int, last: int) -> dict[int, dict[int, int]]:
        """Exported Wh of the newest reading by meter and slot, in the slots first..last."""
        return await self._db.reading(lambda connection: _exports(connection, sorted(meters), first, last))

    async def last_slots(self, meters: Collection[int]) -> dict[int, int]:
        """The newest slot with a reading by meter; meters without any are missing."""
        found: dict[int, int] = {}
        newest = select(readings.c.meter, func.max(readings.c.slot).label("slot")).group_by(readings.c.meter)
        for chunk in _chunks(sorted(meters)):
            for row in await self._rows(newest.where(readings.c.meter.in_(chunk))):
                found[row["meter"]] = row["slot"]
        return found


def _exports(connection: Connection, meters: Sequence[int], first: int, last: int) -> dict[int, dict[int, int]]:
    found: dict[int, dict[int, int]] = defaultdict(dict)
    place = (readings.c.meter, readings.c.slot, readings.c.version)
    for chunk in _chunks(meters):
        query = select(readings.c.meter, readings.c.slot, readings.c.export_wh).where(
            readings.c.meter.in_(chunk), readings.c.slot.between(first, last)
        )
        for meter, slot, export_wh in connection.execute(query.order_by(*place)):
            found[meter][slot] = export_wh  # a later version takes the place of an earlier one
    return found


def _chunks(items: Iterable[Any]) -> Iterator[list[Any]]:
    rest = iter(items)
    while chunk := list(islice(rest, _CHUNK)):
        yield chunk


_ASSETS: Select[Any] = select(assets, blocks.c.timestamp.label("registered_at")).join(
    blocks, blocks.c.number == assets.c.block_number
)
_TIMES = select(blocks.c.number, blocks.c.timestamp)
