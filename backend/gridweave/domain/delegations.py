"""Whom an account lets sign orders in its name, and within which bounds."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from gridweave.domain.eip712 import TYPES, StructType
from gridweave.domain.orders import Cancel, Order, Side
from gridweave.domain.words import WordLayout

NO_ASKS = (1 << 64) - 1
"""`lowest_ask` of a delegation without asks."""
NO_BIDS = 0
"""`highest_bid` of a delegation without bids."""

_WORD = WordLayout(
    "Delegation", (("until", 40), ("market", 32), ("maxEnergyWh", 32), ("lowestAsk", 64), ("highestBid", 64))
)


@dataclass(frozen=True)
class Scope:
    """What a delegate may order: `market` 0 is any, limits in micro per kWh, `until` chain time in seconds.

    Until 0 is none at all. What it may order it may cancel, whatever the energy and limit.
    """

    market: int
    max_energy_wh: int
    lowest_ask: int
    highest_bid: int
    until: int

    def pack(self) -> bytes:
        """The auction's word, 32 bytes; zero if the scope is none. Raises FieldOutOfRange."""
        if self.until == 0:
            return bytes(32)
        return _WORD.pack((self.until, self.market, self.max_energy_wh, self.lowest_ask, self.highest_bid))

    def covers(self, item: Order | Cancel, now: int) -> bool:
        """Whether the delegate may say that at chain time `now`."""
        return self.exceeded(item, now) is None

    def exceeded(self, item: Order | Cancel, now: int) -> str | None:
        """The field of this scope beyond which that lies at chain time `now`; None if it is covered."""
        if now >= self.until:
            return "until"
        if self.market not in (0, item.market):
            return "market"
        return None if isinstance(item, Cancel) else self._exceeded_by(item)

    def _exceeded_by(self, order: Order) -> str | None:
        if order.energy_wh > self.max_energy_wh:
            return "max_energy_wh"
        if order.side == Side.BID:
            return "highest_bid" if order.limit_price > self.highest_bid else None
        return "lowest_ask" if order.limit_price < self.lowest_ask else None


@dataclass(frozen=True)
class Delegation:
    """An account lets a delegate's key sign for these meters; none: for all without a delegation of their own.

    Fields as in Scope. A later one for the same meters takes its place; `until` 0 ends it. `nonce` and `deadline` as in
    every act (EnergyAuction).
    """

    account: str
    delegate: str
    market: int
    meters: tuple[int, ...]
    max_energy_wh: int
    lowest_ask: int
    highest_bid: int
    until: int
    nonce: int
    deadline: int

    TYPE: ClassVar[StructType] = TYPES["Delegation"]

    @property
    def scope(self) -> Scope:
        """What it says of each of its meters."""
        return Scope(self.market, self.max_energy_wh, self.lowest_ask, self.highest_bid, self.until)


def in_force(own: Scope | None, general: Scope | None) -> Scope | None:
    """A delegate's scope for a meter: what is said of that meter, or where that is none, of all meters."""
    return own if own is not None and own.until else general


def covers(own: Scope | None, general: Scope | None, item: Order | Cancel, now: int) -> bool:
    """Whether a delegate may say that under its scope for the item's meter."""
    scope = in_force(own, general)
    return scope is not None and scope.covers(item, now)


class DelegationBook:
    """Every scope in force, by account, delegate and meter; meter 0 stands for all without one of their own."""

    def __init__(self) -> None:
        self.scopes: dict[tuple[str, str, int], Scope] = {}

    def set(self, account: str, delegate: str, meters: tuple[int, ...], scope: Scope) -> None:
        """Takes one delegation; a scope until 0 is taken back."""
        for meter in meters or (0,):
            self.scopes[account, delegate, meter] = scope

    def speaks(self, signer: str | None, account: str, item: Order | Cancel, now: int) -> bool:
        """Whether that key may say this for the account: its own, or one to which it delegated."""
        return signer is not None and (signer == account or self.covers(account, signer, item, now))

    def covers(self, account: str, delegate: str, item: Order | Cancel, now: int) -> bool:
        """Whether the account let that key say this."""
        own, general = (self.scopes.get((account, delegate, meter)) for meter in (item.meter, 0))
        return covers(own, general, item, now)
