"""What a call on the FirmwareRegistry leaves behind: each class and its fields are named as the event that says it."""

# ruff: noqa: D101 (one class per event of the interface, which is the manual)

from __future__ import annotations

from dataclasses import dataclass

from gridweave.domain.firmware.messages import Release
from gridweave.domain.firmware.rollout import RolloutState

__all__ = [
    "FirmwareOutcome",
    "FirmwareReleased",
    "FloorRaised",
    "InstallTold",
    "ModelOpened",
    "ReceiptRefused",
    "ReleaseKeysChanged",
    "ReleaseRevoked",
    "RolloutPaused",
    "RolloutStepped",
]


@dataclass(frozen=True)
class ModelOpened:
    model: int
    maker: str
    threshold: int
    keys: tuple[str, ...]


@dataclass(frozen=True)
class ReleaseKeysChanged:
    model: int
    version: int
    threshold: int
    keys: tuple[str, ...]


@dataclass(frozen=True)
class FirmwareReleased:
    model: int
    counter: int
    commitment: bytes
    release: Release


@dataclass(frozen=True)
class RolloutStepped:
    model: int
    counter: int
    state: RolloutState
    share_bp: int
    step: int


@dataclass(frozen=True)
class RolloutPaused:
    """`by` the zero address: its own failures, `failures` of `told`."""

    model: int
    counter: int
    by: str
    told: int
    failures: int
    step: int


@dataclass(frozen=True)
class ReleaseRevoked:
    model: int
    counter: int
    since_block: int


@dataclass(frozen=True)
class FloorRaised:
    model: int
    floor: int


@dataclass(frozen=True)
class InstallTold:
    device: str
    model: int
    counter: int
    failure_code: int
    time: int


@dataclass(frozen=True)
class ReceiptRefused:
    """`reason` is the selector of the error."""

    device: str
    model: int
    counter: int
    reason: bytes


FirmwareOutcome = (
    ModelOpened
    | ReleaseKeysChanged
    | FirmwareReleased
    | RolloutStepped
    | RolloutPaused
    | ReleaseRevoked
    | FloorRaised
    | InstallTold
    | ReceiptRefused
)
