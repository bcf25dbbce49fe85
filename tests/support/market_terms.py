"""Markets of which every number is chosen by a seed."""

from __future__ import annotations

import random

from gridweave.domain.terms import MarketTerms

UTILITY = "0x" + "01" * 20
OPERATOR = "0x" + "02" * 20


def make_terms(**changes: int | str) -> MarketTerms:
    """A street's market: ticks of a cent from 0.08 to 0.30, fee 0.02, feed-in 0.08, retail 0.34; changed as asked."""
    values: dict[str, int | str] = {
        "min_price": 80_000,
        "tick_size": 10_000,
        "tick_count": 23,
        "grid_fee": 20_000,
        "feed_in_price": 80_000,
        "retail_price": 340_000,
        "min_energy_wh": 10,
        "utility": UTILITY,
        "gate_lead": 900,
        "reading_window": 3_600,
        "correction_window": 7_200,
        "operator": OPERATOR,
        "default_wh": 250,
        "from_slot": 0,
    }
    return MarketTerms(**(values | changes))  # type: ignore[arg-type]


def random_terms(rng: random.Random) -> MarketTerms:
    """Terms that obey every rule, with ticks that do not divide 1,000."""
    tick = rng.choice([1, 7, 999, 1_000, 10_000, 12_345])
    count = rng.choice([1, 2, 40, 1_024])
    minimum = rng.randrange(0, 50) * rng.choice([1, tick])
    fee = rng.randrange(0, 5) * tick
    feed_in = (minimum + fee) // tick * tick - rng.choice([0, tick]) * ((minimum + fee) >= 2 * tick)
    top = minimum + (count - 1) * tick
    retail = (-(-top // tick) + rng.randrange(0, 30)) * tick
    return make_terms(
        min_price=minimum,
        tick_size=tick,
        tick_count=count,
        grid_fee=fee,
        feed_in_price=feed_in,
        retail_price=retail,
        default_wh=rng.choice([0, 1, 250]),
        min_energy_wh=1,
    )
