"""The street's real day and what its homes expect of it.

Pure: the day is read from the package's own data, forecasts follow from a seed. Energy is whole Wh per slot. The data
is an extract of SimBench under ODbL 1.0; `data/LICENCE-ODbL.txt` says what was changed.
"""

from __future__ import annotations

import json
import random
from dataclasses import dataclass
from datetime import date
from importlib.resources import files
from typing import Any

SLOTS = 96
"""Quarter hours of the day."""

_MILLION = 1_000_000
_LOAD_DAY_ERROR_PPM = 60_000
_PV_DAY_ERROR_PPM = 80_000
_SLOT_ERROR_PPM = 48_000
_PERSISTENCE_PERCENT = 80


@dataclass(frozen=True)
class EnergyDay:
    """What one home uses and makes: Wh per slot, `SLOTS` each, none negative."""

    load_wh: tuple[int, ...]
    pv_wh: tuple[int, ...]

    def net_wh(self, slot: int) -> int:
        """Export less import at the meter, Wh: positive when the home has more than it uses."""
        return self.pv_wh[slot] - self.load_wh[slot]

    def import_wh(self, slot: int) -> int:
        """What the meter counts in, Wh. A home uses its own PV first, so a slot imports or exports, never both."""
        return max(-self.net_wh(slot), 0)

    def export_wh(self, slot: int) -> int:
        """What the meter counts out, Wh."""
        return max(self.net_wh(slot), 0)


@dataclass(frozen=True)
class Home(EnergyDay):
    """One home's measured day.

    `name` is unique on the street. `simbench_load` and `simbench_pv` name its origin, the latter None without PV;
    `pv_peak_w` is the rated power of its PV, 0 without. `annual_load_kwh`, `load_permille` and `load_shift_slots` say
    how its load was varied from SimBench's.
    """

    name: str
    simbench_load: str
    simbench_pv: str | None
    pv_peak_w: int
    annual_load_kwh: int
    load_permille: int
    load_shift_slots: int

    @property
    def has_pv(self) -> bool:
        return self.simbench_pv is not None


@dataclass(frozen=True)
class Forecast(EnergyDay):
    """What a home expects of its day, made beforehand and wrong by some 10 %."""

    name: str
    seed: int


@dataclass(frozen=True)
class StreetDay:
    """One day of the street. `starts_at` is the day's local midnight in Unix seconds; `rule` says how it was made."""

    source: str
    attribution: str
    licence: str
    grid: str
    day: date
    time_zone: str
    starts_at: int
    slot_seconds: int
    seed: int
    rule: dict[str, str]
    homes: tuple[Home, ...]

    def surplus_wh(self, slot: int) -> int:
        """What all homes export in the slot, Wh."""
        return sum(home.export_wh(slot) for home in self.homes)

    def deficit_wh(self, slot: int) -> int:
        """What all homes import in the slot, Wh."""
        return sum(home.import_wh(slot) for home in self.homes)

    def servable_wh(self, slot: int) -> int:
        """How much of the deficit neighbours could serve in the same slot, Wh."""
        return min(self.surplus_wh(slot), self.deficit_wh(slot))


def load_street() -> StreetDay:
    """The day that ships with the package."""
    return parse_street((files("gridweave.demo.data") / "street.json").read_text(encoding="utf-8"))


def parse_street(text: str) -> StreetDay:
    """A street from the JSON that `scripts/tools/extract_profiles.py` writes.

    Raises KeyError for a missing key, ValueError for a day that is not `SLOTS` whole, non-negative Wh, for PV energy
    without PV, or for two homes of one name.
    """
    raw = json.loads(text)
    homes = tuple(_home(entry) for entry in raw["homes"])
    if len({home.name for home in homes}) != len(homes):
        raise ValueError("two homes of the street have the same name")
    return StreetDay(
        source=raw["source"],
        attribution=raw["attribution"],
        licence=raw["licence"],
        grid=raw["grid"],
        day=date.fromisoformat(raw["day"]),
        time_zone=raw["timeZone"],
        starts_at=raw["startsAt"],
        slot_seconds=raw["slotSeconds"],
        seed=raw["seed"],
        rule=raw["rule"],
        homes=homes,
    )


def _home(raw: dict[str, Any]) -> Home:
    home = Home(
        load_wh=_energies(raw, "loadWh"),
        pv_wh=_energies(raw, "pvWh"),
        name=raw["name"],
        simbench_load=raw["simbenchLoad"],
        simbench_pv=raw["simbenchPv"],
        pv_peak_w=raw["pvPeakW"],
        annual_load_kwh=raw["annualLoadKWh"],
        load_permille=raw["loadPermille"],
        load_shift_slots=raw["loadShiftSlots"],
    )
    if not home.has_pv and (home.pv_peak_w or any(home.pv_wh)):
        raise ValueError(f"{home.name} has PV energy but no PV")
    return home


def _energies(raw: dict[str, Any], key: str) -> tuple[int, ...]:
    values = tuple(raw[key])
    if len(values) != SLOTS or any(type(value) is not int or value < 0 for value in values):
        raise ValueError(f"{raw['name']}: {key} is not {SLOTS} whole Wh of zero or more")
    return values


def forecast(home: Home, seed: int) -> Forecast:
    """What `home` expects of its day; the same (home, seed) gives the same forecast on every machine.

    Load and PV each err by a factor 1 + d + e(slot): d one draw for the day (standard deviation 6 % for load, 8 % for
    PV), e(0) = 0 and e(t) = 0.8 e(t-1) + a draw of 4.8 %, which settles at 8 %. Together that is a mean absolute error
    of some 8 to 9 % of the energy. Draws are sums of twelve uniform integers, in millionths, from a
    `random.Random("seed:name")`; products are rounded half up and never below 0. Night stays night: 0 is forecast as 0.
    """
    rng = random.Random(f"{seed}:{home.name}")
    load_wh = _erring(home.load_wh, _LOAD_DAY_ERROR_PPM, rng)
    pv_wh = _erring(home.pv_wh, _PV_DAY_ERROR_PPM, rng)
    return Forecast(load_wh=load_wh, pv_wh=pv_wh, name=home.name, seed=seed)


def _erring(actual_wh: tuple[int, ...], day_error_ppm: int, rng: random.Random) -> tuple[int, ...]:
    day_ppm = _bell(rng, day_error_ppm)
    slot_ppm = 0
    expected = []
    for energy_wh in actual_wh:
        expected.append(max(_half_up(energy_wh * (_MILLION + day_ppm + slot_ppm), _MILLION), 0))
        slot_ppm = slot_ppm * _PERSISTENCE_PERCENT // 100 + _bell(rng, _SLOT_ERROR_PPM)
    return tuple(expected)


def _bell(rng: random.Random, deviation: int) -> int:
    """A nearly normal whole number around 0: twelve uniform draws of +-deviation/2 have that standard deviation."""
    reach = deviation // 2
    return sum(rng.randint(-reach, reach) for _ in range(12))


def _half_up(numerator: int, denominator: int) -> int:
    return (2 * numerator + denominator) // (2 * denominator)
