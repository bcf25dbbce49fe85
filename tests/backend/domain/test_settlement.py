"""Settlement of one meter: rounding, who gains, and that nothing is made or lost."""

from __future__ import annotations

import random
from fractions import Fraction

import pytest

from gridweave.domain.orders import Side
from gridweave.domain.settlement import default_reading, settle_meter
from tests.support.market_terms import make_terms, random_terms

SEED = 77_003
ENERGIES = (0, 1, 3, 999, 1_000, 1_001, 4_294_967_295)


def random_case(rng: random.Random) -> tuple[int, int, int, int]:
    bought, sold = rng.choice([(rng.choice(ENERGIES), 0), (0, rng.choice(ENERGIES)), (rng.randrange(9_999), 0)])
    return bought, sold, rng.choice([*ENERGIES, rng.randrange(9_999)]), rng.choice([*ENERGIES, rng.randrange(9_999)])


def test_settle_meter__given_random_inputs__sums_to_zero_and_never_charges_the_operator() -> None:
    rng = random.Random(SEED)
    for _ in range(20_000):
        terms = random_terms(rng)
        price = terms.tick_price(rng.randrange(terms.tick_count))
        cash = settle_meter(terms, price, *random_case(rng))
        assert cash.account + cash.pot + cash.utility + cash.operator == 0
        assert cash.operator >= 0
        assert cash.from_pot + cash.from_utility == cash.account
        assert cash.hold >= 0


def test_settle_meter__given_random_inputs__floors_each_exact_share_once() -> None:
    rng = random.Random(SEED + 1)
    for _ in range(5_000):
        terms = random_terms(rng)
        price = terms.tick_price(rng.randrange(terms.tick_count))
        bought, sold, import_wh, export_wh = random_case(rng)
        cash = settle_meter(terms, price, bought, sold, import_wh, export_wh)
        d = export_wh - import_wh - sold + bought
        trade = Fraction(price * (sold - bought), 1_000)
        fee = Fraction(terms.grid_fee * bought, 1_000)
        deviation = Fraction(d * (terms.feed_in_price if d >= 0 else terms.retail_price), 1_000)
        assert 0 <= trade - fee + deviation - cash.account < 1
        assert 0 <= trade + cash.pot < 1
        assert 0 <= -deviation - cash.utility < 1
        assert fee - 1 < cash.operator < fee + 2


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ((1_000, 0, 1_000, 0), (-220_000, 200_000, 0, 20_000, 0)),
        ((0, 1_000, 0, 1_000), (200_000, -200_000, 0, 0, 0)),
        ((1_000, 0, 1_500, 0), (-390_000, 200_000, 170_000, 20_000, 0)),
        ((0, 1_000, 0, 1_500), (240_000, -200_000, -40_000, 0, 40_000)),
        ((0, 1_000, 0, 400), (-4_000, -200_000, 204_000, 0, 0)),
        ((0, 0, 300, 0), (-102_000, 0, 102_000, 0, 0)),
        ((0, 0, 0, 0), (0, 0, 0, 0, 0)),
    ],
)
def test_settle_meter__at_twenty_cents__is_what_a_bill_would_say(
    given: tuple[int, int, int, int], expected: tuple[int, int, int, int, int]
) -> None:
    cash = settle_meter(make_terms(), 200_000, *given)
    assert (cash.account, cash.pot, cash.utility, cash.operator, cash.hold) == expected


@pytest.mark.parametrize(
    ("bought", "sold", "expected"),
    [(0, 500, (250, 0)), (100, 0, (250, 0)), (600, 0, (600, 0)), (0, 0, (250, 0))],
)
def test_default_reading__of_a_silent_meter__never_pays_it(bought: int, sold: int, expected: tuple[int, int]) -> None:
    terms = make_terms()
    assert default_reading(terms, bought) == expected
    assert settle_meter(terms, 200_000, bought, sold, *expected).account <= 0


def test_collateral__of_any_fill_and_price__covers_what_the_pot_keeps() -> None:
    rng = random.Random(SEED + 2)
    for _ in range(5_000):
        terms = random_terms(rng)
        tick = rng.randrange(terms.tick_count)
        side = rng.choice(list(Side))
        energy = rng.randint(1, 5_000)
        filled = rng.randint(0, energy)
        limit = terms.limit_price(side, tick)
        price = terms.tick_price(rng.randint(0, tick) if side == Side.BID else rng.randint(tick, terms.tick_count - 1))
        bought, sold = (filled, 0) if side == Side.BID else (0, filled)
        cash = settle_meter(terms, price, bought, sold, 0, 0)
        assert terms.collateral(side, limit, filled) + cash.from_pot >= 0
        assert terms.collateral(side, limit, energy) >= terms.collateral(side, limit, filled)
