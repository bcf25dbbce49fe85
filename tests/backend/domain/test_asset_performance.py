"""Yield, ratio and flags: worked examples, and the ratio against a plain reckoning of random feeders."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import replace
from fractions import Fraction
from statistics import median
from typing import Any

import pytest

from gridweave.domain.acts import AssetKind, AssetState
from gridweave.domain.asset_life import AssetLife, Availability
from gridweave.domain.asset_performance import (
    LEAST_COMPARED,
    LEAST_PEERS,
    SILENT_S,
    Figures,
    Flag,
    Group,
    MeasuredAsset,
    flags_of,
)
from gridweave.domain.slots import SlotClock

S = AssetState
CLOCK = SlotClock(900)
ALWAYS = AssetLife(0, ((S.COMMISSIONED, 0), (S.ONLINE, 1)))
FIRST, LAST = 10, 29


def roof(number: int, nameplate_w: int = 1_000, life: AssetLife = ALWAYS, **more: Any) -> MeasuredAsset:
    values: dict[str, Any] = {"kind": AssetKind.PHOTOVOLTAIC} | more
    return MeasuredAsset(number, 100 + number, nameplate_w=nameplate_w, life=life, **values)


def flat(assets: Sequence[MeasuredAsset], wh: Sequence[int]) -> dict[int, dict[int, int]]:
    """The same in every slot of the window and around it."""
    return {a.meter: dict.fromkeys(range(FIRST - 5, LAST + 5), given) for a, given in zip(assets, wh, strict=True)}


def group(assets: Sequence[MeasuredAsset], readings: dict[int, dict[int, int]]) -> Group:
    return Group(assets, readings, FIRST, LAST, CLOCK)


def test_figures__of_a_roof_among_its_like__hold_it_against_their_median() -> None:
    """Own 100 Wh of 1 kW against 200, 150 and 240 Wh of 1, 1 and 2 kW: the median is 150 Wh per kW."""
    assets = [roof(1), roof(2), roof(3), roof(4, 2_000)]
    found = group(assets, flat(assets, (100, 200, 150, 240))).figures(assets[0])
    assert found == Figures(
        slots=20,
        read_slots=20,
        shared_slots=0,
        export_wh=2_000,
        yield_wh_per_kw=2_000,
        capacity_factor_bp=4_000,  # 100 Wh in a quarter hour are 400 W of 1,000
        peers=3,
        compared_slots=20,
        ratio_bp=6_666,
    )


def test_figures__of_an_even_number_of_peers__take_the_mean_of_the_middle_two_rounded_down() -> None:
    assets = [roof(1, 3_000), *(roof(number, 3_000) for number in (2, 3, 4, 5))]
    found = group(assets, flat(assets, (100, 100, 101, 102, 999))).figures(assets[0])
    middle = (101 * 10**6 // 3_000 + 102 * 10**6 // 3_000) // 2
    assert found.ratio_bp == (100 * 10**6 // 3_000) * 10_000 // middle


def test_figures__with_two_peers__have_no_ratio() -> None:
    assets = [roof(number) for number in range(LEAST_PEERS)]
    found = group(assets, flat(assets, (100, 200, 200))).figures(assets[0])
    assert (found.ratio_bp, found.peers, found.compared_slots) == (None, 0, 0)
    assert found.export_wh == 2_000


def test_figures__in_slots_where_a_peer_was_not_online_or_not_read__leave_those_out() -> None:
    late = AssetLife(0, ((S.COMMISSIONED, 0), (S.OFFLINE, 1), (S.ONLINE, 20 * 900)))
    assets = [roof(1), roof(2), roof(3), roof(4, life=late)]
    readings = flat(assets, (100, 200, 200, 200))
    del readings[assets[1].meter][25]
    found = group(assets, readings).figures(assets[0])
    assert (found.compared_slots, found.ratio_bp) == (9, 5_000)  # 20..29 but 25


def test_figures__in_slots_in_which_it_was_offline_itself__count_against_it() -> None:
    fails = AssetLife(0, ((S.COMMISSIONED, 0), (S.ONLINE, 1), (S.FAULT, 20 * 900)))
    assets = [roof(1, life=fails), roof(2), roof(3), roof(4)]
    readings = flat(assets, (200, 200, 200, 200))
    readings[assets[0].meter] |= dict.fromkeys(range(20, 30), 0)
    assert group(assets, readings).figures(assets[0]).ratio_bp == 5_000


def test_figures__at_night__compare_nothing() -> None:
    assets = [roof(number) for number in range(5)]
    found = group(assets, flat(assets, (0, 0, 0, 0, 0))).figures(assets[0])
    assert (found.compared_slots, found.ratio_bp, found.capacity_factor_bp) == (0, None, 0)


@pytest.mark.parametrize("kind", [AssetKind.BATTERY, AssetKind.ELECTRIC_VEHICLE, AssetKind.HEAT_PUMP, AssetKind.LOAD])
def test_figures__of_what_gives_as_its_owner_likes__have_no_ratio(kind: AssetKind) -> None:
    assets = [roof(number, kind=kind) for number in range(5)]
    found = group(assets, flat(assets, (100, 200, 200, 200, 200))).figures(assets[0])
    assert (found.ratio_bp, found.export_wh) == (None, 2_000)


def test_figures__with_others_behind_the_meter__count_the_slots_without_them() -> None:
    """Another stood there up to the middle of slot 15; from 16 on the meter's readings are the asset's again."""
    others = ((0, 15 * 900 + 450),)
    assets = [roof(1, others=others), roof(2), roof(3), roof(4)]
    found = group(assets, flat(assets, (100, 200, 200, 200))).figures(assets[0])
    assert (found.slots, found.shared_slots, found.export_wh) == (14, 6, 1_400)
    assert (found.compared_slots, found.ratio_bp) == (14, 5_000)
    always = [roof(1, others=((0, None),)), *assets[1:]]
    shared = group(always, flat(always, (100, 200, 200, 200)))
    alone = shared.figures(always[0])
    assert (alone.slots, alone.shared_slots, alone.export_wh, alone.yield_wh_per_kw) == (0, 20, 0, None)
    assert alone.ratio_bp is None
    assert shared.figures(always[1]).ratio_bp is None  # two peers are left


def test_figures__without_a_nameplate__say_what_was_given_alone() -> None:
    assets = [roof(1, 0), roof(2), roof(3), roof(4)]
    found = group(assets, flat(assets, (100, 200, 200, 200))).figures(assets[0])
    assert (found.export_wh, found.yield_wh_per_kw, found.capacity_factor_bp, found.ratio_bp) == (
        2_000,
        None,
        None,
        None,
    )


def test_figures__without_readings__say_so() -> None:
    found = group([roof(1)], {}).figures(roof(1))
    assert (found.slots, found.read_slots, found.capacity_factor_bp, found.ratio_bp) == (20, 0, None, None)


@pytest.mark.parametrize("seed", range(30))
def test_ratio__of_random_feeders__is_what_fractions_say_but_for_rounding(seed: int) -> None:
    rng = random.Random(seed)
    assets = [roof(number, rng.randrange(500, 10_000)) for number in range(rng.randrange(4, 12))]
    readings = {
        a.meter: {slot: rng.randrange(a.nameplate_w // 4) for slot in range(FIRST, LAST + 1) if rng.random() < 0.8}
        for a in assets
    }
    weighed = group(assets, readings)
    for asset in assets:
        own, expected = Fraction(0), Fraction(0)
        for slot, given in readings[asset.meter].items():
            peers = [a for a in assets if a is not asset and slot in readings[a.meter]]
            if len(peers) < LEAST_PEERS:
                continue
            typical = median([Fraction(readings[a.meter][slot], a.nameplate_w) for a in peers])
            if typical:
                own, expected = own + Fraction(given, asset.nameplate_w), expected + typical
        found = weighed.figures(asset).ratio_bp
        if not expected:
            assert found is None
        else:
            assert found is not None
            assert abs(found - own / expected * 10_000) <= 2


GOOD = Figures(20, 20, 0, 2_000, 2_000, 4_000, 3, LEAST_COMPARED, 8_000)
UP = Availability(1_000, 900, 0)
NOW = 1_000_000


@pytest.mark.parametrize(
    ("figures", "availability", "seen", "life", "flags"),
    [
        (GOOD, UP, NOW, ALWAYS, ()),
        (replace(GOOD, ratio_bp=7_999), UP, NOW, ALWAYS, (Flag.UNDER_DELIVERS,)),
        (replace(GOOD, ratio_bp=7_999, compared_slots=LEAST_COMPARED - 1), UP, NOW, ALWAYS, ()),
        (GOOD, Availability(10_000, 8_999, 0), NOW, ALWAYS, (Flag.UNAVAILABLE,)),
        (GOOD, Availability(10_000, 4_500, 5_000), NOW, ALWAYS, ()),
        (GOOD, UP, NOW - SILENT_S - 1, ALWAYS, (Flag.SILENT,)),
        (GOOD, UP, NOW - SILENT_S, ALWAYS, ()),
        (replace(GOOD, read_slots=17), UP, NOW, ALWAYS, (Flag.UNREAD,)),
        (GOOD, UP, NOW, AssetLife(0, (*ALWAYS.changes, (S.FAULT, 2))), (Flag.FAULT,)),
        (replace(GOOD, ratio_bp=0), UP, None, AssetLife(0), ()),
        (replace(GOOD, ratio_bp=0), UP, None, AssetLife(0, (*ALWAYS.changes, (S.DECOMMISSIONED, 2))), ()),
        (replace(GOOD, ratio_bp=0), UP, None, replace(ALWAYS, meter_ends=NOW), ()),
    ],
)
def test_flags_of__given_figures__names_what_stands_out(
    figures: Figures, availability: Availability, seen: int | None, life: AssetLife, flags: tuple[Flag, ...]
) -> None:
    assert flags_of(roof(1, life=life), availability, figures, seen, NOW) == flags
