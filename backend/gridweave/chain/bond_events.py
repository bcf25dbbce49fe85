"""Events of the RelayerBond, as typed records."""

from __future__ import annotations

from dataclasses import dataclass

from gridweave.chain.event import Event

__all__ = ["BondLeaving", "BondPosted", "BondRedeemed", "Compensated", "RefusalProved"]


@dataclass(frozen=True, slots=True)
class BondPosted(Event):
    """`bond` is what the sponsor has put down for the relayer now, `leaving` of it about to leave."""

    sponsor: str
    relayer: str
    amount: int
    bond: int
    leaving: int


@dataclass(frozen=True, slots=True)
class BondLeaving(Event):
    """`leaving` of the bond can be redeemed from `redeemable_at` on."""

    sponsor: str
    relayer: str
    bond: int
    leaving: int
    redeemable_at: int


@dataclass(frozen=True, slots=True)
class BondRedeemed(Event):
    """`bond` is what stays."""

    sponsor: str
    relayer: str
    amount: int
    bond: int


@dataclass(frozen=True, slots=True)
class RefusalProved(Event):
    """`request`, the order or its schedule, was placed with a signature of that hash, and the order refused."""

    digest: bytes
    meter: int
    slot: int
    request: bytes
    signature_hash: bytes


@dataclass(frozen=True, slots=True)
class Compensated(Event):
    """`account` got `amount` for an order that the relayer had acknowledged; `bond` and `leaving` are what is left."""

    digest: bytes
    sponsor: str
    relayer: str
    order: bytes
    account: str
    amount: int
    bond: int
    leaving: int
