"""What homes with batteries order and do, by what they can know."""

from __future__ import annotations

import random
from dataclasses import replace

import pytest

from gridweave.client.answering.battery import Battery
from gridweave.demo.founding import market_terms
from gridweave.demo.household import BatteryStrategy, Household, Outlook
from gridweave.demo.profiles import SLOTS, EnergyDay, Forecast
from gridweave.demo.strategy import Trader
from gridweave.domain.orders import Side

TERMS = market_terms("0x" + "01" * 20, "0x" + "02" * 20)
OUTLOOK = Outlook(tuple([280_000] * 36 + [120_000] * 24 + [280_000] * 36))
NOON, EVENING, NIGHT = 40, 90, 10
LOAD_WH = 100


def household(strategy: BatteryStrategy | None, stored_wh: int = 0, capacity_wh: int = 8_000) -> Household:
    actual = EnergyDay((LOAD_WH,) * SLOTS, (0,) * SLOTS)
    expected = Forecast((LOAD_WH,) * SLOTS, (0,) * SLOTS, "home", 1)
    battery = Battery(capacity_wh, 4_000, 950, stored_wh)
    return Household(actual, expected, Trader("home", 1, flexible=False), OUTLOOK, (0,) * SLOTS, battery, strategy)


def test_outlook__of_a_sunny_yesterday__knows_cheap_and_dear_quarters() -> None:
    assert [slot for slot in range(SLOTS) if OUTLOOK.is_cheap(slot)] == list(range(36, 60))
    assert [slot for slot in range(SLOTS) if OUTLOOK.is_dear(slot)] == list(range(72, 96))


@pytest.mark.parametrize("strategy", BatteryStrategy)
def test_quote__at_a_cheap_noon__buys_for_the_battery_below_yesterdays_median(strategy: BatteryStrategy) -> None:
    outlook = replace(OUTLOOK, prices=tuple(120_000 if 20 <= slot < 80 else 280_000 for slot in range(SLOTS)))
    home = replace(household(strategy), outlook=outlook)
    noon = next(slot for slot in range(SLOTS) if outlook.is_cheap(slot))
    quote = home.quote(noon, TERMS)
    assert quote is not None
    assert (quote.side, quote.energy_wh) == (Side.BID, LOAD_WH + 1_000)
    assert quote.limit_price <= outlook.median + TERMS.grid_fee


def test_quote__of_a_trading_battery_in_the_dear_evening__sells_what_the_home_leaves() -> None:
    quote = household(BatteryStrategy.TRADE, stored_wh=100_000, capacity_wh=100_000).quote(EVENING, TERMS)
    assert quote is not None
    assert (quote.side, quote.energy_wh) == (Side.ASK, 1_000 - LOAD_WH)


def test_live__where_the_ask_was_below_the_price__gives_what_was_sold() -> None:
    home = household(BatteryStrategy.TRADE, stored_wh=100_000, capacity_wh=100_000)
    asked = home.quote(EVENING, TERMS)
    assert asked is not None
    assert home.live(EVENING, asked.limit_price, TERMS) == (0, 900)


@pytest.mark.parametrize("price", [None, TERMS.min_price])
def test_live__where_nothing_was_sold__the_battery_rests(price: int | None) -> None:
    home = household(BatteryStrategy.TRADE, stored_wh=100_000, capacity_wh=100_000)
    asked = home.quote(EVENING, TERMS)
    assert asked is not None and asked.limit_price > TERMS.min_price
    assert home.live(EVENING, price, TERMS) == (LOAD_WH, 0)
    assert home.battery is not None and home.battery.stored_wh == 100_000


def test_live__of_a_battery_that_serves__covers_the_home_at_night() -> None:
    home = household(BatteryStrategy.SERVE, stored_wh=8_000)
    assert home.live(NIGHT, None, TERMS) == (0, 0)


def test_live__after_the_order_was_refused__does_not_charge_from_the_market() -> None:
    home = household(BatteryStrategy.SERVE)
    home.quote(NOON, TERMS)
    home.withdraw(NOON)
    assert home.live(NOON, TERMS.min_price, TERMS) == (LOAD_WH, 0)


def test_live__given_any_prices__meters_exactly_what_load_and_battery_moved(rng: random.Random) -> None:
    for strategy in BatteryStrategy:
        home = household(strategy)
        drawn = given = 0
        for slot in range(SLOTS):
            home.quote(slot, TERMS)
            price = rng.choice([None, rng.randrange(TERMS.min_price, TERMS.max_price + 1, TERMS.tick_size)])
            before = home.levels_wh[-1] if home.levels_wh else 0
            moved_in, moved_out = home.live(slot, price, TERMS)
            assert 0 in (moved_in, moved_out)
            change = home.levels_wh[-1] - before
            charged = moved_in - moved_out - LOAD_WH
            assert change == (charged * 950 // 1_000 if charged > 0 else charged)
            drawn, given = drawn + moved_in, given + moved_out
        assert len(home.levels_wh) == SLOTS
        assert drawn + home.levels_wh[0] >= given


def test_quote__asked_twice__is_the_same_and_changes_nothing() -> None:
    home = household(BatteryStrategy.SERVE, stored_wh=3_000)
    assert home.quote(NOON, TERMS) == home.quote(NOON, TERMS)
    assert home.battery == Battery(8_000, 4_000, 950, 3_000)
