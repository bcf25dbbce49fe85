"""Events of the DeviceRegistry and the DERRegistry, as typed records."""

from __future__ import annotations

from dataclasses import dataclass

from gridweave.chain.event import Event

__all__ = [
    "AssetRegistered",
    "BatchClosed",
    "BatchRegistered",
    "DIDAttributeChanged",
    "DIDOwnerChanged",
    "DeviceCompromised",
    "DeviceEnrolled",
    "DeviceStatusChanged",
    "MeterEnded",
    "MeterMoved",
    "MeterRegistered",
    "RotationProposed",
    "RotationVetoed",
    "TransferOffered",
]


@dataclass(frozen=True, slots=True)
class DeviceEnrolled(Event):
    """It proved its key, and its maker vouched for it: by itself (`batch` is zeros) or in a batch."""

    device: str
    maker: str
    owner: str
    model: int
    batch: bytes


@dataclass(frozen=True, slots=True)
class DIDOwnerChanged(Event):
    """ERC-1056: whose the device `identity` is from now on; a revoked one is nobody's (zero)."""

    identity: str
    owner: str
    previous_change: int


@dataclass(frozen=True, slots=True)
class DIDAttributeChanged(Event):
    """ERC-1056: a key of the device `identity` (`DevicePublicKey.of_attribute`) counts, or no longer (`valid_to` 0)."""

    identity: str
    name: bytes
    value: bytes
    valid_to: int
    previous_change: int


@dataclass(frozen=True, slots=True)
class BatchRegistered(Event):
    """`size` devices of a model may claim themselves."""

    root: bytes
    maker: str
    model: int
    size: int


@dataclass(frozen=True, slots=True)
class BatchClosed(Event):
    """Those that have not can no longer."""

    root: bytes
    by: str


@dataclass(frozen=True, slots=True)
class DeviceCompromised(Event):
    """What its key signed from that block on, up to its next key, is in doubt."""

    device: str
    since_block: int
    by: str


@dataclass(frozen=True, slots=True)
class RotationProposed(Event):
    """Its owner's key may take over from `ready_at` on."""

    device: str
    key_kind: int
    x: bytes
    y: bytes
    ready_at: int


@dataclass(frozen=True, slots=True)
class RotationVetoed(Event):
    """The device refused the key of that name."""

    device: str
    key: str


@dataclass(frozen=True, slots=True)
class TransferOffered(Event):
    """`to` may take it over until then; zero: nobody."""

    device: str
    to: str
    until: int


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
