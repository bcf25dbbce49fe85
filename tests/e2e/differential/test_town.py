"""Markets live on the contracts and in the domain at once: events, refusals, accounts, debts and positions agree.

GRIDWEAVE_DIFFERENTIAL sets how many settlements there are (10,000); GRIDWEAVE_SEED which.
"""

from __future__ import annotations

import os
import random
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import TypeVar

import pytest

from gridweave.domain.acts import KeyKind
from gridweave.domain.delegations import Scope
from gridweave.domain.meters import Meter
from gridweave.domain.orders import Cancel, Order, Side
from gridweave.domain.readings import Reading
from gridweave.domain.slots import RING
from gridweave.domain.terms import MarketTerms
from tests.e2e.differential.chain import Chain
from tests.e2e.differential.town import FAR, SLOT_LENGTH, Home, Person, Step, Town
from tests.support.market_terms import make_terms, random_terms
from tests.support.seed import run_seed

pytestmark = [pytest.mark.chain, pytest.mark.slow, pytest.mark.timeout(900)]

COUNT = int(os.environ.get("GRIDWEAVE_DIFFERENTIAL", "10000"))
MARKETS = 10
HOMES = 9
START = 2_000_000 * SLOT_LENGTH
CASH = (0, 10**6, 10**8, 10**10)
AHEAD = (100, 193, 193, 200, 250, 262)
"""Slots from now in which a change begins: too soon, with the next season, in its midst."""
T = TypeVar("T")
EXPECTED = (
    *("Placed", "Cancelled", "Cleared", "ReadingRecorded", "Settled", "Released", "SlotClosed"),
    *("MarketUnknown", "GateClosed", "BeyondHorizon", "RingBusy", "UtilityInArrears", "OrderExpired"),
    *("EnergyTooSmall", "EnergyTooLarge", "PriceOffGrid", "OrderMeterUnknown", "OrderMeterOfOtherMarket"),
    *("WrongSigner", "VersionNotNewer", "DuplicateInBatch", "EnergyAboveCapacity", "InArrears", "AvailableTooSmall"),
    *("AlreadySettled", "NothingToRelease", "ReadingForOtherSlot", "ReadingVersionOutOfRange", "ReadingNotNewer"),
    *("ReadingAboveCapacity", "ReadingOffScale", "DeviceSignatureInvalid", "AlreadyCleared", "GateNotClosed"),
    *("OrderMeterNotInForce", "MeterNotInForce", "WithinHorizon"),
    *("NotCleared", "ReadingTooLate", "ReadingDeadlineNotPassed", "WithdrawalAboveWithdrawable", "ZeroAmount"),
)
"""What a town must meet before its agreement says much."""


@pytest.fixture(scope="module")
def town() -> Iterator[Town]:
    rng = random.Random(f"town {run_seed()}")
    with Chain(START) as chain:
        built = Town(chain, rng)
        utilities, operators = [Person(rng) for _ in range(4)], [Person(rng) for _ in range(2)]
        found_market(built, make_terms(), utilities[0], operators[0])
        for _ in range(MARKETS - 1):
            utility = rng.choice(utilities)
            found_market(built, random_terms(rng), utility, rng.choice([*operators, utility]))
        yield built


def found_market(town: Town, terms: MarketTerms, utility: Person, operator: Person) -> None:
    """A market with such prices; owners may have several meters, and the utility has one too."""
    rng = town.rng
    market = town.create_market(with_windows(rng, terms, utility, operator), utility)
    owners = [Person(rng) for _ in range(HOMES - 2)]
    for owner in [*owners, owners[0], utility]:
        capacity = rng.choice([400, 4_000, 4_000_000])
        scale = rng.choice([1, 1, 10])
        meter = Meter(owner.address, market, capacity, capacity, scale, rng.random() < 0.7, False)
        town.add_home(market, owner, meter, rng.choice([KeyKind.SECP256K1, KeyKind.P256]))
    funds = [town.deposit(owner.address, amount) for owner in owners if (amount := rng.choice(CASH))]
    town.run([*funds, town.deposit(utility.address, rng.choice([1, 10**5, 10**10]))], town.chain.now + 1)


def with_windows(rng: random.Random, terms: MarketTerms, utility: Person, operator: Person) -> MarketTerms:
    reading_window = rng.choice([600, 900, 3_600])
    return replace(
        terms,
        utility=utility.address,
        operator=operator.address,
        gate_lead=rng.choice([30, 30, 300, 1_800]),
        reading_window=reading_window,
        correction_window=rng.choice([reading_window + 900, 7_200]),
        min_energy_wh=rng.choice([1, 5]),
    )


class Season:
    """One turn of the town: two slots from first order to last default."""

    def __init__(self, town: Town, first: int) -> None:
        self.town, self.rng = town, town.rng
        self.slots = (first, first + 1)
        self.markets = range(1, MARKETS + 1)

    def live(self) -> None:
        start, end = self.slots[0] * SLOT_LENGTH, (self.slots[1] + 1) * SLOT_LENGTH
        self._phase(start - 4_000, [self._changing, self._trading, self._scheduling, self._money, self._scheduling])
        self._phase(start + 850, [self._clearing])
        self._phase(end + 1, [self._money, self._reading, self._asking, self._reading, self._money, self._asking])
        self._phase(end + 1_000, [self._reading, self._silence])
        self._phase(end + 3_601, [self._reading, self._silence, self._money])
        self._phase(end + 7_300, [self._reading, self._ending])
        self.town.compare_slots(self.slots, [m for m in self.markets if self._reachable(m)])

    def _phase(self, now: int, acts: list[object]) -> None:
        for place, act in enumerate(acts):
            steps: list[Step] = act()  # type: ignore[operator]
            self.rng.shuffle(steps)
            self.town.run(steps, now + place)
        self.town.compare_money()
        self.town.compare_bounds(self.town.chain.now)

    def _homes(self, market: int) -> list[Home]:
        """Those in force this season; if all have moved away, those that were there."""
        here = [home for home in self.town.homes if home.market == market]
        return [home for home in here if self._is_in_force(home)] or here

    def _is_in_force(self, home: Home) -> bool:
        record = self.town.book.meters.get(home.meter)
        return record is not None and record[1].within_bounds(self.slots[0])

    def _some(self, items: Sequence[T], most: int = 6) -> list[T]:
        return [self.rng.choice(items) for _ in range(self.rng.randint(1, most))]

    def _reachable(self, market: int) -> bool:
        """Whether the ring's places are this season's: an open slot of an earlier turn may still hold them."""
        slots = self.town.book._slots
        return all(
            (found := slots.get((market, slot % RING))) is None or found.slot == slot or not found.live
            for slot in self.slots
        )

    # what people do

    def _trading(self) -> list[Step]:
        """Orders and cancels; batches mix slots and, now and then, markets."""
        steps = []
        for market in self.markets:
            homes = self._homes(market) if self.rng.random() < 0.9 else self.town.homes
            for _ in range(2):
                orders = [self._order(home) for home in self._some(homes, 12)]
                steps.append(self.town.place(orders, self._signed(len(orders))))
            if self.rng.random() < 0.7:
                cancels = [self._cancel(home) for home in self._some(homes, 3)]
                steps.append(self.town.cancel(cancels, self._signed(len(cancels))))
        return steps

    def _scheduling(self) -> list[Step]:
        """Schedules over all meters that an account ever had, signed by it, by its agent or by a stranger."""
        steps = []
        for owner in self._some(list(self.town.people.values()), 12):
            homes = [home for home in self.town.homes if home.owner is owner]
            homes = [home for home in homes if self._is_in_force(home) or self.rng.random() < 0.1] or homes
            lines = [self._order(home) for home in self._some(homes, 8)]
            cancels = [self._cancel(home) for home in self._some(homes, 3)]
            signers = [owner, owner, self.town.agent, self.town.agent, self.town.maker]
            steps.append(self.town.schedule(owner.address, lines, self.rng.choice(signers)))
            steps.append(self.town.schedule(owner.address, cancels, self.rng.choice(signers)))
            steps.append(self.town.place(lines[:1], [True]))
        return steps

    def _changing(self) -> list[Step]:
        """What an account lets its agent do, a market's terms, who lives in a home: some of it too early or twice."""
        rng, ahead = self.rng, self.slots[0] - 5 + self.rng.choice(AHEAD)
        steps = []
        for owner in self._some(list(self.town.people.values()), 8):
            meters = [home.meter for home in self.town.homes if home.owner is owner]
            chosen = rng.choice([(), tuple(meters[:1]), tuple(meters)])
            steps.append(self.town.delegate(owner, self.town.agent, chosen, self._scope()))
        for market in self._some(self.markets, 2):
            terms = self.town.book.terms_of(market, ahead + 1_000)
            prices = random_terms(rng)
            windows = ("utility", "operator", "gate_lead", "reading_window", "correction_window", "min_energy_wh")
            kept = {name: getattr(terms, name) for name in windows}
            steps.append(self.town.change_market(market, replace(prices, from_slot=ahead, **kept)))
        for home in self._some(self.town.homes, 2):
            owner = rng.choice(list(self.town.people.values()))
            meter = Meter(owner.address, rng.choice(self.markets), 4_000, 4_000, 1, rng.random() < 0.7, False)
            steps.append(self.town.move_meter(home, owner, meter, ahead))
            steps.append(self.town.move_meter(self.rng.choice(self.town.homes), owner, meter, ahead + 1))
        if rng.random() < 0.3:
            ended = rng.choice(self._homes(rng.choice(self.markets)))
            again = replace(ended, owner=rng.choice(list(self.town.people.values())))
            meter = Meter(again.owner.address, ended.market, 4_000, 4_000, 1, False, False)
            steps.append(self.town.end_meter(ended.meter, ahead))
            steps.append(self.town.move_meter(again, again.owner, meter, ahead))
        return steps

    def _scope(self) -> Scope:
        rng = self.rng
        return Scope(
            rng.choice([0, 0, rng.choice(self.markets)]),
            rng.choice([100, 1_000, 1 << 31]),
            rng.choice([0, 100_000]),
            rng.choice([0, 150_000, 1 << 50]),
            rng.choice([0, FAR, FAR, FAR, self.town.chain.now + 2]),
        )

    def _order(self, home: Home) -> Order:
        rng, slot = self.rng, self.rng.choice(self.slots)
        terms = self.town.book.terms_of(home.market, slot)
        side = rng.choice(list(Side))
        middle = min(terms.tick_count - 1, 20)
        tick = min(max(middle + rng.randint(-3, 3), 0), terms.tick_count - 1)
        order = Order(
            home.market,
            slot,
            home.meter,
            self._version(home, slot),
            FAR,
            side,
            rng.choice([5, 7, 100, rng.randint(1, 1_000)]),
            terms.limit_price(side, tick),
        )
        return self._spoiled(order) if rng.random() < 0.08 else order

    def _asking(self) -> list[Step]:
        """Orders of no version for a later slot: refused, and first of all where the utility owes."""
        homes = [self.rng.choice(self._homes(market)) for market in self.markets]
        orders = [replace(self._order(home), slot=self.slots[1] + 30, version=0) for home in homes]
        return [self.town.place([order], [True]) for order in orders]

    def _spoiled(self, order: Order) -> Order:
        """An order with one fault."""
        return self.rng.choice(
            [
                replace(order, market=MARKETS + 1),
                replace(order, meter=(order.meter + HOMES - 1) % len(self.town.homes) + 1),
                replace(order, slot=self.slots[0] - 40),
                replace(order, slot=self.slots[0] + 300),
                replace(order, meter=9_999),
                replace(order, deadline=1),
                replace(order, energy_wh=0),
                replace(order, energy_wh=1 << 30),
                replace(order, energy_wh=(1 << 30) - 1),
                replace(order, limit_price=order.limit_price + (1 << 41)),
                replace(order, limit_price=0),
            ]
        )

    def _cancel(self, home: Home) -> Cancel:
        slot = self.rng.choice(self.slots)
        return Cancel(home.market, slot, home.meter, self._version(home, slot), self.rng.choice([FAR] * 9 + [1]))

    def _version(self, home: Home, slot: int) -> int:
        found = self.town.book._slots.get((home.market, slot % RING))
        stored = found.line(home.meter).version if found and found.slot == slot else 0
        return max(0, stored + self.rng.choice([-1, 0, 1, 1, 1, 1, 2, 3]))

    def _signed(self, items: int) -> list[bool]:
        return [self.rng.random() < 0.97 for _ in range(items)]

    def _clearing(self) -> list[Step]:
        """Most slots, some twice, some before their gate; who cannot wait gets back what was not filled."""
        steps = [
            self.town.clear(market, slot) for market in self.markets for slot in self.slots if self.rng.random() < 0.8
        ]
        steps += [self.town.clear(self.rng.choice(self.markets), self.rng.choice(self.slots)) for _ in range(2)]
        return steps + self._releasing() + self._trading()[:3]

    def _releasing(self) -> list[Step]:
        return [
            self.town.release(
                market, self.rng.choice(self.slots), [home.meter for home in self._some(self._homes(market))]
            )
            for market in self.markets
            if self.rng.random() < 0.5
        ]

    def _reading(self) -> list[Step]:
        """Readings and corrections as they come: of too high versions, above capacity, by the wrong device."""
        steps = []
        for market in self.markets:
            for slot in self.slots:
                homes = self._some(self._homes(market), 14)
                readings = [self._measure(home, slot) for home in homes]
                authentic = [self.rng.random() < 0.97 for _ in homes]
                steps.append(self.town.settle(market, slot, readings, authentic))
        return steps + self._releasing()

    def _measure(self, home: Home, slot: int) -> Reading:
        rng = self.rng
        meter = self.town.book.meters.meter(home.meter)
        filled = self._filled(home, slot)
        near = [0, 0, abs(filled), abs(filled) + rng.randint(-50, 50), rng.randint(0, 1_000)]
        imported, exported = (max(0, rng.choice(near)) // meter.scale_wh * meter.scale_wh for _ in range(2))
        if rng.random() < 0.02:
            imported += 1
        stored = self.town.book.ledger.reading(home.meter, slot).version
        version = min(max(stored + rng.choice([0, 1, 1, 1, 2]), 0), 4)
        other = slot + 1 if rng.random() < 0.01 else slot
        return Reading(home.meter, other, version, imported, exported)

    def _filled(self, home: Home, slot: int) -> int:
        found = self.town.book._slots.get((home.market, slot % RING))
        return found.position(home.meter).filled_wh if found and found.slot == slot else 0

    def _silence(self) -> list[Step]:
        """Defaults for some, before and after the reading deadline."""
        return [
            self.town.settle_by_default(market, slot, [home.meter for home in self._some(self._homes(market), 3)])
            for market in self.markets
            for slot in self.slots
            if self.rng.random() < 0.4
        ]

    def _ending(self) -> list[Step]:
        """Defaults for everyone, of this turn and of the one before; a few slots are forgotten to be closed."""
        steps = []
        for market in self.markets:
            meters = [home.meter for home in self._homes(market)]
            for slot in self.slots:
                earlier = self.town.book._slots.get((market, slot % RING))
                for turn in {slot, earlier.slot} if earlier else {slot}:
                    if turn != slot or self.rng.random() < 0.93:
                        steps.append(self.town.settle_by_default(market, turn, meters))
        return steps

    def _money(self) -> list[Step]:
        """Deposits, withdrawals and collections; who owes is helped more often than not."""
        vault, now = self.town.book.vault, self.town.chain.now
        steps = []
        for address, person in self.town.people.items():
            account = vault.account(address, now)
            if account.arrear and self.rng.random() < 0.4:
                steps.append(self.town.deposit(address, self.rng.choice([account.arrear, account.arrear // 2 + 1])))
            if self.rng.random() < 0.1:
                steps.append(self.town.deposit(address, self.rng.choice([1, 10**4, 10**7])))
            if address == self.town.book.terms_of(1, self.slots[0]).utility and account.withdrawable:
                steps.append(self.town.withdraw(person, account.withdrawable))  # it always takes out all it can
            elif self.rng.random() < 0.15:
                share = self.rng.choice([account.withdrawable, account.withdrawable // 3, account.available + 1])
                steps.append(self.town.withdraw(person, share))
        for market in self.markets:
            utility = self.town.book.terms_of(market, self.slots[0]).utility
            steps += [self.town.collect(market, creditor) for creditor in vault.debts(utility)]
        return steps


def test_town__season_after_season__equals_the_domain(town: Town) -> None:
    seasons, first = 0, 2_000_100
    while town.seen["Settled"] < COUNT:
        Season(town, first).live()
        seasons += 1
        first += town.rng.choice([RING, RING, RING, 40])
    print(f"\n{seasons} seasons of {MARKETS} markets, {len(town.debts)} pairs with a debt: {dict(town.seen)}")
    assert town.seen["Settled"] >= COUNT
    missing = [name for name in EXPECTED if not town.seen[name]]
    assert not missing or COUNT < 5_000, f"never seen: {missing}"


def one_slot(town: Town, terms: MarketTerms, lines: list[tuple[Side, int, int]]) -> tuple[int, int, list[Home]]:
    """A cleared market with one home a line (side, tick, energy) and one without an order: (market, slot, homes)."""
    utility, owner = Person(town.rng), Person(town.rng)
    market = town.create_market(with_windows(town.rng, terms, utility, Person(town.rng)), utility)
    for _ in [*lines, None]:
        meter = Meter(owner.address, market, 4_000, 4_000, 1, True, False)
        town.add_home(market, owner, meter, KeyKind.SECP256K1)
    homes = town.homes[-len(lines) - 1 :]
    slot = town.chain.now // SLOT_LENGTH + 10
    orders = [
        Order(market, slot, home.meter, 1, FAR, side, energy, terms.limit_price(side, tick))
        for home, (side, tick, energy) in zip(homes, lines, strict=False)
    ]
    funds = [town.deposit(person.address, 10**9) for person in (owner, utility)]
    town.run([*funds, town.place(orders, [True] * len(orders))], town.chain.now + 1)
    town.run([town.clear(market, slot)], slot * SLOT_LENGTH)
    return market, slot, homes


def settle_all(town: Town, market: int, slot: int, homes: Sequence[Home]) -> Step:
    """A step: each home reads what it traded."""
    book = town.book.slot_book(market, slot)
    positions = [book.position(home.meter) for home in homes]
    readings = [Reading(h.meter, slot, 1, p.bought_wh, p.sold_wh) for h, p in zip(homes, positions, strict=True)]
    return town.settle(market, slot, readings, [True] * len(readings))


def test_town__releasing_after_sellers_were_paid_for_dust__has_the_utility_advance_it(town: Town) -> None:
    lines = [(Side.ASK, 12, 100), *[(Side.BID, 12, 67)] * 3]
    market, slot, homes = one_slot(town, make_terms(grid_fee=0), lines)
    end = (slot + 1) * SLOT_LENGTH
    town.run([settle_all(town, market, slot, homes[:1])], end)
    town.run([town.release(market, slot, [home.meter for home in homes])], end + 1)
    assert town.book.slot_book(market, slot).advanced == 200
    town.run([settle_all(town, market, slot, homes[1:])], end + 2)
    assert town.book.slot_book(market, slot).closed
    town.compare_money()
    town.compare_slots([slot], [market])


def test_town__a_meter_without_an_order_where_the_lowest_tick_trades_evenly__settles(town: Town) -> None:
    lines = [(Side.ASK, 0, 100), (Side.BID, 0, 100)]
    market, slot, homes = one_slot(town, make_terms(), lines)
    end = (slot + 1) * SLOT_LENGTH
    town.run([town.release(market, slot, [homes[2].meter]), settle_all(town, market, slot, homes)], end)
    assert town.book.slot_book(market, slot).closed
    town.compare_money()
    town.compare_slots([slot], [market])


def test_town__a_meter_registered_as_a_slot_runs__begins_with_the_next(town: Town) -> None:
    market, slot, homes = one_slot(town, make_terms(), [(Side.ASK, 0, 100), (Side.BID, 0, 100)])
    start, end = slot * SLOT_LENGTH, (slot + 1) * SLOT_LENGTH
    assert start < town.chain.now + 1 < end
    owner = Person(town.rng)
    town.add_home(market, owner, Meter(owner.address, market, 4_000, 4_000, 1, True, False), KeyKind.SECP256K1)
    late = town.homes[-1]
    early = [Reading(late.meter, each, 1, 500, 0) for each in (slot, slot + 1)]
    town.run([town.settle(market, slot, early[:1], [True])], end)
    town.run([town.settle(market, slot + 1, early[1:], [True])], end + SLOT_LENGTH)
    deadline = max(town.chain.now, town.book.slot_book(market, slot).terms.reading_deadline(slot, town.book.clock))
    town.run([town.settle_by_default(market, slot, [late.meter, homes[2].meter])], deadline)
    assert town.book.ledger.reading(late.meter, slot).version == 0
    assert town.book.ledger.reading(late.meter, slot + 1).version == 1
    assert town.seen["MeterNotInForce"] and town.seen["OrderMeterNotInForce"]
    town.compare_money()
    town.compare_slots([slot, slot + 1], [market])
