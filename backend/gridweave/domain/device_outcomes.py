"""What a call on the DeviceRegistry leaves behind: each class and its fields are named as the event that says it."""

from __future__ import annotations

from dataclasses import dataclass

from gridweave.domain.acts import DeviceStatus, KeyKind
from gridweave.domain.device_keys import DevicePublicKey

__all__ = [
    "FOREVER",
    "NO_BATCH",
    "BatchClosed",
    "BatchRegistered",
    "DIDAttributeChanged",
    "DIDOwnerChanged",
    "DeviceCompromised",
    "DeviceEnrolled",
    "DeviceOutcome",
    "DeviceStatusChanged",
    "RotationProposed",
    "RotationVetoed",
    "TransferOffered",
    "told",
]

FOREVER = (1 << 256) - 1
"""Until when a key that counts is valid, as ERC-1056 says it."""

NO_BATCH = bytes(32)
"""The batch of a device that its maker endorsed by itself."""


@dataclass(frozen=True)
class DeviceEnrolled:
    device: str
    maker: str
    owner: str
    model: int
    batch: bytes


@dataclass(frozen=True)
class DIDOwnerChanged:
    identity: str
    owner: str
    previous_change: int


@dataclass(frozen=True)
class DIDAttributeChanged:
    identity: str
    name: bytes
    value: bytes
    valid_to: int
    previous_change: int


@dataclass(frozen=True)
class DeviceStatusChanged:
    device: str
    status: DeviceStatus
    by: str


@dataclass(frozen=True)
class BatchRegistered:
    root: bytes
    maker: str
    model: int
    size: int


@dataclass(frozen=True)
class BatchClosed:
    root: bytes
    by: str


@dataclass(frozen=True)
class DeviceCompromised:
    device: str
    since_block: int
    by: str


@dataclass(frozen=True)
class RotationProposed:
    device: str
    key_kind: KeyKind
    x: bytes
    y: bytes
    ready_at: int


@dataclass(frozen=True)
class RotationVetoed:
    device: str
    key: str


@dataclass(frozen=True)
class TransferOffered:
    device: str
    to: str
    until: int


DeviceOutcome = (
    DeviceEnrolled
    | DIDOwnerChanged
    | DIDAttributeChanged
    | DeviceStatusChanged
    | BatchRegistered
    | BatchClosed
    | DeviceCompromised
    | RotationProposed
    | RotationVetoed
    | TransferOffered
)


def told(device: str, key: DevicePublicKey, valid_to: int, previous_change: int) -> DIDAttributeChanged:
    """What ERC-1056's tools hear of a key."""
    return DIDAttributeChanged(device, key.attribute, key.compressed, valid_to, previous_change)
