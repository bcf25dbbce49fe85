"""Readings, silence, releases and the close in the domain, and that no order of them matters."""

from __future__ import annotations

import random
from typing import Any

import pytest

from gridweave.domain import errors
from gridweave.domain.market import MarketBook
from gridweave.domain.meters import Meter, MeterBinding
from gridweave.domain.orders import Order, Side
from gridweave.domain.outcomes import (
    ReadingRefused,
    Released,
    Settled,
    SettlementRefused,
    SlotClosed,
)
from gridweave.domain.readings import Reading
from gridweave.domain.terms import MarketTerms
from tests.support.market_day import (
    CLOSED_AT,
    DEFAULT_AT,
    END,
    FAR,
    GATE,
    HOLD,
    LENGTH,
    NOW,
    PLENTY,
    SLOT,
    ask,
    assert_whole,
    bid,
    home,
    make_market,
    reading,
    reasons,
    state,
)
from tests.support.market_terms import OPERATOR, UTILITY, make_terms, random_terms

# settle


def traded(**options: Any) -> MarketBook:
    """Homes 1 and 2 sell 1,000 Wh to 3 and 4 at 0.18; whole Wh everywhere."""
    book = make_market(**options)
    orders = [ask(1, 600), ask(2, 400), bid(3, 300), bid(4, 700)]
    assert reasons(book.place(orders, NOW)) == [None] * 4
    book.clear(1, SLOT, GATE)
    return book


def test_settle__of_seller_first__pays_it_before_any_buyer() -> None:
    book = traded()
    book.settle(1, SLOT, [reading(1, 0, 600)], END)
    assert book.vault.account(home(1), END).available == PLENTY + 108_000
    assert_whole(book)


def test_settle__of_everyone_as_traded__closes_the_slot_without_dust() -> None:
    book = traded()
    readings = [reading(1, 0, 600), reading(2, 0, 400), reading(3, 300, 0), reading(4, 700, 0)]
    outcomes = book.settle(1, SLOT, readings, END)
    assert outcomes[-1] == SlotClosed(1, SLOT, 0, 0, 0)
    gains = [book.vault.account(home(i), END).available - PLENTY for i in (1, 2, 3, 4)]
    assert gains == [108_000, 72_000, -60_000, -140_000]
    assert book.vault.account(OPERATOR, END).available == 20_000
    assert book.vault.account(UTILITY, END).available == PLENTY


@pytest.mark.parametrize(("time", "refusal"), [(END - 1, errors.ReadingTooEarly), (CLOSED_AT, errors.ReadingTooLate)])
def test_settle__outside_its_window__is_refused(time: int, refusal: type[errors.DomainError]) -> None:
    book = traded()
    with pytest.raises(refusal):
        book.settle(1, SLOT, [reading(1, 0, 600)], time)


@pytest.mark.parametrize(
    ("item", "reason"),
    [
        (reading(1, 0, 600, slot=SLOT + 1), errors.ReadingForOtherSlot),
        (reading(99, 0, 600), errors.MeterUnknown),
        (reading(1, 0, 600, version=0), errors.ReadingVersionOutOfRange),
        (reading(1, 0, 600, version=4), errors.ReadingVersionOutOfRange),
        (reading(1, 0, 10_001), errors.ReadingAboveCapacity),
        (reading(1, 10_001, 0), errors.ReadingAboveCapacity),
    ],
)
def test_settle__by_a_reading_that_breaks_a_rule__is_refused(item: Reading, reason: type[errors.DomainError]) -> None:
    book = traded()
    assert book.settle(1, SLOT, [item], END) == [ReadingRefused(item, reason)]
    assert book.ledger.reading(item.meter, SLOT).version == 0


def test_settle__by_readings_of_other_markets_scales_and_devices__is_refused() -> None:
    book = traded()
    book.meters.register(7, Meter(home(7), 2, 9_999, 9_999, 1, True, False), MeterBinding(home(97), 0, 0, 0))
    book.meters.register(8, Meter(home(8), 1, 9_999, 9_999, 10, True, False), MeterBinding(home(98), 0, 0, 0))
    book.meters.register(9, Meter(home(9), 1, 9_999, 9_999, 1, True, True), MeterBinding(home(99), 0, SLOT, 0))
    items = [reading(7, 1, 0), reading(8, 15, 0), reading(9, 1, 0), reading(1, 0, 600)]
    outcomes = book.settle(1, SLOT, items, END, [None, None, None, errors.DeviceSuspended])
    assert reasons(outcomes) == [
        errors.MeterOfOtherMarket,
        errors.ReadingOffScale,
        errors.MeterNotInForce,
        errors.DeviceSuspended,
    ]


def test_settle__given_a_meter_registered_after_the_slot_began__leaves_it_alone() -> None:
    book = traded()
    for number, registered_at in ((7, END - LENGTH), (8, END - LENGTH + 1)):
        meter = Meter(home(number), 1, 9_999, 9_999, 1, True, False)
        book.meters.register(number, meter, MeterBinding(home(90 + number), 0, 0, registered_at))
    outcomes = book.settle(1, SLOT, [reading(8, 1, 0)], END)
    assert outcomes == [ReadingRefused(reading(8, 1, 0), errors.MeterNotInForce)]
    outcomes = book.settle_by_default(1, SLOT, [7, 8], DEFAULT_AT)
    assert reasons(outcomes) == [None, errors.OrderMeterNotInForce]
    assert book.vault.account(home(8), DEFAULT_AT).arrear == 0
    assert reasons(book.release(1, SLOT, [8], DEFAULT_AT)) == [errors.NothingToRelease]


def test_settle__by_the_same_version_twice__is_refused_even_within_a_batch() -> None:
    book = traded()
    outcomes = book.settle(1, SLOT, [reading(1, 0, 600), reading(1, 0, 500)], END)
    assert reasons(outcomes) == [None, errors.ReadingNotNewer, None]
    assert reasons(book.settle(1, SLOT, [reading(1, 0, 500)], END)) == [errors.ReadingNotNewer]


def test_settle__of_an_uncleared_slot__clears_it_first() -> None:
    book = make_market()
    book.place([ask(1, 600), bid(2, 600)], NOW)
    outcomes = book.settle(1, SLOT, [reading(1, 0, 600)], END)
    assert [type(outcome).__name__ for outcome in outcomes] == ["Cleared", "ReadingRecorded", "Settled"]


def test_settle__of_feed_in__is_held_until_the_correction_window_ends() -> None:
    book = traded()
    book.settle(1, SLOT, [reading(1, 0, 1_600)], END)
    account = book.vault.account(home(1), END)
    assert (account.available - PLENTY, account.held) == (108_000 + 80_000, 80_000)
    last = (CLOSED_AT // HOLD + 1) * HOLD
    assert book.vault.account(home(1), last - 1).held == 80_000
    assert book.vault.account(home(1), last).held == 0


def test_settle__of_a_correction__pays_the_difference_only() -> None:
    corrected, direct = traded(), traded()
    corrected.settle(1, SLOT, [reading(1, 0, 1_600)], END)
    corrected.settle(1, SLOT, [reading(1, 30, 200, version=2)], END + 60)
    direct.settle(1, SLOT, [reading(1, 30, 200, version=2)], END + 60)
    assert state(corrected, END + 60) == state(direct, END + 60)


def test_settle__without_a_mandate__owes_what_the_pot_does_not_bring() -> None:
    book = traded(mandate=False)
    book.settle(1, SLOT, [reading(3, 1_300, 0)], END)
    assert book.vault.account(home(3), END).available == PLENTY - 69_000
    assert book.vault.owed(home(3), UTILITY) == 331_000


# silence, release and close


def test_settle_by_default__before_the_deadline_or_the_clearing__is_refused() -> None:
    book = traded()
    with pytest.raises(errors.ReadingDeadlineNotPassed):
        book.settle_by_default(1, SLOT, [1], DEFAULT_AT - 1)
    with pytest.raises(errors.NotCleared):
        book.settle_by_default(1, SLOT + 1, [1], DEFAULT_AT)


def test_settle_by_default__of_the_silent__charges_everybody_at_least_the_default() -> None:
    book = traded()
    outcomes = book.settle_by_default(1, SLOT, [1, 3, 99, 1], DEFAULT_AT)
    assert outcomes == [
        Settled(1, SLOT, 0, 0, 600, 108_000 - 204_000 - 85_000),
        Settled(3, SLOT, 0, 300, 0, -60_000),
        SettlementRefused(99, SLOT, errors.OrderMeterUnknown),
        SettlementRefused(1, SLOT, errors.AlreadySettled),
    ]
    assert reasons(book.settle_by_default(1, SLOT, [3], DEFAULT_AT)) == [errors.AlreadySettled]


def test_settle_by_default__of_a_meter_without_an_order__charges_the_default() -> None:
    book = make_market(homes=5)
    book.place([ask(1, 600), bid(2, 600)], NOW)
    book.clear(1, SLOT, GATE)
    book.settle_by_default(1, SLOT, [5], DEFAULT_AT)
    assert book.vault.account(home(5), DEFAULT_AT).available == PLENTY - 85_000


def test_settle__by_a_reading_after_the_default__equals_the_reading_alone() -> None:
    late, direct = traded(), traded()
    late.settle_by_default(1, SLOT, [1, 2, 3, 4], DEFAULT_AT)
    readings = [reading(1, 0, 650), reading(2, 40, 0), reading(3, 500, 0), reading(4, 10, 0)]
    late.settle(1, SLOT, readings, CLOSED_AT - 1)
    direct.settle(1, SLOT, readings, CLOSED_AT - 1)
    assert state(late, CLOSED_AT - 1) == state(direct, CLOSED_AT - 1)


def test_release__of_what_was_not_filled__frees_its_collateral_once() -> None:
    book = make_market()
    book.place([ask(1, 600), bid(2, 1_000), bid(3, 500, 170_000)], NOW)
    with pytest.raises(errors.NotCleared):
        book.release(1, SLOT, [3], NOW)
    book.clear(1, SLOT, GATE)
    assert book.release(1, SLOT, [3, 2, 1, 4, 99], GATE) == [
        Released(3, SLOT, 85_000),
        Released(2, SLOT, 92_000),
        SettlementRefused(1, SLOT, errors.NothingToRelease),
        SettlementRefused(4, SLOT, errors.NothingToRelease),
        SettlementRefused(99, SLOT, errors.OrderMeterUnknown),
    ]
    assert reasons(book.release(1, SLOT, [3, 2], GATE)) == [errors.NothingToRelease] * 2
    assert book.slot_book(1, SLOT).open_wh[Side.BID] == 1_000


@pytest.mark.parametrize("released", [False, True])
def test_release__before_settling__changes_nothing_in_the_end(released: bool) -> None:
    book = make_market()
    book.place([ask(1, 600), bid(2, 1_000), bid(3, 500, 170_000)], NOW)
    book.clear(1, SLOT, GATE)
    if released:
        book.release(1, SLOT, [2, 3], GATE)
    outcomes = book.settle(1, SLOT, [reading(1, 0, 600), reading(2, 600, 0), reading(3, 0, 0)], END)
    assert outcomes[-1] == SlotClosed(1, SLOT, 0, 0, 0)
    gains = [book.vault.account(home(i), END).available - PLENTY for i in (1, 2, 3)]
    assert gains == [126_000, -138_000, 0]
    assert reasons(book.release(1, SLOT, [3], END)) == [errors.AlreadySettled]


def test_release__of_the_last_live_order__closes_the_slot() -> None:
    book = make_market()
    book.place([bid(1, 1_000)], NOW)
    book.clear(1, SLOT, GATE)
    assert book.release(1, SLOT, [1], GATE) == [Released(1, SLOT, 230_000), SlotClosed(1, SLOT, 0, 0, 0)]


def test_close__with_dust_of_bids__has_the_utility_buy_what_it_advanced_for() -> None:
    book = make_market(homes=4)
    book.place([ask(1, 100, 200_000), *(bid(i, 67, 220_000) for i in (2, 3, 4))], NOW)
    book.clear(1, SLOT, GATE)
    slot = book.slot_book(1, SLOT)
    book.settle(1, SLOT, [reading(i, 33, 0) for i in (2, 3, 4)], END)
    (_, _, closed) = book.settle(1, SLOT, [reading(1, 0, 100)], END)
    assert closed == SlotClosed(1, SLOT, 1, 0, 0)
    assert slot.advanced == 200
    assert book.vault.account(home(1), END).available == PLENTY + 20_000
    assert book.vault.account(UTILITY, END).available == PLENTY - 200
    assert_whole(book)


def test_release__when_sellers_were_paid_for_dust__has_the_utility_advance_it() -> None:
    book = make_market(terms=make_terms(grid_fee=0), homes=4)
    book.place([ask(1, 100, 200_000), *(bid(i, 67, 200_000) for i in (2, 3, 4))], NOW)
    book.clear(1, SLOT, GATE)
    book.settle(1, SLOT, [reading(1, 0, 100)], END)
    outcomes = book.release(1, SLOT, [2, 3, 4], END)
    assert outcomes == [Released(i, SLOT, 6_800) for i in (2, 3, 4)]
    assert book.slot_book(1, SLOT).advanced == 200
    assert_whole(book)
    (*_, closed) = book.settle(1, SLOT, [reading(i, 33, 0) for i in (2, 3, 4)], END)
    assert closed == SlotClosed(1, SLOT, 1, 0, 0)
    assert book.vault.account(UTILITY, END).available == PLENTY - 200
    assert [book.vault.account(home(i), END).available - PLENTY for i in (1, 2, 3, 4)] == [20_000, *[-6_600] * 3]


def test_collect__of_an_unknown_market__is_refused() -> None:
    book = make_market(utility=0)
    book.settle(1, SLOT, [reading(2, 0, 700)], END)
    with pytest.raises(errors.UnknownMarket):
        book.collect(2, home(2), END)
    assert book.collect(1, home(2), END) == 0


# any day at all


def random_day(rng: random.Random) -> tuple[MarketTerms, list[Order], dict[int, list[Reading]]]:
    """Terms, orders of 8 homes, and up to three readings of each."""
    terms = random_terms(rng)
    orders = []
    for meter in range(1, 9):
        side = rng.choice(list(Side))
        tick = rng.randrange(min(terms.tick_count, 4))
        limit = terms.limit_price(side, tick)
        orders.append(Order(1, SLOT, meter, 1, FAR, side, rng.randint(1, 40), limit))
    readings = {
        meter: [reading(meter, rng.randrange(60), rng.randrange(60), v) for v in range(1, rng.randint(1, 4))]
        for meter in range(1, 10)
    }
    return terms, orders, readings


def live(book: MarketBook, rng: random.Random, orders: list[Order], readings: dict[int, list[Reading]]) -> None:
    """The day in an order and batching of chance: releases, defaults and corrections as they come."""
    book.place(orders, NOW)
    book.clear(1, SLOT, GATE)
    queue = {meter: list(versions) for meter, versions in readings.items()}
    acts = [meter for meter, versions in readings.items() for _ in versions] + list(range(1, 10)) * 2
    rng.shuffle(acts)
    while acts:
        batch = [acts.pop() for _ in range(min(len(acts), rng.randint(1, 5)))]
        kind = rng.random()
        if kind < 0.2:
            book.release(1, SLOT, batch, DEFAULT_AT)
        elif kind < 0.4:
            book.settle_by_default(1, SLOT, batch, DEFAULT_AT)
        else:
            items = [queue[meter].pop(0) for meter in batch if queue[meter]]
            book.settle(1, SLOT, items, DEFAULT_AT)
        assert_whole(book)
    book.settle(1, SLOT, [item for versions in queue.values() for item in versions], DEFAULT_AT)
    book.settle_by_default(1, SLOT, [*range(1, 10)], DEFAULT_AT)


@pytest.mark.parametrize("seed", range(60))
def test_market__on_any_day__closes_with_nothing_left_and_nets_that_no_order_changes(seed: int) -> None:
    rng = random.Random(seed)
    terms, orders, readings = random_day(rng)
    ends = []
    for turn in range(4):
        cash, utility = rng.choice([PLENTY, 10**9]), rng.choice([PLENTY, 0])
        book = make_market(9, terms, cash=cash, utility=utility, mandate=rng.random() < 0.7)
        live(book, random.Random(seed * 4 + turn), orders, readings)
        slot = book.slot_book(1, SLOT)
        assert (slot.closed, slot.live, slot.pot) == (True, False, 0)
        assert min(slot.bought_wh, slot.sold_wh) == 0
        assert max(slot.bought_wh, slot.sold_wh) < len(orders)
        put_in = dict.fromkeys(map(home, range(1, 10)), cash) | {UTILITY: utility, OPERATOR: 0}
        ends.append({party: book.vault.net(party) - amount for party, amount in put_in.items()})
        assert ends[-1][OPERATOR] >= 0
    assert ends == ends[:1] * 4


# money that moves while readings are corrected


class Purse:
    """Deposits and withdrawals of chance, and what they came to by party."""

    def __init__(self, book: MarketBook, rng: random.Random, parties: list[str]) -> None:
        self.book, self.rng, self.parties = book, rng, parties
        self.put_in = dict.fromkeys(parties, 0)

    def deposit(self, party: str, amount: int, now: int) -> None:
        if amount:
            self.book.vault.deposit(party, amount, now)
            self.put_in[party] += amount

    def withdraw(self, party: str, most: int, now: int) -> None:
        amount = min(most, self.book.vault.account(party, now).withdrawable)
        if amount:
            self.book.vault.withdraw(party, amount, now)
            self.put_in[party] -= amount

    def move(self) -> None:
        """One deposit, withdrawal or collection, large and small ones alike."""
        party, amount = self.rng.choice(self.parties), self.rng.randrange(1 << self.rng.randrange(1, 34))
        kind = self.rng.randrange(3)
        if kind == 0:
            self.deposit(party, amount, DEFAULT_AT)
        elif kind == 1:
            self.withdraw(party, amount, DEFAULT_AT)
        else:
            self.book.collect(1, party, DEFAULT_AT)

    def gains(self) -> dict[str, int]:
        return {party: self.book.vault.net(party) - self.put_in[party] for party in self.parties}


def drain(purse: Purse) -> None:
    """Once every hold is over, who owes pays in, who is owed collects, and everybody withdraws all there is."""
    vault, later = purse.book.vault, CLOSED_AT + 2 * HOLD
    for party in purse.parties:
        purse.deposit(party, vault.account(party, later).arrear, later)
    for debtor in purse.parties:
        for creditor in list(vault.debts(debtor)):
            vault.collect(debtor, creditor, later)
    for party in purse.parties:
        purse.withdraw(party, vault.account(party, later).available, later)


HISTORIES = 500


@pytest.mark.parametrize("seed", range(20))
def test_market__in_any_history_of_money_and_corrections__ends_as_if_settled_once_and_can_be_emptied(seed: int) -> None:
    rng = random.Random(f"histories {seed}")
    arrears = 0
    for _ in range(HISTORIES):
        terms, orders, readings = random_day(rng)
        parties = [UTILITY, OPERATOR, *(home(i) for i in range(1, 10))]
        ends = []
        for versions in (readings, {meter: items[-1:] for meter, items in readings.items()}):
            cash, utility = rng.choice([10**7, 10**9]), rng.choice([0, 10**8])
            book = make_market(9, terms, cash=cash, utility=utility, mandate=rng.random() < 0.7)
            purse = Purse(book, rng, parties)
            purse.put_in |= dict.fromkeys(map(home, range(1, 10)), cash) | {UTILITY: utility}
            book.place(orders, NOW)
            book.clear(1, SLOT, GATE)
            corrected = versions is readings
            for version in range(1, 4):
                if corrected:
                    for _ in range(4):
                        purse.move()
                    book.settle_by_default(1, SLOT, rng.sample(range(1, 10), 3), DEFAULT_AT)
                items = [item for meter in versions.values() for item in meter if item.version == version]
                book.settle(1, SLOT, items, DEFAULT_AT)
                arrears += any(account.arrear for account in book.vault.accounts.values())
            book.settle_by_default(1, SLOT, [*range(1, 10)], DEFAULT_AT)
            assert_whole(book)
            ends.append(purse.gains())
            if corrected:
                drain(purse)
                assert (book.vault.total_tracked, sum(book.vault.pots.values())) == (0, 0)
                assert [book.vault.account(party, CLOSED_AT + 2 * HOLD).arrear for party in parties] == [0] * len(
                    parties
                )
        assert ends[0] == ends[1]
    assert arrears > HISTORIES // 4
