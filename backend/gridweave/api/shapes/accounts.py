"""Accounts, their moves and delegations as they are answered."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from gridweave.api.fields import Id
from gridweave.api.shapes.base import AccountId, Count, Hash, Micro, NewestBlock, Paged, Shape, Wh

__all__ = ["AccountOut", "DelegationsOut", "MovesOut"]


class OwedToOut(Shape):
    """What the account owes."""

    to: AccountId
    amount_micro: Micro


class OwedByOut(Shape):
    """What the account is owed."""

    by: AccountId
    amount_micro: Micro


class AccountOut(Shape):
    """Balances at `blockNumber`: in the Vault, and in the wallet beside it. Orders have `lockedMicro` of neither."""

    address: AccountId
    available_micro: Micro
    held_micro: Micro
    arrear_micro: Micro
    withdrawable_micro: Micro
    locked_micro: Micro
    bonds_micro: Micro
    wallet_micro: Micro
    permit_nonce: Count
    owes: list[OwedToOut]
    is_owed: list[OwedByOut]
    block_number: NewestBlock
    chain_time: Count


class DelegationOut(Shape):
    """Who may order for whom within which limits; null is no limit of that kind, or none of that side at all."""

    account: AccountId
    delegate: AccountId
    meter: Id | None
    market: Id | None
    max_energy_wh: Wh
    lowest_ask: Annotated[Count | None, Field(alias="lowestAskMicroPerKwh")]
    highest_bid: Annotated[Count | None, Field(alias="highestBidMicroPerKwh")]
    until: Count


class DelegationsOut(Shape):
    """Those still in force."""

    items: list[DelegationOut]


class MoveOut(Shape):
    """One change of an account's available balance, and what it came to."""

    kind: Literal["deposit", "withdrawal", "locked", "released", "settled", "balanced", "debt"]
    amount_micro: Micro
    available_micro: Micro
    from_pot_micro: Micro | None
    from_utility_micro: Micro | None
    hold_micro: Micro | None
    counterparty: AccountId
    reference: Hash | None
    transaction: Hash
    block: Count
    final: bool


class MovesOut(Paged):
    """A page of moves."""

    items: list[MoveOut]
