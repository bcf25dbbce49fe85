"""Acknowledgements, and what became of requests, as they are answered."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import Field

from gridweave.api.fields import Id
from gridweave.api.shapes.base import LEFT_OUT, AccountId, Count, Hash, Micro, Shape, Wh
from gridweave.api.shapes.errors import ErrorOut

__all__ = ["AcceptedOut", "AcceptedSomeOut", "StateOut", "StatesOut"]

Kept = Literal["accepted", "committed", "rejected"]


class AcceptedOut(Shape):
    """The relayer's promise: `acknowledgement` is its signature, `sponsor` whose bond answers for it."""

    id: Hash
    status: Kept
    reason: str | None
    commit_before: Count
    acknowledgement: Annotated[str, Field(pattern=r"^0x([0-9a-f]{128})?$|^$")]
    sponsor: AccountId | None


class RefusedItemOut(Shape):
    """One item of a request that was refused; the others stand."""

    id: Hash
    error: ErrorOut


class AcceptedSomeOut(Shape):
    """An answer per item, in the order of the request."""

    items: list[AcceptedOut | RefusedItemOut]


class LineStateOut(Shape):
    """What became of a line of a schedule; of one that is on chain all that StateOut says."""

    model_config = Shape.model_config | {"extra": "allow"}

    id: Hash
    status: str
    reason: str | None
    final: bool


class StateOut(Shape):
    """What became of a request. What says nothing about its kind is left out.

    Until it is `final`, `status` may fall back. `reason` names a contract's error, or Replaced or Cancelled. Nobody is
    told side, energy and price of an order that the chain does not have, and a list leaves its `id` null.
    """

    id: Hash | None
    kind: str
    status: Literal["accepted", "committed", "cancelled", "cleared", "settled", "rejected"]
    reason: str | None
    final: bool
    reason_args: dict[str, Any]
    transaction: Hash | None
    block: Count | None
    commit_before: Count = LEFT_OUT
    market: Id = LEFT_OUT
    slot: Id = LEFT_OUT
    meter: Id = LEFT_OUT
    version: Count = LEFT_OUT
    deadline: Count = LEFT_OUT
    side: Literal["bid", "ask"] = LEFT_OUT
    energy_wh: Wh = LEFT_OUT
    limit_price: Annotated[Count, Field(alias="limitPriceMicroPerKwh")] = LEFT_OUT
    replaced_by: Hash = LEFT_OUT
    cancelled_in: Hash = LEFT_OUT
    filled_wh: Wh = LEFT_OUT
    price: Annotated[Count | None, Field(alias="priceMicroPerKwh")] = LEFT_OUT
    cleared_in: Hash = LEFT_OUT
    cash_micro: Micro | None = LEFT_OUT
    settled_in: Hash = LEFT_OUT
    import_wh: Wh = LEFT_OUT
    export_wh: Wh = LEFT_OUT
    lines: list[LineStateOut] = LEFT_OUT


class StatesOut(Shape):
    """States, oldest first."""

    items: list[StateOut]
