from __future__ import annotations

import random

import pytest

from gridweave.demo.founding import market_terms
from gridweave.demo.strategy import Trader, improved
from gridweave.domain.orders import Side
from gridweave.domain.slots import SlotClock

TERMS = market_terms("0x" + "01" * 20, "0x" + "02" * 20)
TRADER = Trader("house-01", 12, flexible=False)


def test_market_terms__of_the_demo__keep_the_markets_rules() -> None:
    TERMS.validate(SlotClock(900))
    assert (TERMS.min_price, TERMS.max_price) == (TERMS.feed_in_price, TERMS.retail_price - TERMS.grid_fee)


@pytest.mark.parametrize("net_wh", [0, 9, -9])
def test_quote__below_the_least_energy__is_none(net_wh: int) -> None:
    assert TRADER.quote(40, net_wh, TERMS) is None


def test_quote__given_any_wish__stays_within_what_cannot_hurt(rng: random.Random) -> None:
    for _ in range(2_000):
        trader = Trader(f"house-{rng.randrange(20)}", rng.randrange(99), rng.random() < 0.5)
        quote = trader.quote(rng.randrange(96), rng.choice((-1, 1)) * rng.randint(10, 5_000), TERMS)
        assert quote is not None
        TERMS.tick(quote.side, quote.limit_price)
        if quote.side is Side.ASK:
            assert quote.limit_price >= TERMS.feed_in_price
        else:
            assert quote.limit_price <= TERMS.retail_price


def test_quote__asked_twice__is_the_same() -> None:
    assert TRADER.quote(40, 900, TERMS) == TRADER.quote(40, 900, TERMS)
    assert TRADER.quote(40, 900, TERMS) != Trader("house-02", 12, flexible=False).quote(40, 900, TERMS)


def mean_limit(net_wh: int, *, flexible: bool = False, slot: int = 40) -> int:
    quotes = [Trader(f"h{i}", 12, flexible).quote(slot, net_wh, TERMS) for i in range(400)]
    return sum(quote.limit_price for quote in quotes if quote) // len(quotes)


def test_quote__of_a_seller_with_plenty__asks_less_than_of_one_with_little() -> None:
    assert mean_limit(1_200) < mean_limit(100)


def test_quote__of_a_buyer_in_need__offers_more_than_of_one_who_needs_little() -> None:
    assert mean_limit(-1_200) > mean_limit(-100)


def test_quote__of_a_flexible_buyer__offers_less_until_the_evening() -> None:
    assert mean_limit(-300, flexible=True) < mean_limit(-300)
    assert mean_limit(-300, flexible=True, slot=80) == mean_limit(-300, slot=80)


@pytest.mark.parametrize("net_wh", [700, -700])
def test_improved__given_a_quote__moves_half_way_to_what_would_still_do(net_wh: int) -> None:
    quote = TRADER.quote(40, net_wh, TERMS)
    assert quote is not None
    better = improved(quote, 650, TERMS)
    bound = TERMS.retail_price if quote.side is Side.BID else TERMS.feed_in_price
    assert better.energy_wh == 650
    assert abs(bound - better.limit_price) <= (abs(bound - quote.limit_price) + TERMS.tick_size) // 2 + TERMS.tick_size
