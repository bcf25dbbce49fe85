"""The neighbourhood's real day: every connection of one low-voltage grid with what stands behind its meter.

Pure: read from the package's own data and worked out by the rules that stand in it, in whole Wh.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date
from importlib.resources import files
from itertools import islice, zip_longest
from typing import Any

from gridweave.client.answering.battery import Battery
from gridweave.client.answering.flexible import CarVisit, HeatPump
from gridweave.demo.profiles import SLOTS, Home, StreetDay

__all__ = ["Connection", "HoodDay", "load_neighbourhood", "parse_neighbourhood"]

_BILLION = 1_000_000_000
_STAY_SLOTS = 32
_BUFFER_HOURS = 2

Raw = dict[str, Any]
Shapes = dict[str, list[int]]


@dataclass(frozen=True)
class Connection(Home):
    """A household or a business of the grid. `load_wh` is what it cannot shift; cars, heat and battery come on top.

    `rated_w` is the sum of all ratings behind the meter.
    """

    bus: int
    cars: tuple[CarVisit, ...]
    heat: tuple[HeatPump, ...]
    battery: Battery | None
    plug_w: int
    heat_w: int
    rated_w: int

    @property
    def has_plug(self) -> bool:
        return self.plug_w > 0

    @property
    def is_business(self) -> bool:
        return "(G" in self.simbench_load

    @property
    def group(self) -> str:
        """The first that holds: battery, roof, car or heat pump, business, plain."""
        if self.battery is not None:
            return "battery"
        if self.has_pv:
            return "roof"
        if self.has_plug or self.heat:
            return "car or heat pump"
        return "business" if self.is_business else "plain"


@dataclass(frozen=True)
class HoodDay(StreetDay):
    """One day of the grid. `drawn_yesterday_wh` and `given_yesterday_wh` are all loads and all roofs, Wh per slot."""

    connections: tuple[Connection, ...]
    drawn_yesterday_wh: tuple[int, ...]
    given_yesterday_wh: tuple[int, ...]

    def sample(self, homes: int) -> HoodDay:
        """The day of `homes` of its connections, of each kind in turn, in their order."""
        kinds: dict[str, list[Connection]] = {}
        for connection in self.connections:
            kinds.setdefault(connection.group, []).append(connection)
        turns = (found for turn in zip_longest(*kinds.values()) for found in turn if found is not None)
        names = {connection.name for connection in islice(turns, homes)}
        chosen = tuple(connection for connection in self.connections if connection.name in names)
        return replace(self, homes=chosen, connections=chosen)


def load_neighbourhood() -> HoodDay:
    """The day that ships with the package."""
    return parse_neighbourhood((files("gridweave.demo.data") / "neighbourhood.json").read_text(encoding="utf-8"))


def parse_neighbourhood(text: str) -> HoodDay:
    """The day from the JSON that `scripts/tools/extract_profiles.py` writes.

    Raises KeyError for a missing key, ValueError for shapes that are not `SLOTS` whole parts or for energies whose
    sums are not those that the file states.
    """
    raw = json.loads(text)
    shapes: Shapes = raw["shapes"]
    for name, parts in shapes.items():
        if len(parts) != SLOTS or any(type(part) is not int or part < 0 for part in parts):
            raise ValueError(f"shape {name} is not {SLOTS} whole parts of zero or more")
    seconds = int(raw["slotSeconds"])
    homes = tuple(_connection(entry, shapes, seconds) for entry in raw["homes"])
    _check_sums(raw["checkWh"], homes)
    yesterday = raw["yesterday"]
    drawn = zip(yesterday["loadWh"], yesterday["carsWh"], yesterday["heatWh"], strict=True)
    return HoodDay(
        source=raw["source"],
        attribution=raw["attribution"],
        licence=raw["licence"],
        grid=raw["grid"],
        day=date.fromisoformat(raw["day"]),
        time_zone=raw["timeZone"],
        starts_at=raw["startsAt"],
        slot_seconds=seconds,
        seed=raw["seed"],
        rule=raw["rule"],
        homes=homes,
        connections=homes,
        drawn_yesterday_wh=tuple(map(sum, drawn)),
        given_yesterday_wh=tuple(yesterday["pvWh"]),
    )


def _connection(raw: Raw, shapes: Shapes, seconds: int) -> Connection:
    load, roofs, batteries = raw["load"], raw.get("pv", []), raw.get("battery", [])
    plugs, pumps = raw.get("cars", []), raw.get("heat", [])
    whole = _energies(load, shapes, seconds)
    shift = load["shiftSlots"]
    return Connection(
        load_wh=tuple(whole[(slot - shift) % SLOTS] for slot in range(SLOTS)),
        pv_wh=tuple(map(sum, zip(*(_energies(roof, shapes, seconds) for roof in roofs), strict=True)))
        if roofs
        else (0,) * SLOTS,
        name=raw["name"],
        simbench_load=_origin(load),
        simbench_pv=", ".join(map(_origin, roofs)) or None,
        pv_peak_w=sum(roof["ratedW"] for roof in roofs),
        annual_load_kwh=0,
        load_permille=load["permille"],
        load_shift_slots=shift,
        bus=raw["bus"],
        cars=tuple(visit for plug in plugs for visit in _visits(_energies(plug, shapes, seconds), plug, seconds)),
        heat=tuple(_pump(_energies(pump, shapes, seconds), pump["ratedW"], seconds) for pump in pumps),
        battery=_battery(batteries[0]) if batteries else None,
        plug_w=sum(plug["ratedW"] for plug in plugs),
        heat_w=sum(pump["ratedW"] for pump in pumps),
        rated_w=sum(unit["ratedW"] for unit in [load, *roofs, *batteries, *plugs, *pumps]),
    )


def _origin(unit: Raw) -> str:
    return f"{unit['simbench']} ({unit['shape']})"


def _energies(unit: Raw, shapes: Shapes, seconds: int) -> list[int]:
    """Wh per slot, half up."""
    watt = unit["ratedW"] * unit.get("permille", 1_000) * seconds
    whole = _BILLION * 1_000 * 3_600
    return [(2 * watt * part + whole) // (2 * whole) for part in shapes[unit["shape"]]]


def _visits(energies: Sequence[int], plug: Raw, seconds: int) -> Iterator[CarVisit]:
    """Every unbroken run of charging, with eight hours to do it in."""
    reach = max(plug["ratedW"] * seconds // 3_600, *energies)
    for first, last in _runs(energies):
        departs = max(min(first + _STAY_SLOTS, SLOTS), last)
        yield CarVisit(first, departs, sum(energies[first:last]), reach)


def _runs(energies: Sequence[int]) -> Iterator[tuple[int, int]]:
    first: int | None = None
    for slot, energy in enumerate([*energies, 0]):
        if energy and first is None:
            first = slot
        elif not energy and first is not None:
            yield first, slot
            first = None


def _pump(energies: Sequence[int], rated_w: int, seconds: int) -> HeatPump:
    return HeatPump(tuple(energies), rated_w * _BUFFER_HOURS, max(rated_w * seconds // 3_600, *energies))


def _battery(raw: Raw) -> Battery:
    return Battery(raw["capacityWh"], raw["ratedW"], raw["efficiencyPermille"])


def _check_sums(stated: dict[str, int], homes: Sequence[Connection]) -> None:
    found = {
        "loadWh": sum(sum(home.load_wh) for home in homes),
        "pvWh": sum(sum(home.pv_wh) for home in homes),
        "carsWh": sum(visit.needs_wh for home in homes for visit in home.cars),
        "heatWh": sum(sum(pump.need_wh) for home in homes for pump in home.heat),
    }
    if found != stated:
        raise ValueError(f"the homes' energies are {found}, the file says {stated}")
