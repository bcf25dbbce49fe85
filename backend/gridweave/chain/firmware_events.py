"""Events of the FirmwareRegistry, as typed records."""

from __future__ import annotations

from dataclasses import dataclass

from gridweave.chain.event import Event
from gridweave.domain.firmware.messages import Release

__all__ = [
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


@dataclass(frozen=True, slots=True)
class ModelOpened(Event):
    """A maker's model with its first release keys, version 1."""

    model: int
    maker: str
    threshold: int
    keys: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class ReleaseKeysChanged(Event):
    """The model's key set from now on."""

    model: int
    version: int
    threshold: int
    keys: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class FirmwareReleased(Event):
    """All of a release; the chain's state keeps `commitment` alone."""

    model: int
    counter: int
    commitment: bytes
    release: Release


@dataclass(frozen=True, slots=True)
class RolloutStepped(Event):
    """It has begun, was raised or resumed."""

    model: int
    counter: int
    state: int
    share_bp: int
    step: int


@dataclass(frozen=True, slots=True)
class RolloutPaused(Event):
    """`by` a key, or by its own failures (the zero address)."""

    model: int
    counter: int
    by: str
    told: int
    failures: int
    step: int


@dataclass(frozen=True, slots=True)
class ReleaseRevoked(Event):
    """What its devices recorded from that block on is not to be relied upon."""

    model: int
    counter: int
    since_block: int


@dataclass(frozen=True, slots=True)
class FloorRaised(Event):
    """Devices below it are not to be trusted from this block on."""

    model: int
    floor: int


@dataclass(frozen=True, slots=True)
class InstallTold(Event):
    """A device's receipt; `time` by its own clock."""

    device: str
    model: int
    counter: int
    failure_code: int
    time: int


@dataclass(frozen=True, slots=True)
class ReceiptRefused(Event):
    """A receipt of a batch and the selector of what it was refused for."""

    device: str
    model: int
    counter: int
    reason: bytes
