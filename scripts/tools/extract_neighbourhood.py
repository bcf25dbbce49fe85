"""Make the demo's neighbourhood: the same summer day of every connection of the SimBench grid.

`extract_profiles.py` runs it. Shapes stand once, and a home names what it has of them, so that the file stays small:
its energies follow by the rules in `RULES`, which `gridweave.demo.hood_data` applies again. `checkWh` holds their sums.
"""

from __future__ import annotations

import json
import random
from collections import Counter, defaultdict
from collections.abc import Iterable
from datetime import date, timedelta
from typing import Any

from simbench_grid import SLOTS, Grid, Unit, head_of, rows_of, slot_energy, sunniest_day

EXTRACT = "neighbourhood.json"
SEED = 113
SCALES = range(700, 1_301)
SHIFTS = range(-6, 7)
_CARS = ("HLS_", "APLS_")
_HEAT = ("Air_", "Soil_")

RULES = {
    "day": "the street's: the day of June, July and August on which the grid's whole PV fleet yields most",
    "homes": "a home is a connection: one household (H0-*) or business (G*) of the grid, in the order of SimBench's "
    "loads, numbered. No two of them share a bus. PV, battery, cars (HLS_*, APLS_*) and heat pumps (Air_*, Soil_*) "
    "stand behind the meter of the connection at their bus",
    "load": "SimBench has five household shapes in few sizes, so each home's is varied: one random.Random(seed) draws "
    "per home, in order, a scale of 700..1300 permille and a circular shift of -6..6 slots (positive is later). Wh of "
    "a slot: ratedW x shape / 10^9 x permille / 1000 x slotSeconds / 3600, half up, then shifted",
    "pv": "SimBench's rated power and shape, neither scaled nor shifted; so are battery, cars and heat pumps",
    "cars": "every unbroken run of charging in the profile is a visit: it needs the run's energy and may charge from "
    "its first slot on for eight hours, or until the day ends. Plugs without a visit that day stay unused",
    "heat": "the profile is the need for heat, in electricity; the buffer holds two hours at rated power and loses "
    "nothing",
    "battery": "SimBench's power, capacity and efficiency; empty when the day begins",
    "yesterday": "what all connections together drew and the roofs gave on the day before, by the same rules, car and "
    "heat as in the profile",
    "rounding": "power at a label counts for the quarter hour that begins there; Wh per slot, half up",
}


def build(grid: Grid) -> dict[str, Any]:
    """The content of neighbourhood.json, by `RULES`. Raises ValueError for a unit at a bus without a connection."""
    day = sunniest_day(grid)
    rng = random.Random(SEED)
    behind = _behind(grid)
    connections = [unit for unit in grid.loads if not unit.shape.startswith((*_CARS, *_HEAT))]
    homes = [_home(f"home-{number:03d}", unit, behind, rng) for number, unit in enumerate(connections, start=1)]
    left = behind.keys() - {unit.bus for unit in connections}
    if left or len({unit.bus for unit in connections}) != len(connections):
        raise ValueError(f"buses {sorted(left)} have no connection, or two connections share a bus")
    used = sorted({shape for home in homes for shape in _shapes_of(home)})
    shapes = {name: _part(grid, name, day) for name in used}
    return {
        **head_of(day, SEED),
        "rule": RULES,
        "yesterday": _totals(homes, {name: _part(grid, name, day - timedelta(days=1)) for name in used}),
        "checkWh": {kind: sum(part) for kind, part in _totals(homes, shapes).items()},
        "shapes": shapes,
        "homes": homes,
    }


def _part(grid: Grid, shape: str, day: date) -> list[int]:
    return [grid.shapes[shape][row] for row in rows_of(grid, day)]


def _behind(grid: Grid) -> dict[int, dict[str, list[dict[str, Any]]]]:
    """What stands beside a connection at each bus, by kind."""
    found: dict[int, dict[str, list[dict[str, Any]]]] = defaultdict(lambda: defaultdict(list))
    for unit in grid.loads:
        if unit.shape.startswith((*_CARS, *_HEAT)):
            found[unit.bus]["cars" if unit.shape.startswith(_CARS) else "heat"].append(_unit(unit))
    for unit in grid.generators:
        found[unit.bus]["pv"].append(_unit(unit))
    for store in grid.storages:
        found[store.bus]["battery"].append(
            {
                "simbench": store.name,
                "ratedW": store.rated_w,
                "capacityWh": store.capacity_wh,
                "efficiencyPermille": store.efficiency_permille,
            }
        )
    return found


def _unit(unit: Unit) -> dict[str, Any]:
    return {"simbench": unit.name, "ratedW": unit.rated_w, "shape": unit.shape}


def _home(
    name: str, unit: Unit, behind: dict[int, dict[str, list[dict[str, Any]]]], rng: random.Random
) -> dict[str, Any]:
    load = {**_unit(unit), "permille": rng.choice(SCALES), "shiftSlots": rng.choice(SHIFTS)}
    beside = behind.get(unit.bus, {})
    return {"name": name, "bus": unit.bus, "load": load, **{kind: beside[kind] for kind in sorted(beside)}}


def _shapes_of(home: dict[str, Any]) -> Iterable[str]:
    yield home["load"]["shape"]
    for kind in ("pv", "cars", "heat"):
        yield from (unit["shape"] for unit in home.get(kind, ()))


def _totals(homes: list[dict[str, Any]], shapes: dict[str, list[int]]) -> dict[str, list[int]]:
    """Wh per slot of all homes, by kind."""
    sums: dict[str, Counter[int]] = {kind: Counter() for kind in ("loadWh", "pvWh", "carsWh", "heatWh")}
    for home in homes:
        load = home["load"]
        whole = slot_energy(load["ratedW"], shapes[load["shape"]], load["permille"])
        for slot in range(SLOTS):
            sums["loadWh"][slot] += whole[(slot - load["shiftSlots"]) % SLOTS]
        for kind in ("pv", "cars", "heat"):
            for unit in home.get(kind, ()):
                for slot, energy in enumerate(slot_energy(unit["ratedW"], shapes[unit["shape"]])):
                    sums[f"{kind}Wh"][slot] += energy
    return {kind: [found[slot] for slot in range(SLOTS)] for kind, found in sums.items()}


def render(hood: dict[str, Any]) -> bytes:
    """The neighbourhood as JSON, a shape and a home a line."""
    plain = [f" {_json(key)}: {_json(value)}" for key, value in hood.items() if key not in ("shapes", "homes", "rule")]
    rules = _lines("rule", hood["rule"])
    shapes = _lines("shapes", hood["shapes"])
    homes = ",\n".join(f"  {_json(home)}" for home in hood["homes"])
    return ("{\n" + ",\n".join([*plain, rules, shapes, f' "homes": [\n{homes}\n ]']) + "\n}\n").encode()


def _lines(name: str, values: dict[str, Any]) -> str:
    body = ",\n".join(f"  {_json(key)}: {_json(value)}" for key, value in values.items())
    return f" {_json(name)}: {{\n{body}\n }}"


def _json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False)


def summary(hood: dict[str, Any]) -> str:
    """The day's sums, for whoever looks at the data."""
    kinds = Counter(kind for home in hood["homes"] for kind in ("pv", "battery", "cars", "heat") if kind in home)
    energy = ", ".join(f"{kind} {total / 1_000:.1f} k" for kind, total in hood["checkWh"].items())
    return f"{len(hood['homes'])} homes, {dict(kinds)}; {energy}"
