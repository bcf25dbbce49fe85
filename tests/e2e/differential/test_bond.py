"""Bonds live on the contracts and in the domain at once: every act ends the same, and all that is stored agrees.

GRIDWEAVE_BONDED sets how many acts there are (1,500); GRIDWEAVE_SEED which.
"""

from __future__ import annotations

import os
import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

import pytest

from gridweave.chain.contracts.relayer_bond import Promise
from gridweave.domain.acts import KeyKind
from gridweave.domain.addresses import ZERO_ADDRESS
from gridweave.domain.bond import claims_close_at, unbonding_time
from gridweave.domain.meters import Meter
from gridweave.domain.orders import Cancel, Order, Side
from tests.e2e.differential.bonds import COMPENSATION, BondAct, BondedTown, Request
from tests.e2e.differential.chain import Chain
from tests.e2e.differential.town import FAR, SLOT_LENGTH, Home, Person, Town
from tests.support.market_terms import make_terms
from tests.support.seed import run_seed

pytestmark = [pytest.mark.chain, pytest.mark.slow, pytest.mark.timeout(900)]

COUNT = int(os.environ.get("GRIDWEAVE_BONDED", "1500"))
START = 2_000_000 * SLOT_LENGTH
GATE_LEAD = 300
EXPECTED = (
    *("BondPosted", "BondLeaving", "BondRedeemed", "RefusalProved", "Compensated", "Placed", "Cancelled"),
    *("VersionNotNewer", "GateClosed", "WrongSigner", "WrongSignature", "AccessManagedUnauthorized"),
    *("RelayerIsZero", "BondNotWithdrawable", "BondTooSmall", "BondNotRedeemable", "CommitmentNotDue", "ClaimTooLate"),
    *("OrderArrived", "OrderWasRefused", "AlreadyCompensated", "OrderMeterUnknown"),
)
"""What a bond must meet before its agreement says much."""


@dataclass(frozen=True)
class Given:
    """A request with a promise that somebody holds."""

    request: Request
    promise: Promise
    forged: bool


@pytest.fixture
def bonded() -> Iterator[BondedTown]:
    rng = random.Random(f"bond {run_seed()}")
    with Chain(START) as chain:
        town = Town(chain, rng)
        utility = Person(rng)
        terms = make_terms(utility=utility.address, operator=Person(rng).address, gate_lead=GATE_LEAD)
        market = town.create_market(terms, utility)
        owners = [Person(rng) for _ in range(4)]
        for owner in [*owners, owners[0]]:
            meter = Meter(owner.address, market, 4_000, 4_000, 1, True, False)
            town.add_home(market, owner, meter, KeyKind.SECP256K1)
        wealth = (20 * COMPENSATION, 20 * COMPENSATION, 100_000, 0)
        funds = [town.deposit(owner.address, amount) for owner, amount in zip(owners, wealth, strict=True) if amount]
        town.run([*funds, town.deposit(utility.address, 10**9)], chain.now + 1)
        yield BondedTown(town)


class Life:
    """Draws one act after another. Time mostly moves within a slot, seldom as far as a claim or a bond waits."""

    def __init__(self, bonded: BondedTown) -> None:
        self.bonded, self.town, self.rng = bonded, bonded.town, bonded.rng
        self.relayers = [Person(self.rng) for _ in range(2)]
        self.sponsors = [self.town.homes[0].owner, Person(self.rng)]
        self.given: list[Given] = []
        self.now = self.town.chain.now
        self.deposit(self.sponsors[1].address, 50 * COMPENSATION)

    def act(self) -> None:
        """One act at a later time."""
        self._pass()
        draws: list[tuple[int, Callable[[], BondAct]]] = [
            *((3, self._post), (2, self._unbond), (3, self._redeem), (6, self._place), (2, self._cancel)),
            *((8, self._prove), (16, self._claim), (8 if self.bonded.stopped else 1, self._stop), (2, self._feed)),
        ]
        (draw,) = self.rng.choices([draw for _, draw in draws], [weight for weight, _ in draws])
        if draw == self._claim and not self.given:
            draw = self._place
        self.bonded.run(draw(), self.now)

    def _pass(self) -> None:
        wait = self.rng.choices([1, 60, 300, SLOT_LENGTH, 70 * SLOT_LENGTH, 7 * 86_400], [50, 20, 20, 8, 1, 1])[0]
        self.now += self.rng.randint(1, wait) if wait < SLOT_LENGTH else wait
        alive = [g for g in self.given if claims_close_at(g.request.orders[0].slot, SLOT_LENGTH) + 9_000 > self.now]
        if len(alive) < len(self.given):
            self.given = alive
            self.bonded.forget(min((g.request.orders[0].slot for g in alive), default=self.now // SLOT_LENGTH))

    # the bond

    def _post(self) -> BondAct:
        sponsor, relayer = self.rng.choice(self.sponsors), self.rng.choice(self.relayers).address
        most = self.town.book.vault.account(sponsor.address, self.now).withdrawable
        amount = self.rng.choice([0, 1, COMPENSATION, 3 * COMPENSATION, most // 3, most + 1])
        return self.bonded.post(sponsor, self.rng.choice([relayer] * 7 + [ZERO_ADDRESS]), amount)

    def _unbond(self) -> BondAct:
        sponsor, relayer = self.rng.choice(self.sponsors), self.rng.choice(self.relayers).address
        bond = self.bonded.book.bond(sponsor.address, relayer)
        staying = bond.amount - bond.leaving
        return self.bonded.unbond(sponsor, relayer, self.rng.choice([0, 1, staying // 2, staying, staying + 1]))

    def _redeem(self) -> BondAct:
        sponsor, relayer = self.rng.choice(self.sponsors).address, self.rng.choice(self.relayers).address
        return self.bonded.redeem(sponsor, relayer)

    def _feed(self) -> BondAct:
        """Whoever has little gets some, or a sponsor takes some out."""
        poor = self.rng.choice(self.town.homes).owner.address
        if self.rng.random() < 0.5:
            return self.bonded.of(self.town.deposit(poor, self.rng.choice([1, 50_000, COMPENSATION])))
        account = self.town.book.vault.account(self.sponsors[0].address, self.now)
        return self.bonded.of(self.town.withdraw(self.sponsors[0], max(1, account.withdrawable // 4)))

    def deposit(self, account: str, amount: int) -> None:
        """At once."""
        self.bonded.run(self.bonded.of(self.town.deposit(account, amount)), self.now + 1)
        self.now += 1

    def _stop(self) -> BondAct:
        """What is stopped goes on with the next draw of this."""
        return self.bonded.stop(not self.bonded.stopped)

    # orders

    def _place(self) -> BondAct:
        return self.bonded.place(self._drawn())

    def _prove(self) -> BondAct:
        """Of what was acknowledged, else of something new."""
        if not self.given or self.rng.random() < 0.4:
            return self.bonded.prove(self._drawn())
        request = self.rng.choice(self.given).request
        return self.bonded.prove(self._borrowed(request) if self.rng.random() < 0.2 else request)

    def _borrowed(self, request: Request) -> Request:
        """The signature put under something else: a line of it alone, or its first line as a schedule."""
        line = self.rng.choice(request.orders)
        alone = not request.alone and self.rng.random() < 0.5
        same = not request.alone and not alone and request.orders == (line,)
        return replace(request, orders=(line,), alone=alone, good=request.good and same)

    def _drawn(self) -> Request:
        """A request, new or once acknowledged; of the new ones half are acknowledged and left."""
        if self.given and self.rng.random() < 0.3:
            return self.rng.choice(self.given).request
        request = self._request()
        for _ in range(self.rng.choice([0, 1, 1, 2])):
            self.given.append(self._promise(request))
        return self._request() if self.rng.random() < 0.5 else request

    def _request(self) -> Request:
        home = self.rng.choice(self.town.homes)
        alone = self.rng.random() < 0.6
        orders = [self._order(home) for _ in range(1 if alone else self.rng.randint(1, 4))]
        if self.rng.random() < 0.1:
            strange = self.rng.choice([{"market": 7}, {"market": 0}, {"slot": 5}, {"meter": 99}, {"meter": 99}])
            orders[0] = replace(orders[0], **strange)
        signer = home.owner if self.rng.random() < 0.9 else self.town.agent
        return self.bonded.signed(home.owner.address, orders, signer, alone)

    def _order(self, home: Home) -> Order:
        rng = self.rng
        slot = self.now // SLOT_LENGTH + rng.choice([1, 1, 2, 2, 3, 192, 193])
        terms = self.town.book.terms_of(home.market, slot)
        side = rng.choice(list(Side))
        version = max(0, self.town.book.last_version_of(home.meter, slot)[0] + rng.choice([0, 1, 1, 1, 2]))
        deadline = rng.choice([FAR, FAR, FAR, self.now + 120])
        energy = rng.choice([10, 20, 50, 100, 100, 400, 1_000, 1_001, 5])
        limit = terms.limit_price(side, rng.randrange(terms.tick_count))
        order = Order(home.market, slot, home.meter, version, deadline, side, energy, limit)
        if rng.random() < 0.08:
            order = replace(order, **rng.choice([{"meter": 99}, {"limit_price": 1}]))
        return order

    def _cancel(self) -> BondAct:
        home, slot = self.rng.choice(self.town.homes), self.now // SLOT_LENGTH + self.rng.choice([1, 2])
        version = self.town.book.last_version_of(home.meter, slot)[0] + self.rng.choice([0, 1, 1])
        return self.bonded.of(self.town.cancel([Cancel(home.market, slot, home.meter, version, FAR)], [True]))

    # promises

    def _promise(self, request: Request) -> Given:
        """Due at the gate mostly; sometimes at once, or so late that nobody can claim it."""
        rng, order = self.rng, request.orders[0]
        gate = order.slot * SLOT_LENGTH - GATE_LEAD
        late = claims_close_at(order.slot, SLOT_LENGTH)
        before = rng.choice([gate, gate, min(gate, self.now + 30), self.now + 90, self.now + 600, 0, late])
        sponsor = rng.choice([*(each.address for each in self.sponsors), self.sponsors[1].address, ZERO_ADDRESS])
        relayer = rng.choice(self.relayers)
        promise = self.bonded.acknowledged(request, sponsor, relayer, max(0, before))
        if rng.random() < 0.9:
            return Given(request, promise, forged=False)
        return Given(request, self._spoilt(promise, relayer), forged=True)

    def _spoilt(self, promise: Promise, relayer: Person) -> Promise:
        """A promise with something else in it than its relayer signed."""
        other = next(each for each in self.relayers if each is not relayer)
        return self.rng.choice(
            [
                replace(promise, relayer=other.address),
                replace(promise, relayer=ZERO_ADDRESS),
                replace(promise, said=replace(promise.said, commit_before=promise.said.commit_before + 1)),
                replace(promise, said=replace(promise.said, signature_hash=bytes(32))),
                replace(promise, said=replace(promise.said, sponsor=other.address)),
            ]
        )

    def _claim(self) -> BondAct:
        given = self.rng.choice(self.given)
        index = self.rng.randrange(len(given.request.orders))
        return self.bonded.claim(given.request, index, given.promise, given.forged)


def test_bond__act_after_act__equals_the_domain(bonded: BondedTown) -> None:
    assert unbonding_time(SLOT_LENGTH) == 7 * 86_400
    life = Life(bonded)
    for _ in range(COUNT):
        life.act()
    print(f"\nseed {run_seed()}, {COUNT} acts: {dict(bonded.seen)}")
    missing = [name for name in EXPECTED if not bonded.seen[name]]
    assert not missing or COUNT < 1_000, f"never seen: {missing}"
