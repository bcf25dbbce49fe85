"""Meters, assets and delegations as they are posted."""

from __future__ import annotations

from typing import Annotated, Literal, Self

from pydantic import FailFast, Field, model_validator

from gridweave.api.fields import Address, Body, Uint8, Uint32, Uint40, Uint64
from gridweave.api.posted.base import ActIn
from gridweave.domain.acts import (
    AssetKind,
    AssetRegistration,
    MeterEnd,
    MeterMove,
    MeterRegistration,
)
from gridweave.domain.delegations import Delegation
from gridweave.services.registry import MOST_DELEGATED

__all__ = ["AssetIn", "DelegationIn", "MeterEndIn", "MeterIn", "MeterMoveIn"]


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
