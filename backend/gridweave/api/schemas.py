"""What is posted: each body knows how to become what the services take."""

from __future__ import annotations

from typing import Annotated, Literal, Self

from pydantic import FailFast, Field, model_validator

from gridweave.api.fields import (
    Address,
    Body,
    Compact,
    Hex32,
    Signature,
    Uint8,
    Uint16,
    Uint32,
    Uint40,
    Uint64,
    Uint96,
    Uint256,
)
from gridweave.chain.contracts import Act
from gridweave.domain.acts import (
    AssetKind,
    AssetRegistration,
    DeviceStatus,
    Endorsement,
    KeyKind,
    MeterEnd,
    MeterMove,
    MeterRegistration,
    StatusChange,
    Withdrawal,
)
from gridweave.domain.delegations import Delegation
from gridweave.domain.orders import Cancel, CancelSchedule, Order, Schedule, Side
from gridweave.domain.readings import Reading
from gridweave.domain.terms import MarketTerms
from gridweave.services.orders import SignedOrder
from gridweave.services.readings import SignedReading
from gridweave.services.registry import MOST_DELEGATED
from gridweave.services.schedules import MOST_LINES, SignedSchedule

__all__ = [
    "ActIn",
    "AssetIn",
    "CancelIn",
    "CancelScheduleIn",
    "CancelsIn",
    "DelegationIn",
    "DepositIn",
    "EnrolmentIn",
    "MarketIn",
    "MeterEndIn",
    "MeterIn",
    "MeterMoveIn",
    "OrderIn",
    "OrdersIn",
    "ReadingIn",
    "ReadingsIn",
    "ScheduleIn",
    "StatusIn",
    "WithdrawalIn",
]


class ActIn(Body):
    """One person's consent: signature over the act's own type."""

    signer: Address
    nonce: Uint256
    deadline: Uint256
    signature: Signature

    def act(self) -> Act:
        return Act(self.signer, self.nonce, self.deadline, self.signature)


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


class ReadingIn(Body):
    """A meter's signed reading of one slot."""

    meter: Uint32
    slot: Uint32
    version: Uint8
    import_wh: Uint32
    export_wh: Uint32
    signature: Compact

    def signed(self) -> SignedReading:
        reading = Reading(self.meter, self.slot, self.version, self.import_wh, self.export_wh)
        return SignedReading(reading, self.signature)


class _Many(Body):
    """{"<plural>": [...]}, or one object alone."""

    @model_validator(mode="before")
    @classmethod
    def _one_or_many(cls, value: object) -> object:
        name = next(iter(cls.model_fields))
        return {name: [value]} if isinstance(value, dict) and name not in value else value


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


class DelegationIn(Body):
    """What an account lets a key order in its name; `until` 0 takes it back.

    No meters: all that have no delegation of their own.
    """

    account: Address
    delegate: Address
    market: Uint32
    meters: Annotated[list[Uint32], FailFast(), Field(max_length=MOST_DELEGATED)]
    max_energy_wh: Uint32
    lowest_ask: Annotated[Uint64, Field(alias="lowestAskMicroPerKwh")]
    highest_bid: Annotated[Uint64, Field(alias="highestBidMicroPerKwh")]
    until: Uint40
    act: ActIn

    def delegation(self) -> Delegation:
        bounds = self.max_energy_wh, self.lowest_ask, self.highest_bid, self.until
        act = self.act
        return Delegation(
            self.account, self.delegate, self.market, tuple(self.meters), *bounds, act.nonce, act.deadline
        )


class OrdersIn(_Many):
    """Orders of one request. One alone may be sent without the list around it."""

    orders: Annotated[list[OrderIn], FailFast(), Field(min_length=1)]


class CancelsIn(_Many):
    """Cancels of one request. One alone may be sent without the list around it."""

    cancels: Annotated[list[CancelIn], FailFast(), Field(min_length=1)]


class ReadingsIn(_Many):
    """Readings of one request. One alone may be sent without the list around it."""

    readings: Annotated[list[ReadingIn], FailFast(), Field(min_length=1)]


class EnrolmentIn(Body):
    """A device's enrolment, endorsed by its maker; `possession` is the device's own signature."""

    device: Address
    owner: Address
    key_kind: Literal["secp256k1", "p256"]
    x: Hex32
    y: Hex32
    maker: ActIn
    possession: Compact

    def endorsement(self) -> Endorsement:
        kind = KeyKind.P256 if self.key_kind == "p256" else KeyKind.SECP256K1
        maker = self.maker
        return Endorsement(self.device, maker.signer, self.owner, kind, self.x, self.y, maker.nonce, maker.deadline)


class StatusIn(Body):
    """A device's new status, signed by its owner or an operator."""

    status: Literal["active", "suspended", "revoked"]
    act: ActIn

    def change(self, device: str) -> StatusChange:
        return StatusChange(device, DeviceStatus[self.status.upper()], self.act.nonce, self.act.deadline)


class TermsIn(Body):
    """A market's terms: prices in micro per kWh, windows in seconds."""

    min_price: Annotated[Uint40, Field(alias="minPriceMicroPerKwh")]
    tick_size: Annotated[Uint32, Field(alias="tickMicroPerKwh")]
    tick_count: Uint16
    grid_fee: Annotated[Uint40, Field(alias="gridFeeMicroPerKwh")]
    feed_in_price: Annotated[Uint40, Field(alias="feedInPriceMicroPerKwh")]
    retail_price: Annotated[Uint40, Field(alias="retailPriceMicroPerKwh")]
    min_energy_wh: Uint32
    utility: Address
    gate_lead: Annotated[Uint32, Field(alias="gateLeadSeconds")]
    reading_window: Annotated[Uint32, Field(alias="readingWindowSeconds")]
    correction_window: Annotated[Uint32, Field(alias="correctionWindowSeconds")]
    operator: Address
    default_wh: Uint32
    from_slot: Uint32

    def terms(self) -> MarketTerms:
        return MarketTerms(**self.model_dump())


class MarketIn(Body):
    """A market: terms, the operator's act and the utility's consent."""

    terms: TermsIn
    operator: ActIn
    utility: ActIn


class MeterIn(Body):
    """A meter's registration. `mandated` is what the operator signed: the account's mandate comes with it, or none may.

    Without one only arrears are recorded.
    """

    device: Address
    market: Uint32
    account: Address
    import_capacity_w: Uint32
    export_capacity_w: Uint32
    scale_wh: Uint8
    mandated: bool
    operator: ActIn
    mandate: ActIn | None = None

    @model_validator(mode="after")
    def _check_mandate(self) -> Self:
        if self.mandated != (self.mandate is not None):
            raise ValueError("`mandated` is true with the account's mandate and false without one")
        return self

    def registration(self) -> MeterRegistration:
        return MeterRegistration(
            self.device,
            self.market,
            self.account,
            self.import_capacity_w,
            self.export_capacity_w,
            self.scale_wh,
            self.mandated,
            self.operator.nonce,
            self.operator.deadline,
        )


class MeterMoveIn(MeterIn):
    """A device's next meter, from a slot beyond the horizon on."""

    from_slot: Uint32

    def move(self) -> MeterMove:
        return MeterMove(
            self.device,
            self.market,
            self.account,
            self.import_capacity_w,
            self.export_capacity_w,
            self.scale_wh,
            self.mandated,
            self.from_slot,
            self.operator.nonce,
            self.operator.deadline,
        )


class MeterEndIn(Body):
    """The end of a meter, before a slot beyond the horizon."""

    until_slot: Uint32
    operator: ActIn

    def end(self, meter: int) -> MeterEnd:
        return MeterEnd(meter, self.until_slot, self.operator.nonce, self.operator.deadline)


class AssetIn(Body):
    """What stands behind a meter."""

    meter: Uint32
    kind: Literal["photovoltaic", "wind", "battery", "electric_vehicle", "heat_pump", "load"]
    nameplate_w: Uint32
    storage_wh: Uint32
    operator: ActIn

    def registration(self) -> AssetRegistration:
        kind, operator = AssetKind[self.kind.upper()], self.operator
        return AssetRegistration(self.meter, kind, self.nameplate_w, self.storage_wh, operator.nonce, operator.deadline)


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
