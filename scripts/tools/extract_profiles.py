"""Make the demo's street: one real summer day of twelve homes, from SimBench.

Writes backend/gridweave/demo/data/street.json and its SHA-256. Every number in it is an integer and follows from
the SimBench release, the seed and the rules in `RULES`, so a second run writes the same bytes; `--check` writes
nothing and says whether the files are those bytes.

simbench needs an environment of its own, because its pandas and the contract tools do not share one:

    python3.11 -m venv .venv-profiles
    .venv-profiles/bin/pip install --require-hashes -r requirements/profiles.lock
    .venv-profiles/bin/python scripts/tools/extract_profiles.py [--check]

Exit status: 0 written or equal, 1 the files differ from what SimBench gives, 2 simbench is missing.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import random
import sys
import warnings
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

ROOT = Path(__file__).resolve().parents[2]
DATA = ROOT / "backend" / "gridweave" / "demo" / "data"
EXTRACT, DIGEST = "street.json", "street.json.sha256"

SOURCE = "SimBench, Python package simbench 1.6.1, data of the year 2016, https://simbench.de/en/"
ATTRIBUTION = (
    "S. Meinecke, D. Sarajlić, S. R. Drauz, A. Klettke, L.-P. Lauven, C. Rehtanz, A. Moser, M. Braun: SimBench - A "
    "Benchmark Dataset of Electric Power Systems to Compare Innovative Solutions Based on Power Flow Analysis, "
    "Energies 13(12), 3290, 2020, https://doi.org/10.3390/en13123290"
)
LICENCE = "ODbL-1.0, https://opendatacommons.org/licenses/odbl/1-0/"
GRID = "1-LV-rural3--2-sw"
TIME_ZONE = "Europe/Berlin"
SEED = 12

SLOT_SECONDS = 900
SLOTS = 96
SOLAR_HOMES = PLAIN_HOMES = 6
PV_RATED_W = range(5_000, 10_001)
ANNUAL_KWH = range(2_500, 6_001)
SHIFTS = range(-6, 7)
SUMMER = (6, 7, 8)
BILLION = 1_000_000_000

RULES = {
    "day": "the day of June, July and August on which the grid's whole PV fleet yields most, the earliest of equals; "
    "SimBench labels its quarter hours in German legal time",
    "homes": "one random.Random(seed) makes every draw, in this order. Solar: households (H0-*) that share a bus with "
    "PV of 5-10 kW, by name, shuffled, the four PV shapes in turn, until six. Without PV: households at buses without "
    "generation, by name, shuffled, each time the first of the shape least used on the street, until six. The twelve "
    "are shuffled and numbered",
    "load": "per home, in order: yearly demand drawn from 2,500-6,000 kWh, scale = that over SimBench's own yearly "
    "demand in permille, half up; then a circular shift of the day by whole slots, drawn from -6..6 (positive is "
    "later) and not yet used by a home of the same shape",
    "pv": "SimBench's rated power and shape, neither scaled nor shifted: one sun for the whole street",
    "rounding": "power at a label counts for the quarter hour that begins there; Wh per slot, half up, after scaling",
}


@dataclass(frozen=True)
class Unit:
    """A load or a generator of the grid: `rated_w` in W, `shape` names its profile."""

    name: str
    bus: int
    rated_w: int
    shape: str


@dataclass(frozen=True)
class Grid:
    """What the rules read of a SimBench grid. `shapes` give rated power in parts per billion, one per label."""

    days: Sequence[date]
    shapes: dict[str, Sequence[int]]
    loads: Sequence[Unit]
    generators: Sequence[Unit]


@dataclass(frozen=True)
class Pick:
    """One home as it stands in the grid, before it is varied."""

    load: Unit
    pv: Unit | None


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
    return Grid(days, shapes, _units(net.load), _units(net.sgen))


def _billionths(column: Iterable[float]) -> list[int]:
    return [round(float(value) * BILLION) for value in column]


def _units(table: Any) -> list[Unit]:
    rows = table[["name", "bus", "p_mw", "profile"]].itertuples(index=False)
    return [Unit(str(name), int(bus), round(float(mw) * 1_000_000), str(shape)) for name, bus, mw, shape in rows]


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


def pick_homes(grid: Grid, rng: random.Random) -> list[Pick]:
    """Twelve homes in street order, six of them with PV at their own bus. Raises ValueError if the grid has too few."""
    households = sorted((u for u in grid.loads if u.shape.startswith("H0-")), key=lambda unit: unit.name)
    at_bus = {unit.bus: unit for unit in grid.generators}
    solar = [Pick(u, at_bus[u.bus]) for u in households if u.bus in at_bus and at_bus[u.bus].rated_w in PV_RATED_W]
    plain = [Pick(unit, None) for unit in households if unit.bus not in at_bus]
    street = _solar_in_turn(solar, rng)
    street += _least_used_shapes(plain, Counter(pick.load.shape for pick in street), rng)
    rng.shuffle(street)
    return street


def _solar_in_turn(candidates: list[Pick], rng: random.Random) -> list[Pick]:
    rng.shuffle(candidates)
    taken: list[Pick] = []
    used: Counter[str] = Counter()
    while len(taken) < SOLAR_HOMES:
        if not candidates:
            raise ValueError("the grid has too few homes with PV")
        pick = min(candidates, key=lambda c: (used[_pv_shape(c)], _pv_shape(c)))
        candidates.remove(pick)
        taken.append(pick)
        used[_pv_shape(pick)] += 1
    return taken


def _pv_shape(pick: Pick) -> str:
    return pick.pv.shape if pick.pv else ""


def _least_used_shapes(candidates: list[Pick], used: Counter[str], rng: random.Random) -> list[Pick]:
    rng.shuffle(candidates)
    taken: list[Pick] = []
    while len(taken) < PLAIN_HOMES:
        if not candidates:
            raise ValueError("the grid has too few homes without PV")
        pick = min(candidates, key=lambda candidate: used[candidate.load.shape])
        candidates.remove(pick)
        taken.append(pick)
        used[pick.load.shape] += 1
    return taken


def slot_energy(rated_w: int, parts: Sequence[int], permille: int = 1_000) -> list[int]:
    """Wh per slot of a unit whose power is `rated_w` x part / 10^9 x permille / 1000, half up."""
    return [half_up(rated_w * part * permille * SLOT_SECONDS, BILLION * 1_000 * 3_600) for part in parts]


def vary_load(unit: Unit, grid: Grid, annual_kwh: int) -> int:
    """The scale in permille that brings the unit's year in SimBench to `annual_kwh`."""
    own = unit.rated_w * sum(grid.shapes[unit.shape]) * SLOT_SECONDS
    return half_up(annual_kwh * 1_000 * 1_000 * BILLION * 3_600, own)


def build_street(grid: Grid, seed: int) -> dict[str, Any]:
    """The content of street.json, by `RULES`."""
    rng = random.Random(seed)
    day = sunniest_day(grid)
    rows = [index for index, label in enumerate(grid.days) if label == day]
    if len(rows) != SLOTS:
        raise ValueError(f"{day} has {len(rows)} quarter hours, not {SLOTS}")
    used: set[tuple[str, int]] = set()
    homes = []
    for number, pick in enumerate(pick_homes(grid, rng), start=1):
        shape = pick.load.shape
        annual_kwh = rng.choice(ANNUAL_KWH)
        shift = rng.choice([step for step in SHIFTS if (shape, step) not in used])
        used.add((shape, shift))
        homes.append(_home(f"house-{number:02d}", pick, grid, rows, annual_kwh, shift))
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
        "rule": RULES,
        "homes": homes,
    }


def _home(name: str, pick: Pick, grid: Grid, rows: list[int], annual_kwh: int, shift: int) -> dict[str, Any]:
    permille = vary_load(pick.load, grid, annual_kwh)
    parts = [grid.shapes[pick.load.shape][row] for row in rows]
    load_wh = slot_energy(pick.load.rated_w, parts, permille)
    pv_wh = [0] * SLOTS
    if pick.pv:
        pv_wh = slot_energy(pick.pv.rated_w, [grid.shapes[pick.pv.shape][row] for row in rows])
    return {
        "name": name,
        "simbenchLoad": f"{pick.load.name} ({pick.load.shape})",
        "simbenchPv": f"{pick.pv.name} ({pick.pv.shape})" if pick.pv else None,
        "pvPeakW": pick.pv.rated_w if pick.pv else 0,
        "annualLoadKWh": annual_kwh,
        "loadPermille": permille,
        "loadShiftSlots": shift,
        "loadWh": [load_wh[(slot - shift) % SLOTS] for slot in range(SLOTS)],
        "pvWh": pv_wh,
    }


def render(street: dict[str, Any]) -> bytes:
    """The street as JSON with one key a line, so that a change shows as the lines it touches."""
    head = [f" {_json(key)}: {_json(value)}" for key, value in street.items() if key not in ("rule", "homes")]
    rules = _block(street["rule"], indent=" ")
    homes = ",\n".join("  " + _block(home, indent="  ") for home in street["homes"])
    body = [*head, f' "rule": {rules}', f' "homes": [\n{homes}\n ]']
    return ("{\n" + ",\n".join(body) + "\n}\n").encode()


def _block(values: dict[str, Any], indent: str) -> str:
    lines = ",\n".join(f"{indent} {_json(key)}: {_json(value)}" for key, value in values.items())
    return f"{{\n{lines}\n{indent}}}"


def _json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False)


def files(street: dict[str, Any]) -> dict[str, bytes]:
    """What `DATA` holds of a street: file name -> bytes."""
    extract = render(street)
    digest = f"{hashlib.sha256(extract).hexdigest()}  {EXTRACT}\n"
    return {EXTRACT: extract, DIGEST: digest.encode()}


def differing(wanted: dict[str, bytes], folder: Path) -> list[str]:
    """Names of the files of `folder` that are missing or hold other bytes than `wanted`."""
    return [name for name, data in wanted.items() if not _holds(folder / name, data)]


def _holds(path: Path, data: bytes) -> bool:
    return path.is_file() and path.read_bytes() == data


def summary(street: dict[str, Any]) -> str:
    """A table of the street's day in kWh, for whoever looks at the data."""
    lines = [f"{street['grid']}, {street['day']}, seed {street['seed']}", "home       load kWh   PV kWh   PV kWp"]
    for home in street["homes"]:
        load, pv = sum(home["loadWh"]) / 1_000, sum(home["pvWh"]) / 1_000
        lines.append(f"{home['name']}  {load:9.2f} {pv:8.2f} {home['pvPeakW'] / 1_000:8.1f}")
    return "\n".join(lines)


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--check", action="store_true", help="write nothing; exit 1 if the files would change")
    options = parser.parse_args(arguments)
    try:
        grid = load_grid()
    except ModuleNotFoundError as missing:
        print(f"{missing.name} is not installed here; --help shows the environment to make", file=sys.stderr)
        return 2
    street = build_street(grid, SEED)
    wanted = files(street)
    if options.check:
        stale = differing(wanted, DATA)
        print(f"differs from SimBench: {', '.join(stale)}" if stale else "the extract is what SimBench gives")
        return 1 if stale else 0
    DATA.mkdir(parents=True, exist_ok=True)
    for name, data in wanted.items():
        (DATA / name).write_bytes(data)
    print(summary(street))
    return 0


if __name__ == "__main__":
    sys.exit(main())
