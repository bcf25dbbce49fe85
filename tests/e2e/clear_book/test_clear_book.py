"""`gridweave clear-book` on the real contracts, against the domain and against the definition of an equilibrium."""

from __future__ import annotations

import json
import random
import time
from decimal import Decimal
from pathlib import Path

import pytest
from typer.testing import CliRunner

from gridweave.cli import app
from gridweave.cli.book.clearing import clear_book
from gridweave.cli.book.outcome import BookOutcome
from gridweave.cli.clear_book import throw_away
from gridweave.domain.clearing import NO_TICK
from tests.e2e.clear_book.books import Json, cleared_by_domain, parsed, random_book

pytestmark = pytest.mark.chain
LIMIT_S = 90


def run(book: Json, tmp_path: Path, *options: str) -> tuple[int, str, str]:
    file = tmp_path / "book.json"
    file.write_text(json.dumps(book))
    result = CliRunner().invoke(app, ["clear-book", str(file), *options])
    return result.exit_code, result.stdout, result.stderr


def assert_is_domains(outcome: BookOutcome) -> None:
    book = outcome.book
    clearing, bid_fills, ask_fills = cleared_by_domain(book)

    def price(tick: int) -> int | None:
        return None if tick == NO_TICK else book.grid.low + tick * book.grid.tick

    assert outcome.volume_wh == clearing.volume_wh
    assert outcome.price == (price(clearing.price_tick) if clearing.traded else None)
    assert (outcome.low, outcome.high) == (price(clearing.low_tick), price(clearing.high_tick))
    assert (list(outcome.bid_fills), list(outcome.ask_fills)) == (bid_fills, ask_fills)


def assert_is_equilibrium(answer: Json, book: Json) -> None:
    """By definition alone: volume is the most that can trade, the price balances, nobody in the money is left out."""
    fee, volume = Decimal(book["gridFee"]), Decimal(answer["volumeKWh"])
    bids = [(Decimal(row["price"]) - fee, Decimal(row["kWh"])) for row in book["bids"]]
    asks = [(Decimal(row["price"]), Decimal(row["kWh"])) for row in book["asks"]]
    prices = {price for price, _ in bids + asks}

    def tradable(at: Decimal) -> Decimal:
        demand = sum((kwh for limit, kwh in bids if limit >= at), Decimal(0))
        supply = sum((kwh for limit, kwh in asks if limit <= at), Decimal(0))
        return min(demand, supply)

    assert volume == max((tradable(price) for price in prices), default=Decimal(0))
    fills = {side: [Decimal(fill) for fill in answer["fills"][side]] for side in ("bids", "asks")}
    for side in ("bids", "asks"):
        assert sum(fills[side], Decimal(answer["dustKWh"][side])) == volume
    if answer["price"] is None:
        assert volume == 0
        return
    price, (low, high) = Decimal(answer["price"]), (Decimal(end) for end in answer["equilibrium"])
    assert low <= price <= high
    assert tradable(price) == volume
    better = [(limit > price, kwh, fill) for (limit, kwh), fill in zip(bids, fills["bids"], strict=True)]
    better += [(limit < price, kwh, fill) for (limit, kwh), fill in zip(asks, fills["asks"], strict=True)]
    assert all(fill == kwh for is_better, kwh, fill in better if is_better)
    worse = [fill for (limit, _), fill in zip(bids, fills["bids"], strict=True) if limit < price]
    worse += [fill for (limit, _), fill in zip(asks, fills["asks"], strict=True) if limit > price]
    assert not any(worse)


async def test_clear_book__given_random_books__agrees_with_the_domain_and_is_an_equilibrium(rng: random.Random) -> None:
    async with throw_away() as stage:
        for size in [0, 1, 1, 2, 2, 3, 5, 8, 13, 21, 34, 55, 89, 144]:
            book = random_book(rng, size)
            outcome = await clear_book(parsed(book), stage, lambda *_: None)
            assert_is_domains(outcome)
            assert_is_equilibrium(outcome.to_json(), book)


def test_clear_book__given_a_crossed_book__prints_the_document_of_the_design(tmp_path: Path) -> None:
    book = {
        "tick": "0.01",
        "gridFee": "0.02",
        "bids": [{"kWh": "1.5", "price": "0.21", "id": "a"}, {"kWh": "0.7", "price": "0.15"}],
        "asks": [{"kWh": "1", "price": "0.1"}, {"kWh": "0.333", "price": "0.12"}, {"kWh": "0.7", "price": "0.12"}],
    }
    code, printed, _ = run(book, tmp_path, "--json")
    answer = json.loads(printed)
    assert code == 0
    assert answer["gas"].keys() == {"place", "clear"}
    assert 0 < answer["gas"].pop("clear") <= 200_000
    assert answer["gas"].pop("place") > 0
    assert answer == {
        "volumeKWh": "2.033",
        "price": "0.13",
        "equilibrium": ["0.13", "0.13"],
        "fills": {"bids": ["1.5", "0.533"], "asks": ["1", "0.333", "0.7"]},
        "dustKWh": {"bids": "0", "asks": "0"},
        "gas": {},
    }


@pytest.mark.parametrize(
    ("bids", "asks", "interval"),
    [
        ([{"kWh": "1", "price": "0.10"}], [{"kWh": "1", "price": "0.20"}], ["0.1", "0.2"]),
        ([{"kWh": "1", "price": "0.10"}], [], ["0.1", None]),
        ([], [{"kWh": "1", "price": "0.20"}], [None, "0.2"]),
    ],
)
def test_clear_book__without_a_trade__has_no_price_and_names_the_best_of_each_side(
    tmp_path: Path, bids: list[Json], asks: list[Json], interval: list[str | None]
) -> None:
    book = {"tick": "0.05", "gridFee": "0", "bids": bids, "asks": asks}
    code, printed, _ = run(book, tmp_path, "--json")
    answer = json.loads(printed)
    assert (code, answer["price"], answer["volumeKWh"]) == (0, None, "0")
    assert answer["equilibrium"] == interval
    assert set(answer["fills"]["bids"] + answer["fills"]["asks"]) == {"0"}


@pytest.mark.slow
@pytest.mark.timeout(200)
def test_clear_book__given_5000_orders__is_done_within_the_limit(tmp_path: Path, rng: random.Random) -> None:
    book = random_book(rng, 5_000)
    began = time.monotonic()
    code, printed, _ = run(book, tmp_path, "--json")
    assert time.monotonic() - began <= LIMIT_S
    assert code == 0
    assert_is_equilibrium(json.loads(printed), book)


@pytest.mark.parametrize(
    ("ask_kwh", "sentence"),
    [
        ("2", "2 kWh at 0.13, anywhere from 0.1 to 0.16 would have balanced"),
        ("3", "at 0.1, the only price that balances"),
    ],
)
def test_clear_book__told_to_people__names_an_interval_only_where_there_is_one(
    ask_kwh: str, sentence: str, tmp_path: Path
) -> None:
    book = {
        "tick": "0.01",
        "gridFee": "0",
        "bids": [{"kWh": "2", "price": "0.16"}],
        "asks": [{"kWh": ask_kwh, "price": "0.1"}],
    }
    code, shown, _ = run(book, tmp_path)
    assert code == 0
    assert sentence in " ".join(shown.split())
