"""The Vault replayed: every move through the domain's own book, and the events that each move has to leave."""

from __future__ import annotations

from typing import Any

from gridweave.audit.matching import Expected
from gridweave.chain import events as chain
from gridweave.chain.events import Event
from gridweave.domain.vault import Leg, Settlement, VaultBook

__all__ = ["Money"]


class Money(VaultBook):
    """A VaultBook that writes down what the Vault at address `vault` must say, in order. `take` hands it over."""

    def __init__(self, vault: str, currency: str, hold_length: int) -> None:
        super().__init__(hold_length)
        self._vault = vault
        self._currency = currency
        self._said: list[Expected] = []
        self.tokens = 0
        """What the Vault holds in the currency: everything that came less everything that went."""
        self.touched: set[tuple[str, str]] = set()
        """Every pair (debtor, creditor) that ever had a debt."""

    def take(self) -> list[Expected]:
        """The events due since the last call."""
        said, self._said = self._said, []
        return said

    # what people do

    def take_deposit(self, account: str, payer: str, amount: int, now: int) -> None:
        """A deposit and its transfer. Raises ZeroAmount, VaultFull."""
        self._transfer(payer, self._vault, amount)
        self.deposit(account, amount, now)
        available = self.account(account, now).available
        self._say(chain.Deposited, account=account, payer=payer, amount=amount, available=available)

    def give_withdrawal(self, account: str, to: str, amount: int, now: int) -> None:
        """A withdrawal and its transfer. Raises ZeroAmount, WithdrawalAboveWithdrawable."""
        self.withdraw(account, amount, now)
        available = self.account(account, now).available
        self._say(chain.Withdrawn, account=account, to=to, amount=amount, available=available)
        self._transfer(self._vault, to, amount)

    def skim(self, to: str) -> None:
        """Sends off what came by bare transfer."""
        amount = self.tokens - self.total_tracked
        self._say(chain.Skimmed, to=to, amount=amount)
        self._transfer(self._vault, to, amount)

    # what modules do

    def lock(self, module: str, party: str, amount: int, now: int, ref: bytes = bytes(32)) -> None:
        """As VaultBook.lock, and says it."""
        super().lock(module, party, amount, now, ref)
        if amount:
            available = self.account(party, now).available
            self._say(chain.Locked, account=party, module=module, ref=ref, amount=amount, available=available)

    def _settle_leg(self, module: str, leg: Leg, utility: str, bucket: bool | None, now: int) -> None:
        super()._settle_leg(module, leg, utility, bucket, now)
        self._say(
            chain.Paid,
            account=leg.account,
            module=module,
            ref=leg.ref,
            from_pot=leg.from_pot,
            from_utility=leg.from_utility,
            hold=leg.hold,
            available=self.account(leg.account, now).available,
        )

    def _balance(self, module: str, settlement: Settlement, now: int) -> None:
        super()._balance(module, settlement, now)
        self._say(
            chain.Balanced,
            module=module,
            utility=settlement.utility,
            operator=settlement.operator,
            to_operator=settlement.to_operator,
            pot_to_utility=settlement.pot_to_utility,
            pot_to_operator=settlement.pot_to_operator,
            utility_available=self.account(settlement.utility, now).available,
            operator_available=self.account(settlement.operator, now).available,
        )

    def _pay_debt(self, debtor: str, creditor: str, amount: int, now: int) -> None:
        at = len(self._said)
        super()._pay_debt(debtor, creditor, amount, now)
        paid = self._event(
            chain.DebtPaid,
            self._vault,
            debtor=debtor,
            creditor=creditor,
            amount=amount,
            debtor_available=self.account(debtor, now).available,
            creditor_available=self.account(creditor, now).available,
        )
        self._said.insert(at, paid)

    def _change_debt(self, debtor: str, creditor: str, amount: int, now: int) -> None:
        super()._change_debt(debtor, creditor, amount, now)
        self.touched.add((debtor, creditor))
        self._say(chain.DebtChanged, debtor=debtor, creditor=creditor, owed=self.owed(debtor, creditor))

    def _transfer(self, sender: str, to: str, amount: int) -> None:
        self._said.append(self._event(chain.Transfer, self._currency, sender=sender, to=to, value=amount))
        self.tokens += amount if to == self._vault else 0
        self.tokens -= amount if sender == self._vault else 0

    def _say(self, kind: type[Event], **values: Any) -> None:
        self._said.append(self._event(kind, self._vault, **values))

    @staticmethod
    def _event(kind: type[Event], contract: str, **values: Any) -> Expected:
        return Expected(kind, contract, values)
