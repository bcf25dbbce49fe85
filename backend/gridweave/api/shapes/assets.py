"""Assets as they are answered."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from gridweave.api.fields import Id
from gridweave.api.shapes.base import AccountId, Count, Hash, Paged, Shape, Wh

__all__ = ["AssetKindName", "AssetOut", "AssetsOut", "ListedAssetOut"]

AssetKindName = Literal["photovoltaic", "wind", "battery", "electric_vehicle", "heat_pump", "load"]
AssetStateName = Literal["unreported", "commissioned", "online", "offline", "maintenance", "fault", "decommissioned"]
FlagName = Literal["underDelivers", "unavailable", "fault", "silent", "unread"]

BasisPoints = Annotated[int, Field(ge=0, description="basis points, rounded down")]


class WindowOut(Shape):
    """Slots from..to, of which all are over; none where `to` lies before `from`."""

    from_: Annotated[int, Field(alias="from", ge=0)]
    to: int
    starts_at: Count
    ends_at: Count


class AvailabilityOut(Shape):
    """Seconds of the window in which the asset was commissioned, and shares of them."""

    commissioned_s: Count
    online_s: Count
    maintenance_s: Count
    online_bp: BasisPoints | None
    maintenance_bp: BasisPoints | None
    unplanned_bp: Annotated[
        BasisPoints | None, Field(description="the share online of the time out of maintenance, rounded down")
    ]


class PerformanceOut(Shape):
    """What its meter gave in the `slots` that the asset lived through alone behind it; null where nothing was read.

    In `shared_slots` other assets stood behind the meter too: its readings are not the asset's, so they do not count.
    `ratio_bp` holds it against `peers` assets of its kind on its feeder, in the `compared_slots`; null with fewer than
    three of them, for a kind that gives as its owner likes, and where nothing was to be expected.
    """

    slots: Count
    read_slots: Count
    shared_slots: Count
    export_wh: Wh | None
    yield_wh_per_kw: Wh | None
    capacity_factor_bp: BasisPoints | None
    peers: Count
    compared_slots: Count
    ratio_bp: BasisPoints | None


class ListedAssetOut(Shape):
    """An asset: where it stands, what it gave in the window, and what stands out of it."""

    asset: Count
    meter: Id
    device: AccountId
    feeder: Annotated[Id, Field(description="the operator's number; 0: none named")]
    kind: AssetKindName
    nameplate_w: Count
    storage_wh: Wh
    registered_at: Count
    state: AssetStateName
    state_since: Count | None
    last_seen: Annotated[Count | None, Field(description="the newest of its state and its meter's last reading")]
    window: WindowOut
    availability: AvailabilityOut
    performance: PerformanceOut
    flags: list[FlagName]
    transaction: Hash
    block: Count
    final: bool


class StateOut(Shape):
    """A state that its device reported."""

    state: AssetStateName
    since: Count
    transaction: Hash
    block: Count
    final: bool


class AssetOut(ListedAssetOut):
    """An asset and all that its device said of it, oldest first."""

    states: list[StateOut]


class AssetsOut(Paged):
    """A page of assets."""

    items: list[ListedAssetOut]
