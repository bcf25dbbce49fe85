"""Deposits and withdrawals as they are posted."""

from __future__ import annotations

from gridweave.api.fields import Address, Body, Compact, Signature, Uint96, Uint256
from gridweave.domain.acts import Withdrawal

__all__ = ["DepositIn", "WithdrawalIn"]


class DepositIn(Body):
    """An ERC-2612 permit for the Vault, 65 bytes (or compact)."""

    account: Address
    amount_micro: Uint96
    deadline: Uint256
    signature: Compact


class WithdrawalIn(Body):
    """A signed withdrawal."""

    account: Address
    to: Address
    amount_micro: Uint96
    nonce: Uint256
    deadline: Uint256
    signature: Signature

    def withdrawal(self) -> Withdrawal:
        return Withdrawal(self.account, self.to, self.amount_micro, self.nonce, self.deadline)
