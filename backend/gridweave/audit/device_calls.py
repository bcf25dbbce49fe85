"""What transactions ask of the DeviceRegistry, one class a call; `device_inputs` reads them.

A key that was brought as the present one is known by its name, `present`; None: a call seen from outside, which shows
none. Of such a call no `signature` is known either (None), and no `deadline`.
"""

from __future__ import annotations

from dataclasses import dataclass

from gridweave.audit.signed import SignedAct
from gridweave.domain.acts import DeviceStatus, Endorsement, KeyKind
from gridweave.domain.device_keys import DevicePublicKey

__all__ = [
    "AcceptingTransfer",
    "ClaimingDevice",
    "ClosingBatch",
    "CompletingRotation",
    "DeviceCall",
    "Enrolling",
    "KeepingKey",
    "NotingCompromise",
    "OfferingTransfer",
    "ProposingRotation",
    "RegisteringBatch",
    "ReplacingKey",
    "Revoking",
    "Rotating",
    "SettingStatus",
    "VetoingRotation",
]


@dataclass(frozen=True)
class Enrolling:
    device: str
    owner: str
    model: int
    key_kind: KeyKind
    x: bytes
    y: bytes
    maker: SignedAct
    signature: bytes | None

    @property
    def endorsement(self) -> Endorsement:
        """What the maker has to have signed."""
        maker = self.maker
        key = self.key_kind, self.x, self.y
        return Endorsement(self.device, maker.signer, self.owner, self.model, *key, maker.nonce, maker.deadline)


@dataclass(frozen=True)
class RegisteringBatch:
    root: bytes
    model: int
    size: int
    maker: SignedAct


@dataclass(frozen=True)
class ClosingBatch:
    root: bytes
    act: SignedAct


@dataclass(frozen=True)
class ClaimingDevice:
    """`proof` None: the contract alone saw it."""

    batch: bytes
    owner: str
    key: DevicePublicKey
    deadline: int | None
    proof: tuple[bytes, ...] | None
    signature: bytes | None


@dataclass(frozen=True)
class Rotating:
    device: str
    present: str
    following: DevicePublicKey
    deadline: int
    signature: bytes


@dataclass(frozen=True)
class ProposingRotation:
    device: str
    following: DevicePublicKey
    owner: SignedAct


@dataclass(frozen=True)
class VetoingRotation:
    device: str
    present: str | None
    deadline: int | None
    signature: bytes | None


@dataclass(frozen=True)
class CompletingRotation:
    device: str
    present: str
    following: DevicePublicKey
    deadline: int
    signature: bytes


@dataclass(frozen=True)
class ReplacingKey:
    """Another key seen from outside: by the device itself, or as its owner had proposed."""

    device: str
    present: str
    following: DevicePublicKey


@dataclass(frozen=True)
class KeepingKey:
    device: str
    present: str


@dataclass(frozen=True)
class SettingStatus:
    device: str
    status: DeviceStatus
    act: SignedAct


@dataclass(frozen=True)
class Revoking:
    """By the sender of the transaction."""

    device: str


@dataclass(frozen=True)
class NotingCompromise:
    device: str
    since_block: int
    present: str | None
    act: SignedAct


@dataclass(frozen=True)
class OfferingTransfer:
    device: str
    to: str
    until: int
    owner: SignedAct


@dataclass(frozen=True)
class AcceptingTransfer:
    device: str
    present: str | None
    owner: SignedAct
    signature: bytes | None


DeviceCall = (
    Enrolling
    | RegisteringBatch
    | ClosingBatch
    | ClaimingDevice
    | Rotating
    | ProposingRotation
    | VetoingRotation
    | CompletingRotation
    | ReplacingKey
    | KeepingKey
    | SettingStatus
    | Revoking
    | NotingCompromise
    | OfferingTransfer
    | AcceptingTransfer
)
