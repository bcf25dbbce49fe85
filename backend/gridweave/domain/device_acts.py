"""Signed acts in the life of a device, between its maker's batch and its next owner (DeviceRegistry).

Where the device's own key signs, `nonce` is the device's, which counts such acts; else the signer's, as in `acts`.
Addresses are hex strings, roots and key coordinates 32 bytes, `deadline` and `until` chain time in seconds.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from gridweave.domain.acts import KeyKind
from gridweave.domain.eip712 import TYPES, StructType

__all__ = [
    "BatchClosing",
    "BatchRegistration",
    "Claim",
    "CompromiseNotice",
    "DeviceSession",
    "Handover",
    "KeyAdoption",
    "KeyProposal",
    "KeyRotation",
    "RotationVeto",
    "TransferAcceptance",
    "TransferOffer",
]


@dataclass(frozen=True)
class BatchRegistration:
    """A maker lets each of `size` devices of a model under `root` claim itself."""

    root: bytes
    model: int
    size: int
    nonce: int
    deadline: int

    TYPE: ClassVar[StructType] = TYPES["BatchRegistration"]


@dataclass(frozen=True)
class BatchClosing:
    """A maker or an operator ends that."""

    root: bytes
    nonce: int
    deadline: int

    TYPE: ClassVar[StructType] = TYPES["BatchClosing"]


@dataclass(frozen=True)
class Claim:
    """A device of a batch comes into being and names its first owner."""

    device: str
    batch: bytes
    owner: str
    deadline: int

    TYPE: ClassVar[StructType] = TYPES["Claim"]


@dataclass(frozen=True)
class _KeyChange:
    device: str
    key_kind: KeyKind
    x: bytes
    y: bytes
    nonce: int
    deadline: int


@dataclass(frozen=True)
class KeyRotation(_KeyChange):
    """A device gives itself another key; signed with the present one."""

    TYPE: ClassVar[StructType] = TYPES["KeyRotation"]


@dataclass(frozen=True)
class KeyProposal(_KeyChange):
    """An owner proposes a key for a device that lost its own."""

    TYPE: ClassVar[StructType] = TYPES["KeyProposal"]


@dataclass(frozen=True)
class KeyAdoption(_KeyChange):
    """The proposed key takes over; signed with it."""

    TYPE: ClassVar[StructType] = TYPES["KeyAdoption"]


@dataclass(frozen=True)
class RotationVeto:
    """A device refuses the key named `key` that its owner proposed."""

    device: str
    key: str
    nonce: int
    deadline: int

    TYPE: ClassVar[StructType] = TYPES["RotationVeto"]


@dataclass(frozen=True)
class DeviceSession:
    """A device answers a service's challenge; no contract takes this. `service` is the relayer's address."""

    device: str
    service: str
    challenge: bytes
    expires_at: int

    TYPE: ClassVar[StructType] = TYPES["DeviceSession"]


@dataclass(frozen=True)
class CompromiseNotice:
    """An owner or operator says that the device's key is in doubt from a block on."""

    device: str
    since_block: int
    nonce: int
    deadline: int

    TYPE: ClassVar[StructType] = TYPES["CompromiseNotice"]


@dataclass(frozen=True)
class TransferOffer:
    """An owner offers its device to another until a time; to nobody (zero): takes the offer back."""

    device: str
    to: str
    until: int
    nonce: int
    deadline: int

    TYPE: ClassVar[StructType] = TYPES["TransferOffer"]


@dataclass(frozen=True)
class TransferAcceptance:
    """The next owner takes the device over from its present `owner`."""

    device: str
    owner: str
    nonce: int
    deadline: int

    TYPE: ClassVar[StructType] = TYPES["TransferAcceptance"]


@dataclass(frozen=True)
class Handover:
    """The device agrees to pass from its `owner` to the next."""

    device: str
    owner: str
    to: str
    nonce: int
    deadline: int

    TYPE: ClassVar[StructType] = TYPES["Handover"]
