"""The Vault's rules as a pure state machine: accounts, pots, debts and holds. All amounts are millionths.

Parties and modules are names (the auditor uses checksummed addresses); two names are one party only if they are equal.
`now` is chain time in seconds and never runs backwards.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from itertools import islice

from gridweave.domain.errors import (
    ArrearTooLarge,
    AvailableTooSmall,
    HoldTooFar,
    InArrears,
    PotTooSmall,
    VaultFull,
    WithdrawalAboveWithdrawable,
    ZeroAmount,
)

MAX_CREDITORS_PAID = 4
"""Creditors that one credit pays; the rest wait for the next credit or for `collect`."""

MAX_TRACKED = (1 << 72) - 1
MAX_ARREAR = (1 << 56) - 1
MAX_HELD = (1 << 56) - 1


@dataclass(frozen=True)
class Account:
    """One party's money: `held_near` is kept until hold period `period` + 1 begins, `held_far` until `period` + 2."""

    available: int = 0
    arrear: int = 0
    held_near: int = 0
    held_far: int = 0
    period: int = 0

    @property
    def held(self) -> int:
        """What correction windows keep from withdrawal."""
        return self.held_near + self.held_far

    @property
    def withdrawable(self) -> int:
        """max(0, available - held - arrear)."""
        return max(0, self.available - self.held - self.arrear)

    def at(self, period: int) -> Account:
        """The account as of a later period: what was held until then is free, what was far is near."""
        passed = period - self.period
        if passed == 0:
            return self
        return replace(self, held_near=self.held_far if passed == 1 else 0, held_far=0, period=period)

    def holding(self, far: bool, amount: int) -> Account:
        """With `amount` more (negative: less) held in one bucket, which stays between 0 and MAX_HELD."""
        before = self.held_far if far else self.held_near
        kept = min(max(before + amount, 0), MAX_HELD)
        return replace(self, held_far=kept) if far else replace(self, held_near=kept)


@dataclass(frozen=True)
class Leg:
    """One account's part in a settlement, as IVault.Leg: see there for each field."""

    account: str
    may_debit: bool
    from_pot: int
    from_utility: int
    hold: int
    ref: bytes


@dataclass(frozen=True)
class Settlement:
    """A batch of legs and what follows them, as IVault.Settlement: see there for each field."""

    utility: str
    operator: str
    hold_until: int
    to_operator: int
    pot_to_utility: int
    pot_to_operator: int
    legs: tuple[Leg, ...]


class VaultBook:
    """Every account, pot and debt of one Vault. A call that raises has changed nothing; for `settle` see there."""

    def __init__(self, hold_length: int) -> None:
        """`hold_length` is the length of a hold period, seconds: at least the longest correction window."""
        self.hold_length = hold_length
        self._accounts: dict[str, Account] = {}
        self._pots: dict[str, int] = {}
        self._debts: dict[str, dict[str, int]] = {}
        self._total_tracked = 0

    @property
    def total_tracked(self) -> int:
        """Deposits less withdrawals: always the sum of all available balances and pots."""
        return self._total_tracked

    @property
    def accounts(self) -> Mapping[str, Account]:
        """Accounts as last written; `account` gives one as of now."""
        return self._accounts

    @property
    def pots(self) -> Mapping[str, int]:
        """Pot by module."""
        return self._pots

    def account(self, party: str, now: int) -> Account:
        """The party's account as of now."""
        return self._accounts.get(party, Account()).at(now // self.hold_length)

    def pot(self, module: str) -> int:
        """What the module's pot holds."""
        return self._pots.get(module, 0)

    def owed(self, debtor: str, creditor: str) -> int:
        """What `debtor` owes `creditor`."""
        return self._debts.get(debtor, {}).get(creditor, 0)

    def debts(self, debtor: str) -> Mapping[str, int]:
        """What `debtor` owes to whom, oldest debt first."""
        return self._debts.get(debtor, {})

    def net(self, party: str) -> int:
        """Available, less what the party owes, plus what it is owed: the measure that no order of settling changes."""
        account = self._accounts.get(party, Account())
        due = sum(debts.get(party, 0) for debts in self._debts.values())
        return account.available - account.arrear + due

    # deposits and withdrawals

    def deposit(self, party: str, amount: int, now: int) -> None:
        """Credits a deposit; the party's oldest creditors come first. Raises ZeroAmount, VaultFull."""
        if amount <= 0:
            raise ZeroAmount
        if amount > MAX_TRACKED - self._total_tracked:
            raise VaultFull(self._total_tracked, amount)
        self._total_tracked += amount
        self._credit(party, amount, now)

    def withdraw(self, party: str, amount: int, now: int) -> None:
        """Takes out of the withdrawable balance. Raises ZeroAmount, WithdrawalAboveWithdrawable."""
        if amount <= 0:
            raise ZeroAmount
        account = self.account(party, now)
        if amount > account.withdrawable:
            raise WithdrawalAboveWithdrawable(party, account.withdrawable, amount)
        self._accounts[party] = replace(account, available=account.available - amount)
        self._total_tracked -= amount

    # what modules do

    def lock(
        self,
        module: str,
        party: str,
        amount: int,
        now: int,
        ref: bytes = bytes(32),  # noqa: ARG002  only the log keeps it
    ) -> None:
        """Moves collateral into the module's pot (negative: out of it). `ref` is what the Vault logs with it.

        Raises InArrears or AvailableTooSmall for an amount above zero, PotTooSmall for one that the pot does not hold.
        """
        if amount > 0:
            account = self.account(party, now)
            if account.arrear:
                raise InArrears(party, account.arrear)
            if account.available < amount:
                raise AvailableTooSmall(party, account.available, amount)
            self._accounts[party] = replace(account, available=account.available - amount)
            self._pots[module] = self.pot(module) + amount
        elif amount < 0:
            self._take_from_pot(module, -amount)
            self._credit(party, -amount, now)

    def settle(self, module: str, settlement: Settlement, now: int) -> None:
        """Pays the legs in order, then operator and utility. What a party cannot pay is owed.

        Raises HoldTooFar, PotTooSmall, ArrearTooLarge: faults of the module, after which the book must be thrown away.
        """
        bucket = self._bucket(settlement.hold_until, now)
        for leg in settlement.legs:
            self._settle_leg(module, leg, settlement.utility, bucket, now)
        self._balance(module, settlement, now)

    def collect(self, debtor: str, creditor: str, now: int) -> int:
        """Pays `creditor` what `debtor` owes it as far as available; returns what was paid."""
        paid = min(self.account(debtor, now).available, self.owed(debtor, creditor))
        if paid:
            self._pay_debt(debtor, creditor, paid, now)
        return paid

    # settlement

    def _settle_leg(self, module: str, leg: Leg, utility: str, bucket: bool | None, now: int) -> None:
        self._take_from_pot(module, leg.from_pot)
        brought = self._credit(leg.account, leg.from_pot, now)
        if leg.account != utility:
            if leg.from_utility > 0:
                self._pay(utility, leg.account, leg.from_utility, self.account(utility, now).available, now)
            elif leg.from_utility < 0:
                allowed = self.account(leg.account, now).available if leg.may_debit else brought
                self._pay(leg.account, utility, -leg.from_utility, allowed, now)
        if leg.hold and bucket is not None:
            self._accounts[leg.account] = self.account(leg.account, now).holding(bucket, leg.hold)

    def _balance(self, module: str, settlement: Settlement, now: int) -> None:
        utility, operator = settlement.utility, settlement.operator
        if settlement.to_operator and utility != operator:
            payer, payee = (utility, operator) if settlement.to_operator > 0 else (operator, utility)
            self._pay(payer, payee, abs(settlement.to_operator), self.account(payer, now).available, now)
        residue = settlement.pot_to_operator
        if settlement.pot_to_utility > 0:
            self._take_from_pot(module, settlement.pot_to_utility)
            self._credit(utility, settlement.pot_to_utility, now)
        elif settlement.pot_to_utility < 0:
            residue -= self._pay_into_pot(module, settlement, now)
        self._take_from_pot(module, residue)
        self._credit(operator, residue, now)

    def _pay_into_pot(self, module: str, settlement: Settlement, now: int) -> int:
        """The utility's payment into the pot; returns what it could not pay, which it owes the operator."""
        due = -settlement.pot_to_utility
        if due > settlement.pot_to_operator:
            raise PotTooSmall(module, settlement.pot_to_operator, due)
        utility, operator = settlement.utility, settlement.operator
        account = self.account(utility, now)
        paid = min(account.available, due)
        self._accounts[utility] = replace(account, available=account.available - paid)
        self._pots[module] = self.pot(module) + paid
        if paid < due and utility != operator:
            self._owe(utility, operator, due - paid, now)
        return due - paid

    def _pay(self, payer: str, payee: str, amount: int, allowed: int, now: int) -> None:
        """`payer` pays at most `allowed` of the amount and owes the rest."""
        paid = min(allowed, amount)
        if paid:
            account = self.account(payer, now)
            self._accounts[payer] = replace(account, available=account.available - paid)
            self._credit(payee, paid, now)
        if paid < amount:
            self._owe(payer, payee, amount - paid, now)

    def _take_from_pot(self, module: str, amount: int) -> None:
        pot = self.pot(module)
        if amount > pot:
            raise PotTooSmall(module, pot, amount)
        if amount:
            self._pots[module] = pot - amount

    def _bucket(self, hold_until: int, now: int) -> bool | None:
        """Whether a hold until then is far (True), near (False), or over already (None). Raises HoldTooFar."""
        periods = hold_until // self.hold_length - now // self.hold_length
        if periods > 1:
            raise HoldTooFar(hold_until, (now // self.hold_length + 2) * self.hold_length)
        return None if periods < 0 else periods == 1

    # debts

    def _credit(self, party: str, amount: int, now: int) -> int:
        """Credits the party, whose oldest creditors are paid out of the amount; returns what it keeps of it."""
        if not amount:
            return 0
        account = self.account(party, now)
        self._accounts[party] = replace(account, available=account.available + amount)
        kept = amount
        for creditor, debt in list(islice(self.debts(party).items(), MAX_CREDITORS_PAID)):
            if not kept:
                break
            paid = min(kept, debt)
            self._pay_debt(party, creditor, paid, now)
            kept -= paid
        return kept

    def _pay_debt(self, debtor: str, creditor: str, amount: int, now: int) -> None:
        """The creditor's own creditors wait: else a ring of debts would never end."""
        paying = self.account(debtor, now)
        self._accounts[debtor] = replace(paying, available=paying.available - amount)
        receiving = self.account(creditor, now)
        self._accounts[creditor] = replace(receiving, available=receiving.available + amount)
        self._change_debt(debtor, creditor, -amount, now)

    def _owe(self, debtor: str, creditor: str, amount: int, now: int) -> None:
        """Mutual debts cancel: what the creditor owes the debtor is reduced first."""
        cancelled = min(self.owed(creditor, debtor), amount)
        if cancelled:
            self._change_debt(creditor, debtor, -cancelled, now)
        if amount > cancelled:
            self._change_debt(debtor, creditor, amount - cancelled, now)

    def _change_debt(self, debtor: str, creditor: str, amount: int, now: int) -> None:
        """A debt paid off leaves the list; recorded again it is the newest."""
        account = self.account(debtor, now)
        arrear = account.arrear + amount
        if arrear > MAX_ARREAR:
            raise ArrearTooLarge(debtor, arrear)
        self._accounts[debtor] = replace(account, arrear=arrear)
        debts = self._debts.setdefault(debtor, {})
        debts[creditor] = debts.get(creditor, 0) + amount
        if not debts[creditor]:
            del debts[creditor]
