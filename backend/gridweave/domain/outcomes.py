"""What a call on a market leaves behind, item by item, in the order in which the contracts log it.

Energies are Wh, prices micro per kWh, cash micro. A `reason` is the class of the refusal: `reason.selector()` is what
the log says.
"""

from __future__ import annotations

from dataclasses import dataclass

from gridweave.domain.errors import DomainError
from gridweave.domain.orders import Cancel, Order, Side
from gridweave.domain.readings import Reading

NO_PRICE = (1 << 256) - 1
"""Stands for "none" where an untraded slot has no best bid or no best ask."""

Reason = type[DomainError]


@dataclass(frozen=True)
class Placed:
    """The order is live."""

    order: Order


@dataclass(frozen=True)
class Cancelled:
    """The meter has no live order in the slot."""

    cancel: Cancel


@dataclass(frozen=True)
class OrderRefused:
    """The order or cancel changed nothing."""

    item: Order | Cancel
    reason: Reason


@dataclass(frozen=True)
class Cleared:
    """The slot has its net price. Without a trade: price 0, low the best bid, high the best ask, or NO_PRICE."""

    market: int
    slot: int
    traded: bool
    price: int
    low: int
    high: int
    volume_wh: int
    long_side: Side | None
    shared_wh: int
    long_wh: int


@dataclass(frozen=True)
class ReadingRecorded:
    """The reading is stored."""

    reading: Reading


@dataclass(frozen=True)
class ReadingRefused:
    """The reading changed nothing."""

    reading: Reading
    reason: Reason


@dataclass(frozen=True)
class Settled:
    """The meter is paid: `cash` in total for this version, 0 being the default reading."""

    meter: int
    slot: int
    reading_version: int
    bought_wh: int
    sold_wh: int
    cash: int


@dataclass(frozen=True)
class SettlementRefused:
    """The default settlement or release changed nothing."""

    meter: int
    slot: int
    reason: Reason


@dataclass(frozen=True)
class Released:
    """Collateral of unfilled energy went back to its account."""

    meter: int
    slot: int
    amount: int


@dataclass(frozen=True)
class SlotClosed:
    """Everybody is settled; the utility traded the dust, the operator got the residue."""

    market: int
    slot: int
    bid_dust_wh: int
    ask_dust_wh: int
    residue: int


Outcome = (
    Placed
    | Cancelled
    | OrderRefused
    | Cleared
    | ReadingRecorded
    | ReadingRefused
    | Settled
    | SettlementRefused
    | Released
    | SlotClosed
)
