"""The Vault as a state machine: nothing made, nothing lost, nothing owed twice, and no order of settling matters."""

from __future__ import annotations

import random
from itertools import permutations

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from gridweave.domain.errors import (
    AvailableTooSmall,
    HoldTooFar,
    InArrears,
    PotTooSmall,
    VaultFull,
    WithdrawalAboveWithdrawable,
    ZeroAmount,
)
from gridweave.domain.vault import MAX_TRACKED, Leg, Settlement, VaultBook

HOLD = 1_000
NOW = 50_000
REF = bytes(32)
PARTIES = ["utility", "operator", "home", "roof", "shop", "barn"]


def leg(account: str, from_pot: int = 0, from_utility: int = 0, hold: int = 0, may_debit: bool = True) -> Leg:
    return Leg(account, may_debit, from_pot, from_utility, hold, REF)


def settlement(*legs: Leg, hold_until: int = NOW, **totals: int) -> Settlement:
    values = {"to_operator": 0, "pot_to_utility": 0, "pot_to_operator": 0} | totals
    return Settlement("utility", "operator", hold_until, legs=legs, **values)


def make_vault(**deposits: int) -> VaultBook:
    vault = VaultBook(HOLD)
    for party, amount in deposits.items():
        vault.deposit(party, amount, NOW)
    return vault


def assert_whole(vault: VaultBook) -> None:
    accounts = sum(account.available for account in vault.accounts.values())
    assert accounts + sum(vault.pots.values()) == vault.total_tracked
    for party, account in vault.accounts.items():
        assert account.arrear == sum(vault.debts(party).values())
        assert min(account.available, account.arrear, account.held_near, account.held_far) >= 0
        assert all(debt > 0 for debt in vault.debts(party).values())
        for creditor in vault.debts(party):
            assert creditor != party
            assert vault.owed(creditor, party) == 0


def test_deposit__given_nothing_or_too_much__is_refused() -> None:
    vault = make_vault(home=5)
    with pytest.raises(ZeroAmount):
        vault.deposit("home", 0, NOW)
    with pytest.raises(VaultFull):
        vault.deposit("home", MAX_TRACKED - 4, NOW)
    assert vault.total_tracked == 5


def test_withdraw__above_what_is_free__is_refused() -> None:
    vault = make_vault(home=100, utility=100)
    vault.settle("auction", settlement(leg("home", from_utility=10, hold=30)), NOW)
    with pytest.raises(ZeroAmount):
        vault.withdraw("home", 0, NOW)
    with pytest.raises(WithdrawalAboveWithdrawable) as refusal:
        vault.withdraw("home", 81, NOW)
    assert refusal.value.values["withdrawable"] == 80
    vault.withdraw("home", 80, NOW)
    assert vault.account("home", NOW).available == 30


def test_lock__of_an_indebted_account__is_refused_and_its_return_is_not() -> None:
    vault = make_vault(home=100)
    vault.lock("auction", "home", 60, NOW)
    vault.settle("auction", settlement(leg("home", from_utility=-50, may_debit=False)), NOW)
    with pytest.raises(InArrears):
        vault.lock("auction", "home", 1, NOW)
    vault.lock("auction", "home", -60, NOW)
    assert (vault.account("home", NOW).available, vault.account("home", NOW).arrear) == (50, 0)
    assert vault.account("utility", NOW).available == 50


def test_lock__of_more_than_there_is__is_refused() -> None:
    vault = make_vault(home=100)
    with pytest.raises(AvailableTooSmall):
        vault.lock("auction", "home", 101, NOW)
    with pytest.raises(PotTooSmall):
        vault.lock("auction", "home", -1, NOW)
    assert vault.account("home", NOW).available == 100


def test_lock__of_another_modules_pot__is_refused() -> None:
    vault = make_vault(home=100)
    vault.lock("auction", "home", 100, NOW)
    with pytest.raises(PotTooSmall):
        vault.lock("licences", "home", -1, NOW)


def test_settle__when_the_utility_is_short__owes_and_pays_from_its_next_money() -> None:
    vault = make_vault(utility=30)
    vault.settle("auction", settlement(leg("home", from_utility=100)), NOW)
    assert vault.owed("utility", "home") == 70
    vault.deposit("utility", 50, NOW)
    assert (vault.account("home", NOW).available, vault.owed("utility", "home")) == (80, 20)


def test_settle__without_a_mandate__takes_only_what_the_leg_brings() -> None:
    vault = make_vault(home=1_000, other=500)
    vault.lock("auction", "other", 500, NOW)
    vault.settle("auction", settlement(leg("home", from_pot=40, from_utility=-100, may_debit=False)), NOW)
    assert vault.account("home", NOW).available == 1_000
    assert vault.owed("home", "utility") == 60


def test_settle__with_a_mandate__takes_what_there_is() -> None:
    vault = make_vault(home=1_000)
    vault.settle("auction", settlement(leg("home", from_utility=-1_200)), NOW)
    assert vault.account("home", NOW).available == 0
    assert vault.owed("home", "utility") == 200


def test_settle__of_mutual_debts__cancels_them() -> None:
    vault = make_vault()
    vault.settle("auction", settlement(leg("home", from_utility=100)), NOW)
    vault.settle("auction", settlement(leg("home", from_utility=-130)), NOW)
    assert (vault.owed("utility", "home"), vault.owed("home", "utility")) == (0, 30)


def test_settle__of_the_utilitys_own_meter__moves_nothing_between_itself() -> None:
    vault = make_vault(utility=10, home=50)
    vault.lock("auction", "home", 50, NOW)
    vault.settle("auction", settlement(leg("utility", from_pot=50, from_utility=-500)), NOW)
    assert (vault.account("utility", NOW).available, vault.account("utility", NOW).arrear) == (60, 0)


def test_settle__when_the_utility_cannot_buy_the_dust__owes_the_operator() -> None:
    vault = make_vault(utility=3, home=100)
    vault.lock("auction", "home", 100, NOW)
    vault.settle("auction", settlement(pot_to_utility=-10, pot_to_operator=25), NOW)
    assert (vault.account("operator", NOW).available, vault.owed("utility", "operator")) == (18, 7)
    assert vault.pot("auction") == 85
    with pytest.raises(PotTooSmall):
        vault.settle("auction", settlement(pot_to_utility=-10, pot_to_operator=9), NOW)


def test_settle__with_an_operator_that_owes__lets_it_pay_all_it_has() -> None:
    vault = make_vault(operator=5)
    vault.settle("auction", settlement(to_operator=-8), NOW)
    assert (vault.account("utility", NOW).available, vault.owed("operator", "utility")) == (5, 3)


def test_credit__with_many_creditors__pays_the_four_oldest() -> None:
    vault = make_vault()
    homes = [f"home{i}" for i in range(6)]
    vault.settle("auction", settlement(*(leg(home, from_utility=10) for home in homes)), NOW)
    vault.deposit("utility", 1_000, NOW)
    assert [vault.owed("utility", home) for home in homes] == [0, 0, 0, 0, 10, 10]
    assert vault.collect("utility", "home5", NOW) == 10
    assert vault.collect("utility", "home5", NOW) == 0
    assert list(vault.debts("utility")) == ["home4"]


def test_credit__of_a_creditor_who_owes__stops_there() -> None:
    vault = make_vault()
    vault.settle("auction", settlement(leg("home", from_utility=10)), NOW)
    vault.settle("auction", Settlement("home", "operator", NOW, 10, 0, 0, ()), NOW)
    vault.deposit("utility", 10, NOW)
    assert (vault.account("home", NOW).available, vault.owed("home", "operator")) == (10, 10)
    assert vault.account("home", NOW).withdrawable == 0


@pytest.mark.parametrize(
    ("until", "frees"), [(NOW, NOW + HOLD), (NOW + 999, NOW + HOLD), (NOW + 1_000, NOW + 2 * HOLD)]
)
def test_hold__until_a_time__lasts_to_the_end_of_its_period(until: int, frees: int) -> None:
    vault = make_vault(utility=100)
    vault.settle("auction", settlement(leg("home", from_utility=100, hold=60), hold_until=until), NOW)
    assert vault.account("home", frees - 1).withdrawable == 40
    assert vault.account("home", frees).withdrawable == 100


def test_hold__that_is_over_or_too_far__is_ignored_or_refused() -> None:
    vault = make_vault(utility=100)
    vault.settle("auction", settlement(leg("home", from_utility=100, hold=60), hold_until=NOW - 1), NOW)
    assert vault.account("home", NOW).withdrawable == 100
    with pytest.raises(HoldTooFar):
        vault.settle("auction", settlement(hold_until=NOW + 2 * HOLD), NOW)


def test_hold__of_two_slots__falls_bucket_by_bucket_and_never_below_zero() -> None:
    vault = make_vault(utility=1_000)
    vault.settle("auction", settlement(leg("home", from_utility=500, hold=60), hold_until=NOW), NOW)
    vault.settle("auction", settlement(leg("home", hold=30), hold_until=NOW + HOLD), NOW)
    assert vault.account("home", NOW).held == 90
    vault.settle("auction", settlement(leg("home", hold=-70), hold_until=NOW), NOW)
    assert vault.account("home", NOW).held == 30
    assert vault.account("home", NOW + HOLD).held_near == 30
    assert vault.account("home", NOW + 2 * HOLD).held == 0


def nets(legs: tuple[Leg, ...], deposits: dict[str, int], splits: int) -> dict[str, int]:
    """Everyone's net after the legs, settled in that order and in batches of `splits`."""
    vault = make_vault(**deposits)
    vault.lock("auction", "shop", 1_000, NOW)
    for start in range(0, len(legs), splits):
        vault.settle("auction", settlement(*legs[start : start + splits], to_operator=3 * splits), NOW)
        assert_whole(vault)
    return {party: vault.net(party) for party in PARTIES}


def test_settle__in_any_order_and_batching__leaves_everyone_the_same_net() -> None:
    rng = random.Random(11)
    for _ in range(20):
        legs = tuple(
            leg(rng.choice(PARTIES[2:]), rng.randrange(90), rng.randrange(-300, 300), 0, rng.random() < 0.5)
            for _ in range(4)
        )
        deposits = {party: rng.randrange(1, 200) for party in PARTIES} | {"shop": 1_000}
        first = nets(legs, deposits, 4)
        for order in permutations(legs):
            assert nets(order, deposits, rng.choice([1, 2, 4])) == first


class Parties(RuleBasedStateMachine):
    """Parties deposit, withdraw, lock, settle and collect as they like."""

    @initialize()
    def open(self) -> None:
        self.vault = VaultBook(HOLD)
        self.now = NOW
        self.nets = dict.fromkeys(PARTIES, 0)

    @rule(party=st.sampled_from(PARTIES), amount=st.integers(1, 500))
    def deposit(self, party: str, amount: int) -> None:
        self.vault.deposit(party, amount, self.now)
        self.nets[party] += amount

    @rule(party=st.sampled_from(PARTIES), share=st.integers(1, 100))
    def withdraw(self, party: str, share: int) -> None:
        amount = self.vault.account(party, self.now).withdrawable * share // 100
        if amount:
            self.vault.withdraw(party, amount, self.now)
            self.nets[party] -= amount

    @rule(party=st.sampled_from(PARTIES), amount=st.integers(-200, 200))
    def lock(self, party: str, amount: int) -> None:
        try:
            self.vault.lock("auction", party, amount, self.now)
        except (InArrears, AvailableTooSmall, PotTooSmall):
            return
        self.nets[party] -= amount

    @rule(
        parties=st.lists(st.sampled_from(PARTIES), min_size=1, max_size=4),
        from_pot=st.integers(0, 50),
        from_utility=st.integers(-300, 300),
        hold=st.integers(-50, 100),
        may_debit=st.booleans(),
        to_operator=st.integers(-20, 40),
        periods=st.integers(-1, 1),
    )
    def settle(
        self,
        parties: list[str],
        from_pot: int,
        from_utility: int,
        hold: int,
        may_debit: bool,
        to_operator: int,
        periods: int,
    ) -> None:
        from_pot = min(from_pot, self.vault.pot("auction") // len(parties))
        legs = [leg(party, from_pot, from_utility, hold, may_debit) for party in parties]
        until = self.now + periods * HOLD
        self.vault.settle("auction", settlement(*legs, hold_until=until, to_operator=to_operator), self.now)
        for party in parties:
            self.nets[party] += from_pot
            if party != "utility":
                self.nets[party] += from_utility
                self.nets["utility"] -= from_utility
        self.nets["operator"] += to_operator
        self.nets["utility"] -= to_operator

    @rule(debtor=st.sampled_from(PARTIES), creditor=st.sampled_from(PARTIES))
    def collect(self, debtor: str, creditor: str) -> None:
        before = self.vault.owed(debtor, creditor)
        paid = self.vault.collect(debtor, creditor, self.now)
        assert self.vault.owed(debtor, creditor) == before - paid

    @rule(seconds=st.integers(1, 1_500))
    def wait(self, seconds: int) -> None:
        self.now += seconds

    @invariant()
    def money_is_conserved(self) -> None:
        if hasattr(self, "vault"):
            assert_whole(self.vault)

    @invariant()
    def nets_are_linear_in_cash(self) -> None:
        if hasattr(self, "vault"):
            assert {party: self.vault.net(party) for party in PARTIES} == self.nets


TestParties = Parties.TestCase
TestParties.settings = settings(max_examples=150, stateful_step_count=40, deadline=None, derandomize=True)
