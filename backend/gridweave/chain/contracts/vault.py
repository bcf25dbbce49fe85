"""Accounts, pots and debts over one ERC-20."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from gridweave.chain.contracts.acts import Act
from gridweave.chain.contracts.base import Contract
from gridweave.chain.contracts.local_currency import split_signature
from gridweave.chain.types import Call
from gridweave.domain.addresses import checksum_address

__all__ = ["Balance", "Vault"]


@dataclass(frozen=True)
class Balance:
    """An account's figures in millionths: `held` is the part of `available` that a correction window keeps."""

    available: int
    held: int
    arrear: int

    @property
    def withdrawable(self) -> int:
        """max(0, available - held - arrear)."""
        return max(0, self.available - self.held - self.arrear)


class Vault(Contract):
    """The only place where value moves. `lock`, `settle` and `collect` are for modules, so they are not here."""

    NAME: ClassVar[str] = "Vault"

    async def account_of(self, account: str, block: int | None = None) -> Balance:
        available, held, arrear = await self._results("accountOf", account, block=block)
        return Balance(available, held, arrear)

    async def withdrawable_of(self, account: str, block: int | None = None) -> int:
        return int(await self._result("withdrawableOf", account, block=block))

    async def pot_of(self, module: str, block: int | None = None) -> int:
        return int(await self._result("potOf", module, block=block))

    async def owed(self, debtor: str, creditor: str, block: int | None = None) -> int:
        return int(await self._result("owed", debtor, creditor, block=block))

    async def total_tracked(self, block: int | None = None) -> int:
        """Sum of all available balances and pots."""
        return int(await self._result("totalTracked", block=block))

    async def currency(self, block: int | None = None) -> str:
        return checksum_address(await self._result("currency", block=block))

    async def hold_length(self, block: int | None = None) -> int:
        """Seconds per hold period."""
        return int(await self._result("holdLength", block=block))

    async def is_nonce_used(self, signer: str, nonce: int, block: int | None = None) -> bool:
        return bool(await self._result("isNonceUsed", signer, nonce, block=block))

    def deposit(self, account: str, amount: int) -> Call:
        """The sender's tokens to `account`; needs an allowance."""
        return self.call("deposit", account, amount)

    def deposit_with_permit(self, account: str, amount: int, deadline: int, signature: bytes) -> Call:
        """`account`'s tokens to `account` by its permit for this Vault (r, s, v in 65 bytes). Anyone may send it."""
        return self.call("depositWithPermit", account, amount, deadline, *split_signature(signature))

    def withdraw(self, to: str, amount: int) -> Call:
        """The sender's own withdrawal."""
        return self.call("withdraw", to, amount)

    def withdraw_by_sig(self, to: str, amount: int, act: Act) -> Call:
        """`act` is the account's over Withdrawal. Anyone may send it."""
        return self.call("withdrawBySig", to, amount, act.abi())

    def skim(self, to: str) -> Call:
        """What came by bare transfer. Admin only."""
        return self.call("skim", to)
