"""Accounts, their moves, delegations and bills as they are answered."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from gridweave.api.shapes.base import AccountId, Count, Hash, Micro, Paged, Shape, Slot, Wh

__all__ = ["AccountOut", "BillOut", "DelegationsOut", "MovesOut"]


class OwedToOut(Shape):
    """What the account owes."""

    to: AccountId
    amount_micro: Micro


class OwedByOut(Shape):
    """What the account is owed."""

    by: AccountId
    amount_micro: Micro


class AccountOut(Shape):
    """Balances at `blockNumber`: in the Vault, and in the wallet beside it."""

    address: AccountId
    available_micro: Micro
    held_micro: Micro
    arrear_micro: Micro
    withdrawable_micro: Micro
    bonds_micro: Micro
    wallet_micro: Micro
    permit_nonce: Count
    owes: list[OwedToOut]
    is_owed: list[OwedByOut]
    block_number: Annotated[int, Field(ge=-1)]
    chain_time: Count


class DelegationOut(Shape):
    """Who may order for whom within which limits; null is no limit of that kind, or none of that side at all."""

    account: AccountId
    delegate: AccountId
    meter: Slot | None
    market: Slot | None
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


class _SumsOut(Shape):
    bought_wh: Wh
    sold_wh: Wh
    import_wh: Wh
    export_wh: Wh
    trade_micro: Micro
    fee_micro: Micro
    deviation_micro: Micro
    cash_micro: Micro
    without_market_micro: Micro


class BillLineOut(_SumsOut):
    """One meter in one slot: `cashMicro = tradeMicro - feeMicro + deviationMicro`."""

    meter: Slot
    market: Slot
    slot: Slot
    starts_at: Count
    deviation_wh: int
    price: Annotated[Count | None, Field(alias="priceMicroPerKwh")]
    reading_version: Count
    transaction: Hash
    block: Count
    final: bool


class BillTotalsOut(_SumsOut):
    """The sums of all lines; `gainMicro` is over feed-in and retail alone."""

    gain_micro: Micro
    lines: Count
    final: bool


class BillOut(Shape):
    """A bill of slots `from`..`to`."""

    account: AccountId
    first: Annotated[Slot, Field(alias="from")]
    to: Slot
    lines: list[BillLineOut]
    totals: BillTotalsOut
