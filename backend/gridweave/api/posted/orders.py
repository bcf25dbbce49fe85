"""Orders and cancels as they are posted, alone, by the hundred or as a schedule."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import FailFast, Field

from gridweave.api.fields import Address, Body, Compact, Signature, Uint16, Uint32, Uint40, Uint64
from gridweave.api.posted.base import Many
from gridweave.domain.orders import Cancel, CancelSchedule, Order, Schedule, Side
from gridweave.services.orders import SignedOrder
from gridweave.services.schedules import MOST_LINES, SignedSchedule

__all__ = ["CancelScheduleIn", "CancelsIn", "OrdersIn", "ScheduleIn"]


class OrderLineIn(Body):
    """An order; a bid's limit includes the grid fee."""

    market: Uint32
    slot: Uint32
    meter: Uint32
    version: Uint16
    deadline: Uint40
    side: Literal["bid", "ask"]
    energy_wh: Uint32
    limit_price: Annotated[Uint64, Field(alias="limitPriceMicroPerKwh")]

    def order(self) -> Order:
        return Order(
            self.market,
            self.slot,
            self.meter,
            self.version,
            self.deadline,
            Side[self.side.upper()],
            self.energy_wh,
            self.limit_price,
        )


class CancelLineIn(Body):
    """A cancel: takes the meter's order out of the slot."""

    market: Uint32
    slot: Uint32
    meter: Uint32
    version: Uint16
    deadline: Uint40

    def cancel(self) -> Cancel:
        return Cancel(self.market, self.slot, self.meter, self.version, self.deadline)


class OrderIn(OrderLineIn):
    """An order with a signature of its own."""

    signature: Compact

    def signed(self) -> SignedOrder:
        return SignedOrder(self.order(), self.signature)


class CancelIn(CancelLineIn):
    """A cancel with a signature of its own."""

    signature: Compact

    def signed(self) -> SignedOrder:
        return SignedOrder(self.cancel(), self.signature)


class ScheduleIn(Body):
    """Orders of one account under one signature: a key's, or what the account's wallet takes."""

    account: Address
    orders: Annotated[list[OrderLineIn], FailFast(), Field(min_length=1, max_length=MOST_LINES)]
    signature: Signature

    def signed(self) -> SignedSchedule:
        return SignedSchedule(Schedule(self.account, tuple(line.order() for line in self.orders)), self.signature)


class CancelScheduleIn(Body):
    """Cancels likewise."""

    account: Address
    cancels: Annotated[list[CancelLineIn], FailFast(), Field(min_length=1, max_length=MOST_LINES)]
    signature: Signature

    def signed(self) -> SignedSchedule:
        cancels = tuple(line.cancel() for line in self.cancels)
        return SignedSchedule(CancelSchedule(self.account, cancels), self.signature)


class OrdersIn(Many):
    """Orders of one request. One alone may be sent without the list around it."""

    orders: Annotated[list[OrderIn], FailFast(), Field(min_length=1)]


class CancelsIn(Many):
    """Cancels of one request. One alone may be sent without the list around it."""

    cancels: Annotated[list[CancelIn], FailFast(), Field(min_length=1)]
