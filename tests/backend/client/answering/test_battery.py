"""A battery never holds less than nothing or more than fits, and never gives what it did not take."""

from __future__ import annotations

import random

import pytest

from gridweave.client.answering.battery import Battery

SLOT_S = 900


def any_battery(rng: random.Random) -> Battery:
    capacity = rng.randint(0, 30_000)
    return Battery(capacity, rng.randint(0, 15_000), rng.randint(1, 1_000), rng.randint(0, capacity))


def test_moved__given_any_wishes__stays_within_bounds_and_conserves_energy(rng: random.Random) -> None:
    for _ in range(300):
        battery = any_battery(rng)
        began, drawn, given = battery.stored_wh, 0, 0
        for _ in range(40):
            battery, moved = battery.moved(rng.randint(-20_000, 20_000), SLOT_S)
            drawn, given = drawn + max(moved, 0), given + max(-moved, 0)
            assert 0 <= battery.stored_wh <= battery.capacity_wh
            assert abs(moved) <= battery.power_w // 4
            lost = drawn - given - (battery.stored_wh - began)
            assert lost >= 0
            assert lost * 1_000 <= drawn * (1_000 - battery.efficiency_permille) + 40 * 1_000


@pytest.mark.parametrize(
    ("wish", "stored", "moved"),
    [(500, 475, 500), (5_000, 950, 1_000), (-500, 0, 0), (0, 0, 0)],
)
def test_moved__of_an_empty_battery_of_4_kw__takes_an_hours_quarter_and_keeps_95_percent(
    wish: int, stored: int, moved: int
) -> None:
    after, found = Battery(10_000, 4_000, 950).moved(wish, SLOT_S)
    assert (after.stored_wh, found) == (stored, moved)


def test_charged__when_nearly_full__never_overflows() -> None:
    after, drawn = Battery(1_000, 40_000, 950, 905).charged(10_000, SLOT_S)
    assert (after.stored_wh, drawn) == (1_000, 100)


def test_discharged__beyond_what_it_holds__gives_what_it_holds() -> None:
    after, given = Battery(1_000, 40_000, 950, 70).discharged(10_000, SLOT_S)
    assert (after.stored_wh, given) == (0, 70)
