"""What is signed about firmware: releases, steps of a rollout, changes of keys, receipts; all for the FirmwareRegistry.

Times are chain time in seconds unless a device's clock is named; shares and limits are of 10,000 (basis points); hashes
are 32 bytes, addresses hex. The registry keeps no nonces for these: a counter, a key set's version or a rollout's step
stands in for one.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from gridweave.domain.eip712 import TYPES, StructType, struct_hash

__all__ = [
    "InstallReceipt",
    "ModelOpening",
    "Release",
    "ReleaseKeyChange",
    "ReleaseRevocation",
    "RolloutPause",
    "RolloutRaise",
    "RolloutResume",
    "RolloutStart",
]


@dataclass(frozen=True)
class ModelOpening:
    """A maker, and its first release keys, open a model. `keys` ascend."""

    model: int
    maker: str
    threshold: int
    keys: tuple[str, ...]
    nonce: int
    deadline: int

    TYPE: ClassVar[StructType] = TYPES["ModelOpening"]


@dataclass(frozen=True)
class ReleaseKeyChange:
    """The present and the next release keys agree on the next ones, version `version`."""

    model: int
    version: int
    threshold: int
    keys: tuple[str, ...]
    deadline: int

    TYPE: ClassVar[StructType] = TYPES["ReleaseKeyChange"]


@dataclass(frozen=True)
class Release:
    """One version of a model's firmware. `image_size` is bytes; the hashes are SHA-256, `bom_hash` zeros for none.

    Once it is full, devices below `floor` are not to be trusted. More than `failure_limit_bp` failures of at least
    `least_receipts` receipts pause it. It may be released until `deadline`.
    """

    model: int
    counter: int
    floor: int
    image_size: int
    image_hash: bytes
    manifest_hash: bytes
    bom_hash: bytes
    source: str
    least_receipts: int
    failure_limit_bp: int
    deadline: int

    TYPE: ClassVar[StructType] = TYPES["FirmwareRelease"]

    @property
    def commitment(self) -> bytes:
        """What the registry stores of it: the EIP-712 struct hash, 32 bytes. Raises FieldOutOfRange."""
        return struct_hash(self)


@dataclass(frozen=True)
class RolloutStart:
    """The threshold lets a release begin with that share of the model's devices."""

    model: int
    counter: int
    share_bp: int
    deadline: int

    TYPE: ClassVar[StructType] = TYPES["RolloutStart"]


@dataclass(frozen=True)
class RolloutRaise:
    """The threshold raises a release's share. `step` is how often the rollout has been raised, paused or resumed."""

    model: int
    counter: int
    share_bp: int
    step: int
    deadline: int

    TYPE: ClassVar[StructType] = TYPES["RolloutRaise"]


@dataclass(frozen=True)
class RolloutPause:
    """One key pauses a release at that step."""

    model: int
    counter: int
    step: int
    deadline: int

    TYPE: ClassVar[StructType] = TYPES["RolloutPause"]


@dataclass(frozen=True)
class RolloutResume:
    """The threshold lets a paused release go on at that step."""

    model: int
    counter: int
    step: int
    deadline: int

    TYPE: ClassVar[StructType] = TYPES["RolloutResume"]


@dataclass(frozen=True)
class ReleaseRevocation:
    """The threshold revokes a release: what its devices recorded from that block on is not to be relied upon."""

    model: int
    counter: int
    since_block: int
    deadline: int

    TYPE: ClassVar[StructType] = TYPES["ReleaseRevocation"]


@dataclass(frozen=True)
class InstallReceipt:
    """A device says what came of a release: `failure_code` 0 if it runs. `time` is the device's own clock."""

    device: str
    model: int
    counter: int
    failure_code: int
    time: int

    TYPE: ClassVar[StructType] = TYPES["InstallReceipt"]
