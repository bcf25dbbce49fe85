"""Assets of every kind with a legal baseline plan, as Hypothesis draws them."""

from __future__ import annotations

from typing import Any

from hypothesis import strategies as st

from gridweave.client.answering.asset import Asset, Span
from gridweave.client.answering.battery import Battery
from gridweave.client.answering.body import Body, Lean
from gridweave.client.answering.building import Building, Comfort, Walls
from gridweave.client.answering.car import Car
from gridweave.client.answering.flexible import CarVisit
from gridweave.client.answering.storage import Storage

SLOTS = 24
SLOT_S = 900
WATTS = st.integers(-12_000, 12_000)


@st.composite
def storages(draw: Any) -> Asset[Storage]:
    capacity = draw(st.integers(0, 20_000))
    stored = draw(st.integers(0, capacity))
    battery = Battery(capacity, draw(st.integers(0, 6_000)), draw(st.integers(500, 1_000)), stored)
    return _planned(draw, Storage(battery, SLOT_S, draw(st.integers(0, stored))))


@st.composite
def cars(draw: Any) -> Asset[Car]:
    arrives = draw(st.integers(0, SLOTS - 1))
    departs = draw(st.integers(arrives + 1, SLOTS))
    reach = draw(st.integers(1, 3_000))
    visit = CarVisit(arrives, departs, draw(st.integers(0, reach * (departs - arrives))), reach)
    return _planned(draw, Car(visit, SLOT_S, draw(st.integers(0, reach))))


@st.composite
def buildings(draw: Any) -> Asset[Building]:
    """Homes of 2.5 to 10 kW heat demand per 40 K and some hours to a day of inertia."""
    walls = Walls(
        draw(st.floats(0.004, 0.016)),
        draw(st.floats(2_000, 12_000)),
        draw(st.floats(2.0, 4.5)),
        draw(st.integers(4_000, 9_000)),
    )
    outside = tuple(draw(st.lists(st.floats(-8, 14), min_size=SLOTS, max_size=SLOTS)))
    building = Building(Comfort(walls, SLOT_S, outside, 19.0, 23.0), draw(st.floats(20.0, 22.0)))
    return Asset.begin(building, building.steady(draw(st.floats(19.5, 22.5))))


def any_asset() -> st.SearchStrategy[Asset[Any]]:
    return st.one_of(storages(), cars(), buildings())


@st.composite
def spans(draw: Any) -> Span:
    first = draw(st.integers(0, SLOTS - 1))
    return Span(first, draw(st.integers(1, SLOTS - first)))


def calls() -> st.SearchStrategy[list[tuple[Span, int]]]:
    return st.lists(st.tuples(spans(), WATTS), max_size=4)


def _planned(draw: Any, body: Any) -> Asset[Any]:
    """Follows wishes as far as limits let it: some plan, and a legal one."""
    plan, moving = list[int](), body
    for slot, wish in enumerate(draw(st.lists(st.integers(-1_500, 1_500), min_size=SLOTS, max_size=SLOTS))):
        plan.append(moving.within(slot, wish, Lean.UP))
        moving = moving.after(slot, plan[-1])
    return Asset.begin(body, plan)


def lived(asset: Asset[Any]) -> list[tuple[Asset[Any], int]]:
    """Each slot's asset at its end and what the meter counted in it, until the plan ends."""
    days = []
    while asset.slot < len(asset.plan):
        asset, moved = asset.step()
        days.append((asset, moved.metered_wh))
    return days


def body_of(asset: Asset[Any]) -> Body:
    body: Body = asset.body
    return body
