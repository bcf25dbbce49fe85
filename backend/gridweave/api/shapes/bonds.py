"""Relayers' bonds as they are answered."""

from __future__ import annotations

from gridweave.api.fields import Id
from gridweave.api.shapes.base import AccountId, Count, Hash, Micro, Paged, Shape

__all__ = ["BondsOut", "CompensationsOut"]


class BondOut(Shape):
    """What one sponsor has put down; `leavingMicro` of it can be redeemed from `redeemableAt` on."""

    sponsor: AccountId
    bond_micro: Micro
    leaving_micro: Micro
    redeemable_at: Count | None


class BondsOut(Shape):
    """Who answers for a relayer; `sponsor` is whom this service's acknowledgements name now."""

    relayer: AccountId
    compensation_micro: Micro
    sponsor: AccountId | None
    bonds: list[BondOut]


class CompensationOut(Shape):
    """What was paid for an order acknowledged and left."""

    id: Hash
    sponsor: AccountId
    relayer: AccountId
    meter: Id
    slot: Id
    account: AccountId
    amount_micro: Micro
    transaction: Hash
    block: Count
    final: bool


class CompensationsOut(Paged):
    """A page of compensations."""

    items: list[CompensationOut]
