"""Clearing against a brute force that knows only what a uniform-price auction must be."""

from __future__ import annotations

import random
from dataclasses import dataclass

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gridweave.domain.clearing import NO_TICK, clear, fill
from gridweave.domain.errors import LadderFull, VersionNotNewer
from gridweave.domain.ladder import LEAF_LIMIT_WH, Book
from gridweave.domain.orders import Side

TICKS = 24
SEED = 1_000_003


@dataclass(frozen=True)
class Stake:
    """One order of a random book."""

    side: Side
    tick: int
    energy_wh: int


def depth(stakes: list[Stake], side: Side) -> dict[int, int]:
    sums: dict[int, int] = {}
    for stake in stakes:
        if stake.side == side:
            sums[stake.tick] = sums.get(stake.tick, 0) + stake.energy_wh
    return sums


def demand(stakes: list[Stake], tick: int) -> int:
    return sum(s.energy_wh for s in stakes if s.side == Side.BID and s.tick >= tick)


def supply(stakes: list[Stake], tick: int) -> int:
    return sum(s.energy_wh for s in stakes if s.side == Side.ASK and s.tick <= tick)


def greedy_volume(stakes: list[Stake]) -> int:
    """The most energy that pairs of one bid and one ask at or below it can trade, matched one by one."""
    bids = sorted(([s.tick, s.energy_wh] for s in stakes if s.side == Side.BID), reverse=True)
    asks = sorted([s.tick, s.energy_wh] for s in stakes if s.side == Side.ASK)
    volume = 0
    while bids and asks and bids[0][0] >= asks[0][0]:
        matched = min(bids[0][1], asks[0][1])
        volume += matched
        for head in (bids, asks):
            head[0][1] -= matched
            if head[0][1] == 0:
                head.pop(0)
    return volume


def equilibria(stakes: list[Stake], ticks: int) -> set[int]:
    """Prices at which what must trade (strictly better) never exceeds what may trade on the other side."""
    return {
        p
        for p in range(ticks)
        if demand(stakes, p + 1) <= supply(stakes, p) and supply(stakes, p - 1) <= demand(stakes, p)
    }


def assert_is_an_equilibrium(stakes: list[Stake], ticks: int) -> None:
    result = clear(depth(stakes, Side.BID), depth(stakes, Side.ASK))
    assert result.volume_wh == greedy_volume(stakes)
    assert result.traded == (result.volume_wh > 0)
    if not result.traded:
        assert result.low_tick == max(depth(stakes, Side.BID), default=NO_TICK)
        assert result.high_tick == min(depth(stakes, Side.ASK), default=NO_TICK)
        return
    assert result.price_tick == (result.low_tick + result.high_tick) // 2
    assert {result.low_tick, result.price_tick, result.high_tick} <= equilibria(stakes, ticks)
    assert result.low_tick == min(equilibria(stakes, ticks))
    assert result.high_tick == max(equilibria(stakes, ticks))
    for side in Side:
        assert_side_is_filled(stakes, side, result.price_tick, result.volume_wh)


def assert_side_is_filled(stakes: list[Stake], side: Side, price: int, volume: int) -> None:
    result = clear(depth(stakes, Side.BID), depth(stakes, Side.ASK))
    mine = [s for s in stakes if s.side == side]
    fills = [fill(result, side, s.tick, s.energy_wh) for s in mine]
    dust = volume - sum(fills)
    assert 0 <= dust <= max(0, sum(s.tick == price for s in mine) - 1)
    assert dust == 0 or side == result.long_side
    for stake, filled in zip(mine, fills, strict=True):
        better = stake.tick - price if side == Side.BID else price - stake.tick
        assert filled == stake.energy_wh if better > 0 else 0 <= filled <= stake.energy_wh
        assert better >= 0 or filled == 0


stakes_of = st.lists(
    st.builds(
        Stake,
        st.sampled_from(list(Side)),
        st.integers(0, TICKS - 1),
        st.one_of(st.integers(1, 6), st.integers(1, 5_000)),
    ),
    max_size=24,
)


@settings(max_examples=1_500, deadline=None, derandomize=True)
@given(stakes_of)
def test_clear__given_any_small_book__is_the_equilibrium(stakes: list[Stake]) -> None:
    assert_is_an_equilibrium(stakes, TICKS)


@pytest.mark.parametrize("ticks", [1, 2, 31, 32, 33, 1024])
@pytest.mark.parametrize("orders", [2, 7, 60])
def test_clear__given_random_books_on_any_grid__is_the_equilibrium(ticks: int, orders: int) -> None:
    rng = random.Random(SEED + ticks * 1_000 + orders)
    for _ in range(12 if ticks > 100 else 60):
        stakes = [
            Stake(rng.choice(list(Side)), rng.randrange(ticks), rng.choice([1, 10, rng.randint(1, 10_000)]))
            for _ in range(orders)
        ]
        assert_is_an_equilibrium(stakes, ticks)


def test_clear__of_an_empty_book__has_no_price_and_no_quotes() -> None:
    result = clear({}, {})
    assert (result.traded, result.low_tick, result.high_tick, result.volume_wh) == (False, NO_TICK, NO_TICK, 0)


def test_clear__when_nothing_crosses__shows_best_bid_and_best_ask() -> None:
    result = clear({3: 5, 2: 9}, {7: 5, 9: 1})
    assert (result.traded, result.low_tick, result.high_tick) == (False, 3, 7)


def test_clear__when_one_price_fits_both__takes_the_middle_rounded_down() -> None:
    result = clear({9: 100}, {4: 100})
    assert (result.low_tick, result.high_tick, result.price_tick, result.long_side) == (4, 9, 6, None)


def test_clear__when_demand_is_long__rations_bids_at_the_price() -> None:
    result = clear({9: 100, 5: 200}, {4: 150})
    assert (result.price_tick, result.long_side, result.shared_wh, result.long_wh) == (5, Side.BID, 50, 200)
    assert [fill(result, Side.BID, 5, q) for q in (67, 133)] == [16, 33]


def test_clear__when_supply_is_long__rations_asks_at_the_price() -> None:
    result = clear({9: 100}, {4: 150})
    assert (result.price_tick, result.long_side, result.shared_wh, result.long_wh) == (4, Side.ASK, 100, 150)


def test_clear__given_ticks_without_energy__ignores_them() -> None:
    assert clear({9: 100, 7: 0}, {4: 100, 6: 0}) == clear({9: 100}, {4: 100})


def test_place__given_a_replacement__moves_the_energy() -> None:
    book = Book()
    book.place(1, 1, Side.BID, 5, 100)
    book.place(2, 1, Side.BID, 5, 50)
    book.place(1, 2, Side.ASK, 7, 80)
    assert (dict(book.depth(Side.BID)), dict(book.depth(Side.ASK))) == ({5: 50}, {7: 80})
    assert (book.open_wh(Side.BID), book.open_wh(Side.ASK)) == (50, 80)


@pytest.mark.parametrize("version", [0, 1, 4, 5])
def test_place__given_no_newer_version__is_refused_and_changes_nothing(version: int) -> None:
    book = Book()
    book.place(1, 5, Side.BID, 5, 100)
    with pytest.raises(VersionNotNewer):
        book.place(1, version, Side.ASK, 7, 80)
    with pytest.raises(VersionNotNewer):
        book.cancel(1, version)
    assert dict(book.depth(Side.BID)) == {5: 100}


def test_cancel__of_a_live_order__takes_it_out_and_keeps_its_version() -> None:
    book = Book()
    book.place(1, 5, Side.BID, 5, 100)
    book.cancel(1, 6)
    assert book.open_wh(Side.BID) == 0
    assert (book.lines[1].version, book.lines[1].energy_wh) == (6, 0)


@pytest.mark.parametrize("neighbour", [5, 31])
def test_place__over_what_a_group_holds__is_refused_and_keeps_the_old_order(neighbour: int) -> None:
    book = Book()
    book.place(1, 1, Side.BID, 5, LEAF_LIMIT_WH - 10)
    book.place(2, 1, Side.BID, neighbour, 9)
    with pytest.raises(LadderFull):
        book.place(2, 2, Side.BID, neighbour, 10)
    assert book.open_wh(Side.BID) == LEAF_LIMIT_WH - 1
    assert book.lines[2].version == 1
    book.place(2, 2, Side.BID, 32, 10)
    assert book.open_wh(Side.BID) == LEAF_LIMIT_WH


@settings(max_examples=200, deadline=None, derandomize=True)
@given(st.lists(st.tuples(st.integers(1, 5), st.sampled_from([*Side, None]), st.integers(0, 40), st.integers(1, 99))))
def test_book__after_any_placing_and_cancelling__holds_each_meters_last_word(
    acts: list[tuple[int, Side | None, int, int]],
) -> None:
    book, last = Book(), dict[int, Stake | None]()
    for version, (meter, side, tick, energy) in enumerate(acts, start=1):
        if side is None:
            book.cancel(meter, version)
            last[meter] = None
        else:
            book.place(meter, version, side, tick, energy)
            last[meter] = Stake(side, tick, energy)
    live = [stake for stake in last.values() if stake]
    for side in Side:
        assert dict(book.depth(side)) == depth(live, side)
    assert book.clear() == clear(depth(live, Side.BID), depth(live, Side.ASK))
