"""Events of the DeviceRegistry and the DERRegistry, as typed records."""

from __future__ import annotations

from dataclasses import dataclass

from gridweave.chain.event import Event

__all__ = [
    "AssetRegistered",
    "DeviceEnrolled",
    "DeviceKeyChanged",
    "DeviceStatusChanged",
    "MeterEnded",
    "MeterMoved",
    "MeterRegistered",
]


@dataclass(frozen=True, slots=True)
class DeviceEnrolled(Event):
    """A maker endorsed it, and it proved its key."""

    device: str
    maker: str
    owner: str


@dataclass(frozen=True, slots=True)
class DeviceKeyChanged(Event):
    """The key that counts from now on."""

    device: str
    key_version: int
    key_kind: int
    x: bytes
    y: bytes


@dataclass(frozen=True, slots=True)
class DeviceStatusChanged(Event):
    """`by` is the owner or an operator."""

    device: str
    status: int
    by: str


@dataclass(frozen=True, slots=True)
class MeterRegistered(Event):
    """`terms` is the Meter word (`Meter.unpack` takes its 32 bytes)."""

    meter: int
    device: str
    account: str
    market: int
    terms: int


@dataclass(frozen=True, slots=True)
class MeterEnded(Event):
    """It is in force up to `until_slot`, exclusive."""

    meter: int
    until_slot: int


@dataclass(frozen=True, slots=True)
class MeterMoved(Event):
    """`begun` follows `ended` in `from_slot`."""

    device: str
    ended: int
    begun: int
    from_slot: int


@dataclass(frozen=True, slots=True)
class AssetRegistered(Event):
    """What stands behind a meter."""

    asset: int
    meter: int
    kind: int
    nameplate_w: int
    storage_wh: int
