"""The contracts' clearing and settlement arithmetic equals the domain's, on random books and settlements.

GRIDWEAVE_DIFFERENTIAL sets how many of each (10,000); GRIDWEAVE_SEED which.
"""

from __future__ import annotations

import os
import random
from collections.abc import Iterator
from dataclasses import astuple, dataclass, field
from typing import Any

import pytest

from gridweave.chain.types import Call
from gridweave.domain.clearing import fill
from gridweave.domain.errors import DomainError
from gridweave.domain.ladder import LEAF_LIMIT_WH, Book
from gridweave.domain.orders import Side
from gridweave.domain.settlement import default_reading, settle_meter
from gridweave.domain.terms import MarketTerms
from tests.e2e.differential.chain import Chain
from tests.e2e.differential.harness import market_harness
from tests.support.market_terms import random_terms
from tests.support.seed import run_seed

pytestmark = [pytest.mark.chain, pytest.mark.slow, pytest.mark.timeout(900)]

COUNT = int(os.environ.get("GRIDWEAVE_DIFFERENTIAL", "10000"))
METERS = 24
BOOKS_PER_CALL = 200
CASES_PER_CALL = 250
UNBOUNDED_GAS = 1 << 50
ENERGIES = (1, 2, 3, 10, 999, 1_000, 40_000)
GRIDS = (1, 2, 5, 31, 32, 33, 64, 255, 257, 1_024)


@dataclass
class RandomBook:
    """Acts of a book, and the domain's book after them."""

    acts: list[int] = field(default_factory=list)
    book: Book = field(default_factory=Book)
    refused: int = 0

    def act(self, version: int, meter: int, side: Side, tick: int, energy: int) -> None:
        """Places, or cancels if there is no energy, in the domain and in the words for the harness."""
        self.acts.append(version << 72 | meter << 56 | side << 48 | tick << 32 | energy)
        try:
            if energy:
                self.book.place(meter, version, side, tick, energy)
            else:
                self.book.cancel(meter, version)
        except DomainError:
            self.refused += 1


def random_book(rng: random.Random) -> RandomBook:
    """Few or many orders on a narrow or wide grid, crowded or spread, even or odd in size, with second thoughts."""
    made = RandomBook()
    ticks = rng.choice(GRIDS)
    center, spread = rng.randrange(ticks), rng.choice([0, 1, 3, ticks])
    sizes = rng.choice([(1,), (100,), ENERGIES, (rng.randint(1, 10**6),), (LEAF_LIMIT_WH // 3, 7)])
    for _ in range(rng.choice([0, 1, 2, 4, 8, 16, 32])):
        meter, version = rng.randrange(METERS), rng.randint(1, 6)
        side = rng.choice(list(Side))
        tick = min(max(center + rng.randint(-spread, spread), 0), ticks - 1)
        energy = 0 if rng.random() < 0.15 else rng.choice(sizes) + rng.choice([0, 0, 1])
        made.act(version, meter, side, tick, energy)
    return made


@pytest.fixture(scope="module")
def chain() -> Iterator[Chain]:
    with Chain(1_800_000_000) as running:
        yield running


@pytest.fixture(scope="module")
def harness(chain: Chain) -> str:
    return chain.create(market_harness()[1])


def ask(chain: Chain, harness: str, function: str, *arguments: Any) -> tuple[Any, ...]:
    codec = market_harness()[0].functions[function]
    (answer,) = chain.view([Call(harness, codec.encode(*arguments), gas=UNBOUNDED_GAS)])
    return codec.decode(answer)


def expected_clearing(book: Book) -> tuple[Any, ...]:
    """The domain's answer as the contract's struct; without a trade the price tick has no meaning."""
    found = book.clear()
    return (
        True,
        False,
        found.traded,
        found.long_side or 0,
        found.price_tick if found.traded else None,
        found.low_tick,
        found.high_tick,
        found.volume_wh,
        found.shared_wh,
        found.long_wh,
    )


def expected_fills(book: Book) -> tuple[int, ...]:
    found = book.clear()
    lines = [book.lines.get(meter) for meter in range(METERS)]
    return tuple(fill(found, x.side, x.tick, x.energy_wh) if x and x.side else 0 for x in lines)


def test_clearing__of_random_books__equals_the_domain(chain: Chain, harness: str) -> None:
    rng = random.Random(f"books {run_seed()}")
    traded = rationed = refused = 0
    for first in range(0, COUNT, BOOKS_PER_CALL):
        books = [random_book(rng) for _ in range(min(BOOKS_PER_CALL, COUNT - first))]
        tag = (first // BOOKS_PER_CALL * BOOKS_PER_CALL + 1) & 0x7FFF
        found, fills, refusals = ask(chain, harness, "clearBooks", [b.acts for b in books], tag, METERS)
        for made, clearing, filled, refusal in zip(books, found, fills, refusals, strict=True):
            words = [f"{act:#x}" for act in made.acts]
            comparable = (*clearing[:4], clearing[4] if clearing[2] else None, *clearing[5:])
            assert comparable == expected_clearing(made.book), words
            assert filled == expected_fills(made.book), words
            assert refusal == made.refused, words
            traded += clearing[2]
            rationed += clearing[3] != 0
            refused += refusal
    print(f"\n{COUNT} books: {traded} traded, {rationed} rationed, {refused} acts refused")
    assert COUNT < 100 or min(traded, rationed, refused) > COUNT // 20


def random_case(rng: random.Random) -> tuple[MarketTerms, tuple[int, ...]]:
    """(terms, (price, bought, sold, import, export, side, tick, energy)), up to the largest energies there are."""
    terms = random_terms(rng)
    most = rng.choice([3, 50, 5_000, (1 << 30) - 1])
    side, tick = rng.choice(list(Side)), rng.randrange(terms.tick_count)
    energy = rng.randint(0, most)
    filled = rng.choice([0, energy, rng.randint(0, energy)])
    bought, sold = (filled, 0) if side == Side.BID else (0, filled)
    price = terms.tick_price(rng.randrange(terms.tick_count)) if filled else 0
    imported, exported = (rng.choice([0, filled, rng.randint(0, min(most, 3_276_700))]) for _ in range(2))
    return terms, (price, bought, sold, imported, exported, side, tick, energy)


def expected_cash(terms: MarketTerms, case: tuple[int, ...]) -> tuple[int, ...]:
    price, bought, sold, imported, exported, side, tick, energy = case
    cash = settle_meter(terms, price, bought, sold, imported, exported)
    silent, none = default_reading(terms, bought)
    assert none == 0
    put_down = terms.collateral(Side(side), terms.limit_price(Side(side), tick), energy)
    return cash.from_pot, cash.from_utility, cash.to_operator, cash.hold, silent, put_down


def test_settlement__of_random_meters__equals_the_domain(chain: Chain, harness: str) -> None:
    rng = random.Random(f"settlements {run_seed()}")
    held = 0
    for first in range(0, COUNT, CASES_PER_CALL):
        cases = [random_case(rng) for _ in range(min(CASES_PER_CALL, COUNT - first))]
        (answers,) = ask(chain, harness, "settleAll", [(astuple(terms), *case) for terms, case in cases])
        for (terms, case), answer in zip(cases, answers, strict=True):
            assert answer == expected_cash(terms, case), (terms, case)
            assert answer[2] >= 0
            held += answer[3] > 0
    print(f"\n{COUNT} settlements: {held} with credit to hold")
    assert COUNT < 100 or held > COUNT // 20
