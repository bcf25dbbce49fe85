"""The neighbourhood's day as it ships, and what is made of it."""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from gridweave.demo import hood_data
from gridweave.demo.chapters import neighbourhood
from gridweave.demo.hood_data import HoodDay, load_neighbourhood, parse_neighbourhood
from gridweave.demo.neighbourhood import hood_mishaps, hood_plans, outlook_of, poor_home
from gridweave.demo.profiles import SLOTS, load_street
from gridweave.domain.acts import AssetKind

DATA = Path(hood_data.__file__).parent / "data"
SEED = 12


@pytest.fixture(scope="module")
def hood() -> HoodDay:
    return load_neighbourhood()


def raw_hood() -> dict[str, Any]:
    found: dict[str, Any] = json.loads((DATA / "neighbourhood.json").read_text(encoding="utf-8"))
    return found


def test_extract__of_the_neighbourhood__equals_its_recorded_hash() -> None:
    digest, name = (DATA / "neighbourhood.json.sha256").read_text(encoding="ascii").split()
    assert hashlib.sha256((DATA / name).read_bytes()).hexdigest() == digest


def test_load_neighbourhood__as_shipped__holds_everything_of_the_grid(hood: HoodDay) -> None:
    assert len(hood.connections) == 118
    assert sum(not home.is_business for home in hood.connections) == 113
    assert sum(home.has_pv for home in hood.connections) == 27
    assert sum(home.battery is not None for home in hood.connections) == 16
    raw = raw_hood()["homes"]
    assert sum(len(home.get("cars", ())) for home in raw) == 17
    assert sum(len(home.get("heat", ())) for home in raw) == 18
    assert len({home.bus for home in hood.connections}) == len({home.name for home in hood.connections}) == 118


def test_load_neighbourhood__as_shipped__is_the_streets_day(hood: HoodDay) -> None:
    street = load_street()
    assert (hood.day, hood.starts_at, hood.grid) == (street.day, street.starts_at, street.grid)
    assert hood.licence.startswith("ODbL-1.0")
    assert "neighbourhood.json" in (DATA / "LICENCE-ODbL.txt").read_text(encoding="utf-8")


def test_load_neighbourhood__as_shipped__every_energy_is_whole_and_no_roof_shines_at_night(hood: HoodDay) -> None:
    for home in hood.connections:
        assert len(home.load_wh) == len(home.pv_wh) == SLOTS
        assert all(type(energy) is int and energy >= 0 for energy in home.load_wh + home.pv_wh)
        assert not any(home.pv_wh[:16]) and home.has_pv == any(home.pv_wh)


@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        (lambda raw: raw["shapes"]["H0-A"].pop(), "shape H0-A"),
        (lambda raw: raw["shapes"]["H0-A"].__setitem__(3, 1.5), "shape H0-A"),
        (lambda raw: raw["homes"][4]["load"].update(permille=1), "the homes' energies"),
        (lambda raw: raw["homes"].pop(), "the homes' energies"),
    ],
)
def test_parse_neighbourhood__spoilt__is_refused(spoil: Callable[[dict[str, Any]], object], message: str) -> None:
    raw = raw_hood()
    spoil(raw)
    with pytest.raises(ValueError, match=message):
        parse_neighbourhood(json.dumps(raw))


def test_sample__of_some_homes__has_every_kind_and_keeps_the_grids_order(hood: HoodDay) -> None:
    few = hood.sample(24)
    assert len(few.connections) == 24
    assert {home.group for home in few.connections} == {home.group for home in hood.connections}
    assert [home.bus for home in few.connections] == [home.bus for home in hood.connections if home in few.connections]


def test_outlook__of_yesterday__is_dear_at_night_and_cheap_at_noon(hood: HoodDay) -> None:
    outlook = outlook_of(hood)
    assert outlook.prices[0] == 280_000
    assert outlook.is_cheap(50)
    assert all(80_000 <= price <= 280_000 and price % 1_000 == 0 for price in outlook.prices)


def test_hood_plans__of_the_grid__one_home_alone_is_poor_and_every_asset_is_recorded(hood: HoodDay) -> None:
    plans = hood_plans(hood, SEED)
    assert [plan.home.name for plan in plans if plan.reserve_micro] == [poor_home(hood)]
    kinds = Counter(asset.kind for plan in plans for asset in plan.assets)
    assert (kinds[AssetKind.PHOTOVOLTAIC], kinds[AssetKind.BATTERY]) == (27, 16)
    assert sum(plan.highest_bid is not None for plan in plans) == 8
    assert sum(plan.is_scheduled for plan in plans) >= 10
    assert all(plan.connection_w >= plan.home.pv_peak_w for plan in plans)


def test_hood_plans__asked_twice__are_the_same(hood: HoodDay) -> None:
    def asked() -> list[object]:
        chapter = neighbourhood(SEED, 24)
        return [plan.resident.quote(50, _terms()) for plan in chapter.plans]

    assert asked() == asked()


def _terms() -> Any:
    from gridweave.demo.founding import market_terms

    return market_terms("0x" + "01" * 20, "0x" + "02" * 20)


@pytest.mark.parametrize("homes", [None, 24, 30, 60])
def test_hood_mishaps__of_any_size__befall_homes_that_exist_and_do_not_mix(hood: HoodDay, homes: int | None) -> None:
    day = hood if homes is None else hood.sample(homes)
    mishaps = hood_mishaps(day)
    plans = hood_plans(day, SEED)
    assert mishaps.poor is not None and plans[mishaps.poor].reserve_micro
    struck = [mishaps.cut_off, mishaps.silent, mishaps.poor]
    misread = {place for place, _ in mishaps.misread}
    assert len(set(struck)) == 3
    assert not {mishaps.silent, mishaps.poor} & misread
    assert all(0 <= place < len(plans) for place in [*struck, *misread])
    assert mishaps.misread_twice <= mishaps.misread
