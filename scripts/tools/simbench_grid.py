"""What the demo's extracts read of SimBench's grid, in whole numbers."""

from __future__ import annotations

import warnings
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from zoneinfo import ZoneInfo

SOURCE = "SimBench, Python package simbench 1.6.1, data of the year 2016, https://simbench.de/en/"
ATTRIBUTION = (
    "S. Meinecke, D. Sarajlić, S. R. Drauz, A. Klettke, L.-P. Lauven, C. Rehtanz, A. Moser, M. Braun: SimBench - A "
    "Benchmark Dataset of Electric Power Systems to Compare Innovative Solutions Based on Power Flow Analysis, "
    "Energies 13(12), 3290, 2020, https://doi.org/10.3390/en13123290"
)
LICENCE = "ODbL-1.0, https://opendatacommons.org/licenses/odbl/1-0/"
GRID = "1-LV-rural3--2-sw"
TIME_ZONE = "Europe/Berlin"

SLOT_SECONDS = 900
SLOTS = 96
SUMMER = (6, 7, 8)
BILLION = 1_000_000_000


@dataclass(frozen=True)
class Unit:
    """A load or a generator of the grid: `rated_w` in W, `shape` names its profile."""

    name: str
    bus: int
    rated_w: int
    shape: str


@dataclass(frozen=True)
class Store:
    """A battery of the grid: `rated_w` W both ways, `capacity_wh` Wh."""

    name: str
    bus: int
    rated_w: int
    capacity_wh: int
    efficiency_permille: int


@dataclass(frozen=True)
class Grid:
    """What the rules read of a SimBench grid. `shapes` give rated power in parts per billion, one per label."""

    days: Sequence[date]
    shapes: dict[str, Sequence[int]]
    loads: Sequence[Unit]
    generators: Sequence[Unit]
    storages: Sequence[Store] = ()


def load_grid() -> Grid:
    """Read `GRID` from the installed simbench. Raises ModuleNotFoundError without it."""
    import simbench

    with warnings.catch_warnings():
        warnings.simplefilter("ignore", FutureWarning)
        net = simbench.get_simbench_net(GRID)
    load, sun = net.profiles["load"], net.profiles["renewables"]
    days = [datetime.strptime(f"{label} +0000", "%d.%m.%Y %H:%M %z").date() for label in load["time"]]
    shapes: dict[str, Sequence[int]] = {
        c.removesuffix("_pload"): _billionths(load[c]) for c in load if c.endswith("_pload")
    }
    shapes |= {column: _billionths(sun[column]) for column in sun if column != "time"}
    return Grid(days, shapes, _units(net.load), _units(net.sgen), _stores(net.storage))


def _billionths(column: Iterable[float]) -> list[int]:
    return [round(float(value) * BILLION) for value in column]


def _units(table: Any) -> list[Unit]:
    rows = table[["name", "bus", "p_mw", "profile"]].itertuples(index=False)
    return [Unit(str(name), int(bus), round(float(mw) * 1_000_000), str(shape)) for name, bus, mw, shape in rows]


def _stores(table: Any) -> list[Store]:
    rows = table[["name", "bus", "sn_mva", "max_e_mwh", "efficiency_percent"]].itertuples(index=False)
    return [
        Store(str(name), int(bus), round(float(mw) * 10**6), round(float(mwh) * 10**6), round(float(share) * 1_000))
        for name, bus, mw, mwh, share in rows
    ]


def half_up(numerator: int, denominator: int) -> int:
    """The nearest integer of a quotient that is not negative, halves upward."""
    return (2 * numerator + denominator) // (2 * denominator)


def sunniest_day(grid: Grid) -> date:
    """The summer day on which all generators of the grid yield most, the earliest of equals."""
    rated: Counter[str] = Counter()
    for unit in grid.generators:
        rated[unit.shape] += unit.rated_w
    energy: Counter[date] = Counter()
    for shape, watt in rated.items():
        for day, part in zip(grid.days, grid.shapes[shape], strict=True):
            if day.month in SUMMER:
                energy[day] += watt * part
    return min(energy, key=lambda day: (-energy[day], day))


def slot_energy(rated_w: int, parts: Sequence[int], permille: int = 1_000) -> list[int]:
    """Wh per slot of a unit whose power is `rated_w` x part / 10^9 x permille / 1000, half up."""
    return [half_up(rated_w * part * permille * SLOT_SECONDS, BILLION * 1_000 * 3_600) for part in parts]


def vary_load(unit: Unit, grid: Grid, annual_kwh: int) -> int:
    """The scale in permille that brings the unit's year in SimBench to `annual_kwh`."""
    own = unit.rated_w * sum(grid.shapes[unit.shape]) * SLOT_SECONDS
    return half_up(annual_kwh * 1_000 * 1_000 * BILLION * 3_600, own)


def rows_of(grid: Grid, day: date) -> list[int]:
    """Where the day's quarter hours stand. Raises ValueError for a day that is not `SLOTS` of them."""
    rows = [index for index, label in enumerate(grid.days) if label == day]
    if len(rows) != SLOTS:
        raise ValueError(f"{day} has {len(rows)} quarter hours, not {SLOTS}")
    return rows


def head_of(day: date, seed: int) -> dict[str, Any]:
    """What every extract says first: where its numbers come from, and of which day they are."""
    midnight = datetime(day.year, day.month, day.day, tzinfo=ZoneInfo(TIME_ZONE))
    return {
        "source": SOURCE,
        "attribution": ATTRIBUTION,
        "licence": LICENCE,
        "grid": GRID,
        "day": day.isoformat(),
        "timeZone": TIME_ZONE,
        "startsAt": int(midnight.timestamp()),
        "slotSeconds": SLOT_SECONDS,
        "seed": seed,
    }
