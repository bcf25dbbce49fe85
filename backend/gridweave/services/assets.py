"""Assets as an operator looks at them: where they stand, what they gave beside their like, and what stands out."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from gridweave.domain.acts import AssetKind, AssetState
from gridweave.domain.asset_life import AssetLife, Availability
from gridweave.domain.asset_performance import Figures, Flag, Group, MeasuredAsset, flags_of
from gridweave.services.errors import NotFound, RequestInvalid
from gridweave.services.world import World
from gridweave.store.reading import Page, Row

__all__ = ["LIST_SLOTS", "MOST_ALIKE", "MOST_SLOTS", "AssetView", "asset", "assets"]

MOST_SLOTS = 3_200
"""Slots that an asset's figures may span: a month of quarter hours and a bit, as a bill's."""

DEFAULT_SLOTS = 672
"""Slots of an asset's figures where none are named: a week of quarter hours."""

LIST_SLOTS = 96
"""Slots of the figures in a list: a day of quarter hours."""

MOST_ALIKE = 256
"""Assets of one kind on one feeder that are held against each other, those registered first."""


@dataclass(frozen=True)
class AssetView:
    """An asset's row with its meter's, and its figures in the slots first..last."""

    row: Row
    meter: Row
    states: Sequence[Row]
    life: AssetLife
    first: int
    last: int
    last_seen: int | None
    availability: Availability
    figures: Figures
    flags: tuple[Flag, ...]

    @property
    def place(self) -> Row:
        """The newest of the rows about it."""
        return self.states[-1] if self.states else self.row


async def assets(world: World, *, feeder: int | None, kind: AssetKind | None, cursor: str | None, limit: int) -> Page:
    """Assets of a feeder, a kind or all, each as an AssetView under `view`, over the newest LIST_SLOTS slots.

    Raises CursorInvalid.
    """
    world = world.still()
    found = await world.reads.assets.page(feeder=feeder, kind=kind, cursor=cursor, limit=limit)
    last = _newest(world)
    views = await _views(world, found.rows, max(0, last - LIST_SLOTS + 1), last)
    return replace(found, rows=[view.place | {"view": view} for view in views])


async def asset(world: World, number: int, first: int | None, last: int | None) -> AssetView:
    """One asset in the slots first..last, of which those that are still going on are left out.

    Raises NotFound, RequestInvalid.
    """
    world = world.still()
    first, last = _window(world, first, last)
    row = await world.reads.assets.asset(number)
    if row is None:
        raise NotFound("UnknownAsset", "no such asset is registered", {"asset": number})
    (view,) = await _views(world, [row], first, last)
    return view


def _newest(world: World) -> int:
    """The newest slot that is over."""
    return max(0, world.clock.slot_at(world.heads.time) - 1)


def _window(world: World, first: int | None, last: int | None) -> tuple[int, int]:
    newest = _newest(world)
    if first is None and last is None:
        return max(0, newest - DEFAULT_SLOTS + 1), newest
    if first is None or last is None or not first <= last < first + MOST_SLOTS:
        message = f"name both from and to, 1 to {MOST_SLOTS} slots"
        raise RequestInvalid("SpanNotAllowed", message, {"from": first, "to": last})
    return first, min(last, max(newest, first - 1))


@dataclass(frozen=True)
class _Material:
    """What the figures of some assets in the slots first..last are made of."""

    first: int
    last: int
    alike: Sequence[Row]
    states: Mapping[int, Sequence[Row]]
    meters: Mapping[int, Row]
    exports: Mapping[int, Mapping[int, int]]
    seen: Mapping[int, int]
    measured: Mapping[int, MeasuredAsset]


async def _views(world: World, rows: Sequence[Row], first: int, last: int) -> list[AssetView]:
    material = await _material(world, rows, first, last)
    return await asyncio.to_thread(_look, world, material, rows)


async def _material(world: World, rows: Sequence[Row], first: int, last: int) -> _Material:
    reads = world.reads.assets
    alike = await reads.alike({(row["feeder"], row["kind"]) for row in rows if row["feeder"]}, MOST_ALIKE)
    numbers = {row["meter"] for row in (*rows, *alike)}
    behind = {row["asset"]: row for row in (*await reads.behind(numbers), *rows)}
    states = await reads.states(behind)
    meters = await world.reads.meters.meters(sorted(numbers))
    exports = await reads.exports(numbers, first, last)
    seen = await reads.last_slots({row["meter"] for row in rows})
    measured = _measured(world, list(behind.values()), states, meters)
    return _Material(first, last, alike, states, meters, exports, seen, measured)


def _look(world: World, material: _Material, rows: Sequence[Row]) -> list[AssetView]:
    first, last = material.first, material.last
    found: dict[tuple[int, int], list[MeasuredAsset]] = defaultdict(list)
    for row in material.alike:
        found[row["feeder"], row["kind"]].append(material.measured[row["asset"]])
    groups = {key: Group(those, material.exports, first, last, world.clock) for key, those in found.items()}
    alone = Group((), material.exports, first, last, world.clock)
    return [_view(world, material, groups.get((row["feeder"], row["kind"]), alone), row) for row in rows]


def _view(world: World, material: _Material, group: Group, row: Row) -> AssetView:
    measured = material.measured[row["asset"]]
    life, clock = measured.life, world.clock
    figures = group.figures(measured)
    availability = life.availability(clock.start(material.first), clock.end(material.last))
    last_seen = _last_seen(world, life, material.seen.get(row["meter"]))
    return AssetView(
        row=row,
        meter=material.meters[row["meter"]],
        states=material.states.get(row["asset"], ()),
        life=life,
        first=material.first,
        last=material.last,
        last_seen=last_seen,
        availability=availability,
        figures=figures,
        flags=flags_of(measured, availability, figures, last_seen, world.heads.time),
    )


def _measured(
    world: World, rows: Sequence[Row], states: Mapping[int, Sequence[Row]], meters: Mapping[int, Row]
) -> dict[int, MeasuredAsset]:
    lives: dict[int, AssetLife] = {}
    standing: dict[int, list[int]] = defaultdict(list)
    for row in rows:
        until = meters[row["meter"]]["until_slot"]
        changes = [(AssetState(told["state"]), told["since"]) for told in states.get(row["asset"], ())]
        ends = None if until is None else world.clock.start(until)
        lives[row["asset"]] = AssetLife(row["registered_at"], tuple(changes), ends)
        standing[row["meter"]].append(row["asset"])
    return {row["asset"]: _measure(row, lives, standing[row["meter"]]) for row in rows}


def _measure(row: Row, lives: Mapping[int, AssetLife], behind: Sequence[int]) -> MeasuredAsset:
    others = [lives[other] for other in behind if other != row["asset"]]
    return MeasuredAsset(
        asset=row["asset"],
        meter=row["meter"],
        kind=AssetKind(row["kind"]),
        nameplate_w=row["nameplate_w"],
        life=lives[row["asset"]],
        others=tuple((other.registered_at, other.ended_at) for other in others),
    )


def _last_seen(world: World, life: AssetLife, slot: int | None) -> int | None:
    """The newest of its last report and the end of its meter's last reading, in what was its life."""
    ended = life.ended_at
    times = [] if life.since is None else [life.since]
    if slot is not None and world.clock.end(slot) > life.registered_at:
        end = world.clock.end(slot)
        times.append(end if ended is None else min(end, ended))
    return max(times, default=None)
