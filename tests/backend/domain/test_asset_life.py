"""Availability and the slots that count, against a second-by-second reckoning."""

from __future__ import annotations

import random

import pytest

from gridweave.domain.acts import AssetState
from gridweave.domain.asset_life import AssetLife, Availability
from gridweave.domain.slots import SlotClock

S = AssetState
CLOCK = SlotClock(10)
MOVING = (S.ONLINE, S.OFFLINE, S.MAINTENANCE, S.FAULT)
DAY = AssetLife(
    registered_at=5,
    changes=(
        (S.COMMISSIONED, 10),
        (S.ONLINE, 20),
        (S.MAINTENANCE, 60),
        (S.ONLINE, 70),
        (S.FAULT, 100),
        (S.DECOMMISSIONED, 110),
    ),
)


def test_availability__of_a_life__counts_from_commissioning_to_its_end() -> None:
    found = DAY.availability(0, 1_000)
    assert found == Availability(commissioned_s=100, online_s=70, maintenance_s=10)
    assert (found.online_bp, found.maintenance_bp, found.unplanned_bp) == (7_000, 1_000, 7_777)


def test_availability__before_it_was_commissioned_or_after_its_end__is_none() -> None:
    for start, end in ((0, 10), (110, 200), (50, 50)):
        found = DAY.availability(start, end)
        assert found == Availability(0, 0, 0)
        assert (found.online_bp, found.maintenance_bp, found.unplanned_bp) == (None, None, None)


def test_availability__in_maintenance_throughout__has_no_unplanned_share() -> None:
    found = DAY.availability(60, 70)
    assert (found.online_bp, found.maintenance_bp, found.unplanned_bp) == (0, 10_000, None)


def test_life__once_its_meter_ends__ends_with_it() -> None:
    life = AssetLife(0, ((S.COMMISSIONED, 0), (S.ONLINE, 10)), meter_ends=35)
    assert life.ended_at == 35
    assert life.availability(0, 100) == Availability(35, 25, 0)
    assert list(life.slots(0, 9, CLOCK)) == [0, 1, 2]
    assert life.online_slots(0, 9, CLOCK) == {1, 2}


def test_life__without_a_report__has_not_begun() -> None:
    life = AssetLife(0)
    assert (life.state, life.since, life.commissioned_at, life.ended_at) == (S.UNREPORTED, None, None, None)
    assert list(life.slots(0, 9, CLOCK)) == []
    assert life.online_slots(0, 9, CLOCK) == set()


def draw_life(rng: random.Random) -> AssetLife:
    changes, time = [], rng.randrange(30)
    state = S.COMMISSIONED
    for _ in range(rng.randrange(8)):
        changes.append((state, time))
        time += rng.randrange(1, 40)
        state = rng.choice([other for other in MOVING if other != state])
    if changes and rng.random() < 0.3:
        changes.append((S.DECOMMISSIONED, time))
    return AssetLife(0, tuple(changes), rng.choice([None, rng.randrange(10, 25) * 10]))


def state_at(life: AssetLife, second: int) -> AssetState | None:
    """None: not alive."""
    if life.meter_ends is not None and second >= life.meter_ends:
        return None
    told = [state for state, since in life.changes if since <= second]
    return told[-1] if told and told[-1] != S.DECOMMISSIONED else None


@pytest.mark.parametrize("seed", range(40))
def test_life__however_it_went__is_what_its_seconds_say(seed: int) -> None:
    rng = random.Random(seed)
    life = draw_life(rng)
    start, end = sorted(rng.sample(range(300), 2))
    states = [state_at(life, second) for second in range(start, end)]
    alive = [state for state in states if state is not None]
    assert life.availability(start, end) == Availability(len(alive), alive.count(S.ONLINE), alive.count(S.MAINTENANCE))

    first, last = start // 10, end // 10
    seconds = {slot: [state_at(life, slot * 10 + second) for second in range(10)] for slot in range(first, last + 1)}
    assert list(life.slots(first, last, CLOCK)) == [slot for slot, told in seconds.items() if None not in told]
    assert life.online_slots(first, last, CLOCK) == {slot for slot, told in seconds.items() if set(told) == {S.ONLINE}}
