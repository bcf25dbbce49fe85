"""Whatever is asked of an asset, it keeps its limits, delivers what it said it could, and takes back what it gave."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gridweave.client.answering.asset import Asset, PlanBreaksLimits, Span
from gridweave.client.answering.battery import Battery
from gridweave.client.answering.body import Limit
from gridweave.client.answering.building import Building, Comfort, Walls
from gridweave.client.answering.car import Car
from gridweave.client.answering.flexible import CarVisit
from gridweave.client.answering.storage import Storage
from tests.backend.client.answering.assets import (
    SLOT_S,
    SLOTS,
    WATTS,
    any_asset,
    buildings,
    calls,
    cars,
    lived,
    spans,
    storages,
)

Calls = list[tuple[Span, int]]
often = settings(
    max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large]
)


def called(asset: Asset[Any], asked: Calls) -> Asset[Any]:
    for span, watts in asked:
        asset = asset.with_setpoint(span, watts)
    return asset


# limits


def test_begin__of_a_plan_beyond_its_limits__refuses_it() -> None:
    with pytest.raises(PlanBreaksLimits, match="slot 1: -300 Wh, where -250 Wh is nearest"):
        Asset.begin(Storage(Battery(1_000, 1_000, 900, 900), SLOT_S), (0, -300))


@often
@given(storages(), calls())
def test_step__of_any_battery__stays_between_reserve_and_capacity_and_loses_what_it_names(
    asset: Asset[Storage], asked: Calls
) -> None:
    began, metered = asset.body, 0
    for after, wh in lived(called(asset, asked)):
        battery = after.body.battery
        metered += wh
        assert asset.body.reserve_wh <= battery.stored_wh <= battery.capacity_wh
        assert abs(wh) <= battery.power_w * SLOT_S // 3_600
        assert metered == battery.stored_wh - began.battery.stored_wh + after.body.lost_wh
    assert after.body.lost_wh >= 0


@often
@given(cars(), calls())
def test_step__of_any_car__is_full_when_it_leaves_and_keeps_to_its_charger(asset: Asset[Car], asked: Calls) -> None:
    car, taken = asset.body, 0
    for after, wh in lived(called(asset, asked)):
        slot, taken = after.slot - 1, taken + wh
        assert 0 <= wh <= car.visit.reach_wh
        assert wh == 0 or wh >= car.least_wh or taken == car.visit.needs_wh
        assert wh == 0 or car.visit.arrives <= slot < car.visit.departs
    assert taken == after.body.taken_wh == car.visit.needs_wh


@often
@given(buildings(), calls())
def test_step__of_any_building__keeps_comfort_and_its_heat_adds_up(asset: Asset[Building], asked: Calls) -> None:
    walls, before = asset.body.comfort.walls, called(asset, asked)
    while before.slot < SLOTS:
        after, moved = before.step()
        assert 19.0 - 1e-6 <= after.body.inside <= 23.0 + 1e-6
        assert 0 <= moved.metered_wh <= walls.power_w * SLOT_S // 3_600
        stored = walls.wh_per_kelvin * (after.body.inside - before.body.inside)
        lost = before.body.lost_wh(moved.slot, moved.metered_wh)
        assert moved.metered_wh * walls.cop == pytest.approx(stored + lost, abs=1e-5)
        before = after


def test_after__of_a_building__is_what_small_steps_come_to() -> None:
    walls = Walls(0.008, 4_000, 3.0, 6_000)
    building = Building(Comfort(walls, SLOT_S, (-3.0,), 18.0, 24.0), 21.0)
    inside, lost = 21.0, 0.0
    for _ in range(SLOT_S * 10):
        outward = (inside + 3.0) / walls.kelvin_per_w
        inside += (3.0 * 400 * 4 - outward) / walls.wh_per_kelvin / 36_000
        lost += outward / 36_000
    assert building.after(0, 400).inside == pytest.approx(inside, abs=1e-4)
    assert building.lost_wh(0, 400) == pytest.approx(lost, rel=1e-4)


def test_comfort__that_no_power_keeps__is_refused() -> None:
    with pytest.raises(ValueError, match=r"no power keeps 20\.0 to 22\.0"):
        Comfort(Walls(0.004, 2_000, 2.0, 500), SLOT_S, (-20.0,) * 40, 20.0, 22.0)


# availability


@often
@given(any_asset(), spans(), st.booleans(), calls())
def test_available__of_any_asset__is_delivered_in_every_slot(
    asset: Asset[Any], span: Span, up: bool, before: Calls
) -> None:
    asset = called(asset, before)
    watts = asset.available(span, up=up)
    sign = 1 if up else -1
    if watts == 0:
        return
    asset = asset.with_setpoint(span, sign * watts)
    while asset.slot < SLOTS:
        asset, moved = asset.step()
        if moved.slot in span:
            assert sign * (moved.metered_wh - moved.planned_wh) * 3_600 >= watts * SLOT_S
            assert moved.limit is None


@often
@given(any_asset(), spans(), st.booleans(), st.data())
def test_available__of_any_asset__falls_as_spans_grow_and_holds_for_less(
    asset: Asset[Any], span: Span, up: bool, data: Any
) -> None:
    watts, sign = asset.available(span, up=up), 1 if up else -1
    if span.slots > 1:
        assert asset.available(replace(span, slots=data.draw(st.integers(1, span.slots - 1))), up=up) >= watts
    if watts:
        assert asset.hindered(span, sign * data.draw(st.integers(1, watts))) is None
    assert asset.hindered(span, sign * data.draw(st.integers(watts + 1, watts + 30_000)))


@often
@given(any_asset(), spans(), WATTS)
def test_step__beyond_what_is_available__names_the_limit(asset: Asset[Any], span: Span, watts: int) -> None:
    most = asset.available(span, up=watts > 0)
    asset, limits = asset.with_setpoint(span, watts), list[Limit]()
    while asset.slot < SLOTS:
        asset, moved = asset.step()
        limits += [moved.limit] if moved.limit else []
    assert bool(limits) == (abs(watts) > most)


# the way back


def test_step__of_a_battery_that_gave__takes_it_back_with_the_losses() -> None:
    asset = Asset.begin(Storage(Battery(10_000, 4_000, 800, 5_000), SLOT_S, 1_000), (0,) * 8)
    assert asset.available(Span(0, 4), up=False) == 4_000
    after = lived(asset.with_setpoint(Span(0, 2), -4_000))
    assert [wh for _, wh in after] == [-1_000, -1_000, 1_000, 1_000, 500, 0, 0, 0]
    assert (after[-1][0].body.battery.stored_wh, after[-1][0].body.lost_wh) == (5_000, 500)


def test_step__of_a_car_that_waited__hurries_and_is_full() -> None:
    asset = Asset.begin(Car(CarVisit(1, 6, 2_000, 1_000), SLOT_S, 400), (0, 1_000, 1_000, 0, 0, 0))
    assert asset.available(Span(1, 2), up=False) == 4_000
    assert asset.available(Span(1, 3), up=False) == 0
    assert [wh for _, wh in lived(asset.with_setpoint(Span(1, 2), -4_000))] == [0, 0, 0, 1_000, 1_000, 0]
    assert [wh for _, wh in lived(asset.with_setpoint(Span(1, 2), -1_600))] == [0, 600, 600, 800, 0, 0]


def test_step__of_a_car_that_leaves_early__charges_all_it_can_and_says_why() -> None:
    asset = Asset.begin(Car(CarVisit(0, 6, 3_000, 1_000), SLOT_S), (1_000, 1_000, 1_000, 0, 0, 0))
    asset = asset.with_setpoint(Span(0, 3), -4_000)
    asset, first = asset.step()
    asset = replace(asset, body=asset.body.leaving(3))
    asset, second = asset.step()
    asset, third = asset.step()
    assert [first.metered_wh, second.metered_wh, third.metered_wh] == [0, 1_000, 1_000]
    assert [first.limit, second.limit, third.limit] == [None, Limit.DEPARTURE, Limit.DEPARTURE]
    assert asset.step()[1].metered_wh == 0


@often
@given(buildings(), spans(), WATTS)
def test_step__of_any_building_that_has_time__comes_back_to_its_plan(
    asset: Asset[Building], span: Span, watts: int
) -> None:
    """Within half of a Wh's warmth, wherever power and comfort left it the choice for a slot."""
    rise = asset.body.comfort.walls.rise(SLOT_S)
    asset, reach = asset.with_setpoint(span, watts), asset.body.comfort.walls.reach_wh(SLOT_S)
    while asset.slot < SLOTS:
        asset, moved = asset.step()
        if moved.slot >= span.end and 0 < moved.metered_wh < reach:
            apart = abs(asset.body.inside - asset.planned.inside)
            assert apart <= rise or asset.body.inside == pytest.approx(_edge(asset), abs=2 * rise)


def _edge(asset: Asset[Building]) -> float:
    """The end of the band that is next to it."""
    return min(asset.body.comfort.bands[asset.slot], key=lambda edge: abs(edge - asset.body.inside))
