"""Meters, assets and readings as they are answered."""

from __future__ import annotations

from typing import Literal

from gridweave.api.fields import Id
from gridweave.api.shapes.base import AccountId, Count, Hash, Paged, Shape, Wh
from gridweave.api.shapes.devices import DeviceState

__all__ = ["MeterOut", "MetersOut", "ReadingsOut"]


class ListedMeterOut(Shape):
    """A meter: whose, where, and how much it can draw or give."""

    meter: Id
    device: AccountId
    device_status: DeviceState
    account: AccountId
    market: Id
    import_capacity_w: Count
    export_capacity_w: Count
    scale_wh: Count
    has_mandate: bool
    from_slot: Id
    until_slot: Id | None
    transaction: Hash
    block: Count
    final: bool


class AssetOut(Shape):
    """What stands behind a meter."""

    asset: Count
    kind: Literal["photovoltaic", "wind", "battery", "electric_vehicle", "heat_pump", "load"]
    nameplate_w: Count
    storage_wh: Wh


class MeterOut(ListedMeterOut):
    """A meter and its assets."""

    assets: list[AssetOut]


class MetersOut(Paged):
    """A page of meters."""

    items: list[ListedMeterOut]


class ReadingOut(Shape):
    """A recorded reading."""

    meter: Id
    slot: Id
    version: Count
    import_wh: Wh
    export_wh: Wh
    transaction: Hash
    block: Count
    final: bool


class ReadingsOut(Paged):
    """A page of readings, corrections included."""

    items: list[ReadingOut]
