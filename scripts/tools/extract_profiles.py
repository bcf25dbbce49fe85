"""Make the demo's days from SimBench: one real summer day of a street of twelve homes, and of the whole grid.

Writes street.json and neighbourhood.json of backend/gridweave/demo/data, each with its SHA-256. Every number in them is
an integer and follows from the SimBench release, a seed and the rules that stand in the file, so a second run writes
the same bytes; `--check` writes nothing and says whether the files are those bytes.

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
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import extract_neighbourhood as neighbourhood
from simbench_grid import (
    SLOTS,
    Grid,
    Unit,
    head_of,
    load_grid,
    rows_of,
    slot_energy,
    sunniest_day,
    vary_load,
)

ROOT = Path(__file__).resolve().parents[2]
DATA = ROOT / "backend" / "gridweave" / "demo" / "data"
EXTRACT = "street.json"

SEED = 12

SOLAR_HOMES = PLAIN_HOMES = 6
PV_RATED_W = range(5_000, 10_001)
ANNUAL_KWH = range(2_500, 6_001)
SHIFTS = range(-6, 7)

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
class Pick:
    """One home as it stands in the grid, before it is varied."""

    load: Unit
    pv: Unit | None


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


def build_street(grid: Grid, seed: int) -> dict[str, Any]:
    """The content of street.json, by `RULES`."""
    rng = random.Random(seed)
    day = sunniest_day(grid)
    rows = rows_of(grid, day)
    used: set[tuple[str, int]] = set()
    homes = []
    for number, pick in enumerate(pick_homes(grid, rng), start=1):
        shape = pick.load.shape
        annual_kwh = rng.choice(ANNUAL_KWH)
        shift = rng.choice([step for step in SHIFTS if (shape, step) not in used])
        used.add((shape, shift))
        homes.append(_home(f"house-{number:02d}", pick, grid, rows, annual_kwh, shift))
    return {**head_of(day, seed), "rule": RULES, "homes": homes}


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
    return _with_digest(EXTRACT, render(street))


def _with_digest(name: str, extract: bytes) -> dict[str, bytes]:
    return {name: extract, f"{name}.sha256": f"{hashlib.sha256(extract).hexdigest()}  {name}\n".encode()}


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
    hood = neighbourhood.build(grid)
    wanted = files(street) | _with_digest(neighbourhood.EXTRACT, neighbourhood.render(hood))
    if options.check:
        stale = differing(wanted, DATA)
        print(f"differs from SimBench: {', '.join(stale)}" if stale else "the extracts are what SimBench gives")
        return 1 if stale else 0
    DATA.mkdir(parents=True, exist_ok=True)
    for name, data in wanted.items():
        (DATA / name).write_bytes(data)
    print(summary(street))
    print(neighbourhood.summary(hood))
    return 0


if __name__ == "__main__":
    sys.exit(main())
