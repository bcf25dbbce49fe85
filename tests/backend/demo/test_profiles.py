"""The street's day as it ships, the forecasts made of it, and the script that makes the day from SimBench."""

from __future__ import annotations

import hashlib
import importlib.util
import json
import os
import random
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from datetime import date, datetime, timedelta
from itertools import pairwise
from pathlib import Path
from statistics import mean, pstdev
from types import ModuleType
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from gridweave.demo import profiles
from gridweave.demo.profiles import SLOTS, EnergyDay, StreetDay, forecast, load_street, parse_street

ROOT = Path(__file__).resolve().parents[3]
SCRIPT = ROOT / "scripts" / "tools" / "extract_profiles.py"
DATA = Path(profiles.__file__).parent / "data"
SEEDS = range(20)
NOON = range(44, 56)


@pytest.fixture(scope="module")
def street() -> StreetDay:
    return load_street()


@pytest.fixture(scope="module")
def extract() -> ModuleType:
    sys.path.append(str(SCRIPT.parent))
    spec = importlib.util.spec_from_file_location("extract_profiles", SCRIPT)
    assert spec and spec.loader
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


def raw_street() -> dict[str, Any]:
    return json.loads((DATA / "street.json").read_text(encoding="utf-8"))


# The day as it ships


def test_load_street__as_shipped__has_twelve_homes_six_with_pv(street: StreetDay) -> None:
    assert [home.name for home in street.homes] == [f"house-{number:02d}" for number in range(1, 13)]
    assert sum(home.has_pv for home in street.homes) == 6
    assert all(5_000 <= home.pv_peak_w <= 10_000 for home in street.homes if home.has_pv)
    assert all(2_500 <= home.annual_load_kwh <= 6_000 for home in street.homes)


def test_load_street__as_shipped__is_one_summer_day_of_whole_wh(street: StreetDay) -> None:
    assert street.slot_seconds * SLOTS == 86_400
    assert street.day.month in (6, 7, 8)
    for home in street.homes:
        assert len(home.load_wh) == len(home.pv_wh) == SLOTS
        assert all(type(energy) is int and energy >= 0 for energy in home.load_wh + home.pv_wh)
        assert all(home.load_wh)


def test_load_street__as_shipped__starts_at_local_midnight(street: StreetDay) -> None:
    zone = ZoneInfo(street.time_zone)
    local = datetime.fromtimestamp(street.starts_at, zone)
    assert (local.date(), local.hour, local.minute) == (street.day, 0, 0)


def test_load_street__as_shipped__names_source_and_licence(street: StreetDay) -> None:
    notice = (DATA / "LICENCE-ODbL.txt").read_text(encoding="utf-8")
    assert "SimBench" in street.source and street.licence.startswith("ODbL-1.0")
    assert "opendatacommons.org/licenses/odbl" in notice and "extract_profiles.py" in notice
    assert street.attribution.rpartition("https://")[2] in notice
    assert set(street.rule) == {"day", "homes", "load", "pv", "rounding"}


def test_load_street__as_shipped__pv_sleeps_at_night_and_stays_below_its_rating(street: StreetDay) -> None:
    for home in street.homes:
        assert not any(home.pv_wh[:16]) and not any(home.pv_wh[-6:])
        assert max(home.pv_wh) * 3_600 <= home.pv_peak_w * street.slot_seconds
        assert home.has_pv == (sum(home.pv_wh) > 0)


def test_load_street__as_shipped__homes_differ_from_each_other(street: StreetDay) -> None:
    assert len({home.load_wh for home in street.homes}) == len(street.homes)
    assert len({(home.simbench_load.split("(")[1], home.load_shift_slots) for home in street.homes}) == 12
    assert len({home.simbench_load for home in street.homes}) == 12


def test_extract__as_shipped__equals_its_recorded_hash() -> None:
    digest, name = (DATA / "street.json.sha256").read_text(encoding="ascii").split()
    assert name == "street.json"
    assert hashlib.sha256((DATA / name).read_bytes()).hexdigest() == digest


# Imports, exports, the street


def test_net_wh__every_slot__import_and_export_conserve_energy(street: StreetDay) -> None:
    for home in street.homes:
        for slot in range(SLOTS):
            assert home.export_wh(slot) - home.import_wh(slot) == home.net_wh(slot)
            assert home.pv_wh[slot] + home.import_wh(slot) == home.load_wh[slot] + home.export_wh(slot)
            assert 0 in (home.import_wh(slot), home.export_wh(slot))


def test_import_wh__more_load_than_pv__is_the_difference() -> None:
    day = EnergyDay(load_wh=(30, 10, 7), pv_wh=(10, 30, 7))
    assert [day.import_wh(slot) for slot in range(3)] == [20, 0, 0]
    assert [day.export_wh(slot) for slot in range(3)] == [0, 20, 0]
    assert [day.net_wh(slot) for slot in range(3)] == [-20, 20, 0]


def test_surplus_wh__at_noon__feeds_the_whole_street(street: StreetDay) -> None:
    assert all(street.surplus_wh(slot) > street.deficit_wh(slot) > 0 for slot in NOON)
    assert all(street.surplus_wh(slot) == 0 for slot in range(16))


def test_servable_wh__over_the_day__is_a_real_share_with_both_kinds_of_slots(street: StreetDay) -> None:
    deficit = sum(street.deficit_wh(slot) for slot in range(SLOTS))
    servable = sum(street.servable_wh(slot) for slot in range(SLOTS))
    assert 300 <= servable * 1_000 // deficit <= 700
    scarce = [slot for slot in range(SLOTS) if 0 < street.surplus_wh(slot) < street.deficit_wh(slot)]
    ample = [slot for slot in range(SLOTS) if street.surplus_wh(slot) > street.deficit_wh(slot) > 0]
    assert len(scarce) >= 8 and len(ample) >= 24


# Reading a street


@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        (lambda raw: raw["homes"][0]["loadWh"].pop(), "house-01: loadWh"),
        (lambda raw: raw["homes"][0]["loadWh"].__setitem__(3, 1.5), "house-01: loadWh"),
        (lambda raw: raw["homes"][0]["loadWh"].__setitem__(3, True), "house-01: loadWh"),
        (lambda raw: raw["homes"][0]["pvWh"].__setitem__(3, -1), "house-01: pvWh"),
        (lambda raw: raw["homes"][0].update(simbenchPv=None), "house-01 has PV energy but no PV"),
        (lambda raw: raw["homes"][1].update(name="house-01"), "same name"),
    ],
)
def test_parse_street__spoilt_home__is_refused(spoil: Callable[[dict[str, Any]], object], message: str) -> None:
    raw = raw_street()
    spoil(raw)
    with pytest.raises(ValueError, match=message):
        parse_street(json.dumps(raw))


def test_parse_street__missing_key__names_it() -> None:
    raw = raw_street()
    del raw["homes"][0]["pvPeakW"]
    with pytest.raises(KeyError, match="pvPeakW"):
        parse_street(json.dumps(raw))


# Forecasts


def test_forecast__same_home_and_seed__is_the_same_in_another_process(street: StreetDay) -> None:
    home = street.homes[0]
    program = (
        "from gridweave.demo.profiles import *; h = load_street().homes[0]; f = forecast(h, 7); "
        "print(f.load_wh, f.pv_wh)"
    )
    environment = {**os.environ, "PYTHONPATH": str(ROOT / "backend"), "PYTHONHASHSEED": "99"}
    other = subprocess.run([sys.executable, "-c", program], env=environment, capture_output=True, text=True, check=True)
    mine = forecast(home, 7)
    assert other.stdout.strip() == f"{mine.load_wh} {mine.pv_wh}"
    assert forecast(home, 7) == mine


def test_forecast__another_seed_or_name__differs(street: StreetDay) -> None:
    home = street.homes[0]
    namesake = replace(home, name="house-13")
    assert forecast(home, 1).load_wh != forecast(home, 2).load_wh
    assert forecast(home, 1).load_wh != forecast(namesake, 1).load_wh
    assert forecast(home, 1).pv_wh != forecast(home, 2).pv_wh


def test_forecast__every_home_and_seed__is_whole_and_never_negative(street: StreetDay) -> None:
    for seed in SEEDS:
        for home in street.homes:
            expected = forecast(home, seed)
            assert (expected.name, expected.seed) == (home.name, seed)
            assert len(expected.load_wh) == len(expected.pv_wh) == SLOTS
            assert all(type(energy) is int and energy >= 0 for energy in expected.load_wh + expected.pv_wh)
            assert all(expected.pv_wh[slot] == 0 for slot in range(SLOTS) if home.pv_wh[slot] == 0)


def test_forecast__a_huge_error__stops_at_zero() -> None:
    worst = min(min(profiles._erring((1_000,) * SLOTS, 2_000_000, random.Random(seed))) for seed in SEEDS)
    assert worst == 0


@pytest.mark.parametrize("kind", ["load_wh", "pv_wh"])
def test_forecast__over_twenty_seeds__errs_by_about_a_tenth_without_bias(street: StreetDay, kind: str) -> None:
    missed = bias = total = 0
    for seed in SEEDS:
        for home in street.homes:
            pairs = zip(getattr(home, kind), getattr(forecast(home, seed), kind), strict=True)
            for actual, expected in pairs:
                missed += abs(expected - actual)
                bias += expected - actual
                total += actual
    print(f"{kind}: mean absolute error {missed / total:.3f}, bias {bias / total:+.3f} over seeds {SEEDS}")
    assert 0.06 < missed / total < 0.12
    assert abs(bias / total) < 0.03


def test_forecast__a_flat_day__errors_have_a_day_part_and_a_persistent_slot_part(street: StreetDay) -> None:
    flat = replace(street.homes[0], load_wh=(1_000_000,) * SLOTS)
    day_parts, variances, products = [], [], []
    for seed in range(200):
        errors = [energy - 1_000_000 for energy in forecast(flat, seed).load_wh]
        day_parts.append(mean(errors))
        slot_parts = [error - day_parts[-1] for error in errors]
        variances.append(mean(part * part for part in slot_parts))
        products.append(mean(first * second for first, second in pairwise(slot_parts)))
    assert 0.05 < pstdev(day_parts) / 1_000_000 < 0.08
    assert 0.06 < mean(variances) ** 0.5 / 1_000_000 < 0.09
    assert 0.7 < mean(products) / mean(variances) < 0.85


# The script


def simbench(extract: ModuleType) -> ModuleType:
    """The module that reads SimBench for the script, and comes with it."""
    return sys.modules["simbench_grid"]


def small_grid(extract: ModuleType, sunny: date) -> Any:
    """Three days around `sunny`; the middle one has twice the sun. Twelve homes, six with PV, two shapes of each."""
    days = [sunny + timedelta(days=step) for step in (-1, 0, 1) for _ in range(SLOTS)]
    half = simbench(extract).BILLION // 2
    sun = [half * (2 if day == sunny else 1) // 2 for day in days]
    shapes = {"H0-A": [half] * len(days), "H0-B": [half + row for row in range(len(days))], "PV1": sun, "PV3": sun}
    loads = [simbench(extract).Unit(f"load {n:02d}", n, 2_000, "H0-A" if n % 2 else "H0-B") for n in range(12)]
    loads += [simbench(extract).Unit("shop", 20, 9_000, "G1-C"), simbench(extract).Unit("big roof", 21, 2_000, "H0-A")]
    generators = [simbench(extract).Unit(f"pv {n}", n, 6_000, "PV1" if n % 3 else "PV3") for n in range(6)]
    generators.append(simbench(extract).Unit("field", 21, 30_000, "PV1"))
    return simbench(extract).Grid(days, shapes, loads, generators)


def test_half_up__halves_and_neighbours__round_upward_from_the_half(extract: ModuleType) -> None:
    assert [simbench(extract).half_up(value, 10) for value in (0, 4, 5, 14, 15, 16)] == [0, 0, 1, 1, 2, 2]


def test_slot_energy__a_kilowatt_for_a_quarter_hour__is_250_wh(extract: ModuleType) -> None:
    assert simbench(extract).slot_energy(1_000, [simbench(extract).BILLION, 2_000_000, 1_999_999]) == [250, 1, 0]
    assert simbench(extract).slot_energy(1_000, [simbench(extract).BILLION], permille=1_500) == [375]


def test_sunniest_day__brighter_day_outside_summer__is_not_taken(extract: ModuleType) -> None:
    assert simbench(extract).sunniest_day(small_grid(extract, date(2016, 7, 9))) == date(2016, 7, 9)
    assert simbench(extract).sunniest_day(small_grid(extract, date(2016, 5, 31))) == date(2016, 6, 1)


def test_pick_homes__shops_and_fields_about__takes_homes_with_a_roof_each(extract: ModuleType) -> None:
    grid = small_grid(extract, date(2016, 7, 9))
    street = extract.pick_homes(grid, random.Random(5))
    assert len({pick.load.name for pick in street}) == 12
    assert all(pick.load.shape.startswith("H0-") and pick.load.name != "big roof" for pick in street)
    assert sum(pick.pv is not None for pick in street) == 6
    assert all(pick.pv.bus == pick.load.bus for pick in street if pick.pv)


def test_pick_homes__too_few_roofs__is_refused(extract: ModuleType) -> None:
    grid = small_grid(extract, date(2016, 7, 9))
    fewer = simbench(extract).Grid(grid.days, grid.shapes, grid.loads, grid.generators[1:])
    with pytest.raises(ValueError, match="too few homes with PV"):
        extract.pick_homes(fewer, random.Random(5))


def test_build_street__small_grid__is_what_the_backend_reads(extract: ModuleType) -> None:
    grid = small_grid(extract, date(2016, 7, 9))
    built = extract.build_street(grid, 5)
    street = parse_street(extract.render(built).decode())
    assert json.loads(extract.render(built)) == built
    assert extract.build_street(grid, 5) == built != extract.build_street(grid, 6)
    assert street.day == date(2016, 7, 9)
    for home in street.homes:
        shape = grid.shapes[home.simbench_load[-5:-1]]
        whole = simbench(extract).slot_energy(2_000, shape[SLOTS : 2 * SLOTS], home.load_permille)
        assert list(home.load_wh) == [whole[(slot - home.load_shift_slots) % SLOTS] for slot in range(SLOTS)]
        year_wh = 2_000 * sum(shape) * home.load_permille // (4 * 1_000 * simbench(extract).BILLION)
        assert abs(year_wh - home.annual_load_kwh * 1_000) <= sum(shape) * 2_000 // (
            4 * 1_000 * simbench(extract).BILLION
        )


def test_differing__a_planted_change__names_the_file(extract: ModuleType, tmp_path: Path) -> None:
    wanted = extract.files(extract.build_street(small_grid(extract, date(2016, 7, 9)), 5))
    assert extract.differing(wanted, tmp_path) == ["street.json", "street.json.sha256"]
    for name, data in wanted.items():
        (tmp_path / name).write_bytes(data)
    assert extract.differing(wanted, tmp_path) == []
    (tmp_path / "street.json").write_bytes(wanted["street.json"].replace(b"250", b"251", 1))
    assert extract.differing(wanted, tmp_path) == ["street.json"]


def test_main__without_simbench__says_which_environment_to_make() -> None:
    bare = [sys.executable, "-S", "-E", "-s", str(SCRIPT), "--check"]
    outcome = subprocess.run(bare, capture_output=True, text=True, check=False)
    assert outcome.returncode == 2
    assert "simbench is not installed" in outcome.stderr


def test_main__check_against_simbench__finds_the_extract_unchanged() -> None:
    python = Path(os.environ.get("PROFILES_PYTHON", ROOT / ".venv-profiles" / "bin" / "python"))
    if not python.exists():
        pytest.skip("no environment with simbench; scripts/tools/extract_profiles.py --help shows how to make it")
    outcome = subprocess.run([str(python), str(SCRIPT), "--check"], capture_output=True, text=True, check=False)
    assert (outcome.returncode, outcome.stderr) == (0, ""), outcome.stdout
