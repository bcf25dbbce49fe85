"""The neighbourhood: every connection of a grid, with the strategies by which its devices trade."""

from __future__ import annotations

from collections.abc import Sequence

from gridweave.client.answering.flexible import CAR, HEAT
from gridweave.demo.founding import FEE, FEED_IN, RETAIL, TICK, Asset, Plan
from gridweave.demo.hood_data import Connection, HoodDay
from gridweave.demo.household import BatteryStrategy, Household, Outlook
from gridweave.demo.mishaps import Mishaps
from gridweave.demo.profiles import SLOTS, forecast
from gridweave.demo.resident import PlainResident
from gridweave.demo.strategy import NAME, Trader
from gridweave.demo.street import CONNECTION_W
from gridweave.domain.acts import AssetKind

__all__ = ["STRATEGIES", "hood_mishaps", "hood_plans", "outlook_of"]

SCHEDULE = "The whole day at once: every fifth home without a roof, battery, car or heat pump signs one schedule."
STRATEGIES = (*(kind.value for kind in BatteryStrategy), CAR, HEAT, SCHEDULE, NAME)

_LEAST_DEPOSIT = 5_000_000
_EVERY_FIFTH = 5
_EVERY_THIRD = 3
_POOR_FOR_SLOTS = 30


def outlook_of(day: HoodDay) -> Outlook:
    """Yesterday's prices. There was no market, so they are made of what flowed: the scarcer the sun, the dearer.

    Price = feed-in + (retail - fee - feed-in) x drawn / (drawn + given), down to a tick.
    """
    span = RETAIL - FEE - FEED_IN
    flows = zip(day.drawn_yesterday_wh, day.given_yesterday_wh, strict=True)
    return Outlook(tuple(FEED_IN + span * drawn // (drawn + given) // TICK * TICK for drawn, given in flows))


def hood_plans(day: HoodDay, seed: int) -> list[Plan]:
    """Every connection of the grid, in its order."""
    outlook = outlook_of(day)
    stores = [home.name for home in day.connections if home.battery is not None]
    simple = [home.name for home in day.connections if home.group == "plain"]
    poor = poor_home(day)
    plans = []
    for place, home in enumerate(day.connections):
        trades = home.name in stores and stores.index(home.name) % 2 == 1
        plans.append(
            _plan(
                home,
                Trader(home.name, seed, flexible=place % _EVERY_THIRD == 0),
                outlook,
                seed,
                trades=trades,
                is_scheduled=home.name in simple[1::_EVERY_FIFTH],
                is_poor=home.name == poor,
            )
        )
    return plans


def poor_home(day: HoodDay) -> str:
    """The plain household, never on a schedule, that draws most in the first hours; its account runs empty."""
    simple = [home for home in day.connections if home.group == "plain"]
    free = [home for place, home in enumerate(simple) if place % _EVERY_FIFTH != 1 and not home.is_business]
    return max(free, key=lambda home: (sum(home.load_wh[:_POOR_FOR_SLOTS]), home.name)).name


def hood_mishaps(day: HoodDay) -> Mishaps:
    """What goes wrong, at homes that have nothing to do with each other."""
    names = [home.name for home in day.connections]
    poor = names.index(poor_home(day))
    plain = [names.index(home.name) for home in day.connections if home.group == "plain" and home.name != names[poor]]
    solar = [names.index(home.name) for home in day.connections if home.has_pv]
    return Mishaps(
        cut_off=solar[3 % len(solar)],
        silent=plain[2],
        misread=frozenset({(solar[0], 30), (solar[1], 41), (plain[0], 47), (solar[-1], 62), (plain[1], 70)}),
        misread_twice=frozenset({(solar[-1], 62)}),
        poor=poor,
        reorganised_after=60,
        overreached=33,
    )


def _plan(
    home: Connection, trader: Trader, outlook: Outlook, seed: int, *, trades: bool, is_scheduled: bool, is_poor: bool
) -> Plan:
    expected = forecast(home, seed)
    flexible = _flexible_plan(home, outlook)
    needs = sum(expected.load_wh) + sum(flexible) + (home.battery.capacity_wh if home.battery else 0)
    ample = max(_LEAST_DEPOSIT, 2 * RETAIL * needs // 1_000)
    scarce = RETAIL * sum(expected.load_wh[:_POOR_FOR_SLOTS]) // 1_000
    strategy = BatteryStrategy.TRADE if trades else BatteryStrategy.SERVE
    resident: Household | PlainResident = PlainResident(home, expected, trader)
    if home.battery is not None or any(flexible):
        resident = Household(
            home, expected, trader, outlook, flexible, home.battery, strategy if home.battery else None
        )
    return Plan(
        home=home,
        resident=resident,
        deposit_micro=scarce if is_poor else ample,
        connection_w=max(CONNECTION_W, home.rated_w * 5 // 4),
        assets=_assets(home),
        reserve_micro=ample if is_poor else 0,
        is_scheduled=is_scheduled,
        highest_bid=outlook.median + FEE if trades else None,
        group=home.group,
    )


def _flexible_plan(home: Connection, outlook: Outlook) -> Sequence[int]:
    """What cars and heat pumps draw by their plans, Wh per slot, at what their energy is expected to cost."""
    costs = [price + FEE for price in outlook.prices]
    plans = [*(car.plan(costs) for car in home.cars), *(pump.plan(costs) for pump in home.heat)]
    return [sum(plan[slot] for plan in plans) for slot in range(SLOTS)]


def _assets(home: Connection) -> tuple[Asset, ...]:
    found = []
    if home.has_pv:
        found.append(Asset(AssetKind.PHOTOVOLTAIC, home.pv_peak_w))
    if home.battery is not None:
        found.append(Asset(AssetKind.BATTERY, home.battery.power_w, home.battery.capacity_wh))
    if home.has_plug:
        found.append(Asset(AssetKind.ELECTRIC_VEHICLE, home.plug_w))
    if home.heat:
        found.append(Asset(AssetKind.HEAT_PUMP, home.heat_w))
    return tuple(found)
