"""Cars are full when they leave, heat is there when it is needed, and nothing is drawn beyond what the plug gives."""

from __future__ import annotations

import random

import pytest

from gridweave.client.answering.flexible import CarVisit, HeatPump

SLOTS = 96


def any_costs(rng: random.Random) -> list[int]:
    return [rng.randint(80, 300) for _ in range(SLOTS)]


def test_plan__of_any_car__is_full_by_departure_and_never_charges_elsewhere(rng: random.Random) -> None:
    for _ in range(500):
        arrives = rng.randrange(SLOTS)
        departs = rng.randint(arrives + 1, SLOTS)
        reach = rng.randint(1, 5_000)
        car = CarVisit(arrives, departs, rng.randint(0, reach * (departs - arrives)), reach)
        plan = car.plan(any_costs(rng))
        assert sum(plan) == sum(plan[arrives:departs]) == car.needs_wh
        assert all(0 <= energy <= reach for energy in plan)


def test_plan__of_a_car__takes_the_cheapest_slots_the_earliest_first() -> None:
    assert CarVisit(1, 5, 250, 100).plan([0, 3, 1, 2, 1, 0]) == [0, 0, 100, 50, 100, 0]


def test_car_visit__that_no_plan_could_fill__is_refused() -> None:
    with pytest.raises(ValueError, match="301 Wh do not fit"):
        CarVisit(1, 4, 301, 100)


def test_plan__of_any_heat_pump__meets_each_need_in_time_within_buffer_and_power(rng: random.Random) -> None:
    for _ in range(200):
        reach = rng.randint(1, 2_000)
        need = tuple(rng.randint(0, reach) if rng.random() < 0.4 else 0 for _ in range(SLOTS))
        pump = HeatPump(need, rng.randint(0, 6_000), reach)
        costs = any_costs(rng)
        plan = pump.plan(costs)
        kept = 0
        for drawn, needed in zip(plan, need, strict=True):
            kept += drawn - needed
            assert 0 <= kept <= pump.buffer_wh
            assert 0 <= drawn <= reach
        assert kept == 0
        spent = sum(cost * energy for cost, energy in zip(costs, plan, strict=True))
        assert spent <= sum(cost * energy for cost, energy in zip(costs, need, strict=True))


def test_plan__of_a_heat_pump__follows_the_sun_as_far_as_its_buffer_goes() -> None:
    assert HeatPump((0, 0, 0, 300), 200, 150).plan([5, 1, 3, 9]) == [0, 150, 50, 100]
