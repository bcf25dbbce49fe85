"""A market's day in the domain: who may order when, and what clearing and readings leave in every account."""

from __future__ import annotations

import pytest

from gridweave.domain import errors
from gridweave.domain.market import MAX_BATCH
from gridweave.domain.meters import Meter, MeterBinding
from gridweave.domain.orders import Cancel, Order, Side
from gridweave.domain.outcomes import (
    NO_PRICE,
    Cancelled,
    Cleared,
    OrderRefused,
    Placed,
    SlotClosed,
)
from gridweave.domain.slots import HORIZON
from tests.support.market_day import (
    END,
    FAR,
    GATE,
    LENGTH,
    NOW,
    PLENTY,
    SLOT,
    ask,
    bid,
    home,
    make_market,
    reading,
    reasons,
    state,
)
from tests.support.market_terms import UTILITY, make_terms

# place


@pytest.mark.parametrize(
    ("order", "reason"),
    [
        (bid(1, 500, market=2), errors.MarketUnknown),
        (bid(1, 500, slot=SLOT - 5), errors.GateClosed),
        (bid(1, 500, slot=NOW // LENGTH + HORIZON + 1), errors.BeyondHorizon),
        (bid(1, 500, deadline=NOW - 1), errors.OrderExpired),
        (bid(1, 9), errors.EnergyTooSmall),
        (bid(1, 1 << 30), errors.EnergyTooLarge),
        (bid(1, 500, 230_001), errors.PriceOffGrid),
        (bid(1, 500, 90_000), errors.PriceOffGrid),
        (ask(1, 500, 310_000), errors.PriceOffGrid),
        (bid(99, 500), errors.OrderMeterUnknown),
        (bid(1, 500, version=0), errors.VersionNotNewer),
        (bid(1, 500_000_000, 320_000), errors.EnergyAboveCapacity),
    ],
)
def test_place__of_an_order_that_breaks_a_rule__is_refused_and_changes_nothing(
    order: Order, reason: type[errors.DomainError]
) -> None:
    book = make_market(cash=10**9)
    before = state(book, NOW)
    assert reasons(book.place([order], NOW)) == [reason]
    assert state(book, NOW) == before
    assert not book.slot_book(1, SLOT).live
    assert dict(book.slot_book(1, SLOT).book.depth(Side.BID)) == {}


def test_place__at_the_last_second__is_taken_and_at_the_gate_is_not() -> None:
    book = make_market()
    assert reasons(book.place([bid(1, 500, deadline=GATE - 1)], GATE - 1)) == [None]
    assert reasons(book.place([bid(2, 500)], GATE)) == [errors.GateClosed]


def test_place__without_its_accounts_signature__is_refused() -> None:
    book = make_market()
    outcomes = book.place([bid(1, 500), bid(2, 500)], NOW, [False, True])
    assert reasons(outcomes) == [errors.WrongSigner, None]


def test_place__of_meters_elsewhere__is_refused() -> None:
    book = make_market()
    book.create_market(make_terms(), NOW)
    book.meters.register(7, Meter(home(7), 2, 1, 1, 1, True, False), MeterBinding(home(97), 0, 0, 0))
    book.meters.register(8, Meter(home(8), 1, 1, 1, 1, True, True), MeterBinding(home(98), SLOT + 1, 0, 0))
    assert reasons(book.place([bid(7, 500), bid(8, 500)], NOW)) == [
        errors.OrderMeterOfOtherMarket,
        errors.OrderMeterNotInForce,
    ]


def test_place__twice_in_a_batch__takes_the_first() -> None:
    book = make_market()
    assert reasons(book.place([bid(1, 500), bid(1, 600, version=2)], NOW)) == [None, errors.DuplicateInBatch]
    assert book.slot_book(1, SLOT).line(1).energy_wh == 500


def test_place__of_a_replacement__locks_or_frees_only_the_difference() -> None:
    book = make_market()
    book.place([bid(1, 1_000)], NOW)
    assert book.vault.account(home(1), NOW).available == PLENTY - 230_000
    book.place([ask(1, 500, version=2)], NOW)
    assert book.vault.account(home(1), NOW).available == PLENTY - 95_000
    slot = book.slot_book(1, SLOT)
    assert (slot.pot, slot.open_wh[Side.BID], slot.open_wh[Side.ASK]) == (95_000, 0, 500)


def test_place__of_a_replacement_that_cannot_be_paid__keeps_the_old_order() -> None:
    book = make_market(cash=230_000)
    book.place([bid(1, 1_000)], NOW)
    assert reasons(book.place([bid(1, 1_001, version=2)], NOW)) == [errors.AvailableTooSmall]
    slot = book.slot_book(1, SLOT)
    assert (slot.line(1).version, dict(slot.book.depth(Side.BID)), slot.pot) == (1, {13: 1_000}, 230_000)
    assert reasons(book.place([bid(1, 900, version=2)], NOW)) == [None]


def test_place__while_the_utility_owes__is_refused_and_cancelling_is_not() -> None:
    book = make_market(utility=0)
    book.place([bid(1, 500, slot=SLOT + 10)], NOW)
    book.settle(1, SLOT, [reading(2, 0, 700)], END)
    assert book.vault.owed(UTILITY, home(2)) == 56_000
    assert reasons(book.place([bid(1, 600, slot=SLOT + 10, version=2)], END)) == [errors.UtilityInArrears]
    assert reasons(book.cancel([Cancel(1, SLOT + 10, 1, 2, FAR)], END)) == [None]
    book.vault.deposit(UTILITY, 56_000, END)
    assert reasons(book.place([bid(1, 600, slot=SLOT + 10, version=3)], END)) == [None]


def test_place__into_a_ring_word_of_an_open_slot__is_refused_until_that_closes() -> None:
    book = make_market()
    book.place([bid(1, 500)], NOW)
    later = (SLOT + 256 - HORIZON) * LENGTH
    order = bid(1, 500, slot=SLOT + 256)
    assert reasons(book.place([order], later)) == [errors.RingBusy]
    book.clear(1, SLOT, later)
    book.settle_by_default(1, SLOT, [1], later)
    assert reasons(book.place([order], later)) == [None]
    with pytest.raises(errors.SlotForgotten):
        book.settle_by_default(1, SLOT, [2], later)


def test_place__of_more_than_a_batch__is_refused_whole() -> None:
    book = make_market()
    with pytest.raises(errors.BatchTooLarge):
        book.place([bid(1, 500)] * (MAX_BATCH + 1), NOW)


# cancel


def test_cancel__of_a_live_order__frees_all_of_it() -> None:
    book = make_market()
    before = state(book, NOW)["accounts"]
    book.place([bid(1, 1_000)], NOW)
    item = Cancel(1, SLOT, 1, 2, FAR)
    assert book.cancel([item], NOW) == [Cancelled(item)]
    assert state(book, NOW)["accounts"] == before
    assert not book.slot_book(1, SLOT).live


@pytest.mark.parametrize(
    ("item", "reason"),
    [
        (Cancel(2, SLOT, 1, 2, FAR), errors.MarketUnknown),
        (Cancel(1, SLOT - 5, 1, 2, FAR), errors.GateClosed),
        (Cancel(1, SLOT, 1, 2, NOW - 1), errors.OrderExpired),
        (Cancel(1, SLOT, 99, 2, FAR), errors.OrderMeterUnknown),
        (Cancel(1, SLOT, 1, 1, FAR), errors.VersionNotNewer),
    ],
)
def test_cancel__that_breaks_a_rule__is_refused(item: Cancel, reason: type[errors.DomainError]) -> None:
    book = make_market()
    book.place([bid(1, 1_000)], NOW)
    assert book.cancel([item], NOW) == [OrderRefused(item, reason)]
    assert book.slot_book(1, SLOT).open_wh[Side.BID] == 1_000
    assert reasons(book.cancel([Cancel(1, SLOT, 1, 2, FAR)], NOW, [False])) == [errors.WrongSigner]


def test_cancel__twice_in_a_batch__takes_the_first() -> None:
    book = make_market()
    book.place([bid(1, 1_000)], NOW)
    outcomes = book.cancel([Cancel(1, SLOT, 1, 2, FAR), Cancel(1, SLOT, 1, 3, FAR)], NOW)
    assert reasons(outcomes) == [None, errors.DuplicateInBatch]
    assert book.slot_book(1, SLOT).line(1).version == 2


# clear


def test_clear__before_the_gate_or_twice__is_refused() -> None:
    book = make_market()
    with pytest.raises(errors.GateNotClosed):
        book.clear(1, SLOT, GATE - 1)
    book.place([bid(1, 1_000)], NOW)
    book.clear(1, SLOT, GATE)
    with pytest.raises(errors.AlreadyCleared):
        book.clear(1, SLOT, GATE)
    with pytest.raises(errors.UnknownMarket):
        book.clear(2, SLOT, GATE)


def test_clear__of_a_slot_without_orders__closes_it() -> None:
    outcomes = make_market().clear(1, SLOT, GATE)
    assert outcomes == [
        Cleared(1, SLOT, False, 0, NO_PRICE, NO_PRICE, 0, None, 0, 0),
        SlotClosed(1, SLOT, 0, 0, 0),
    ]


def test_clear__of_a_crossing__publishes_price_and_interval() -> None:
    book = make_market()
    book.place([bid(1, 1_000, 230_000), ask(2, 1_000, 150_000)], NOW)
    (cleared,) = book.clear(1, SLOT, GATE)
    assert isinstance(cleared, Cleared)
    assert (cleared.price, cleared.low, cleared.high, cleared.volume_wh) == (180_000, 150_000, 210_000, 1_000)


def test_placed__outcome__carries_the_order() -> None:
    order = bid(1, 500)
    assert make_market().place([order], NOW) == [Placed(order)]
