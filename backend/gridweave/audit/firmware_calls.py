"""What transactions ask of the FirmwareRegistry, one class a call; `firmware_inputs` reads them.

Of a call seen from outside no `quorum` is known (None), no deadline (FOREVER) and no device's signature (None).
"""

from __future__ import annotations

from dataclasses import dataclass

from gridweave.audit.signed import SignedAct
from gridweave.domain.firmware.keys import KeySet
from gridweave.domain.firmware.messages import InstallReceipt, Release, ReleaseRevocation, RolloutStart

__all__ = [
    "BeginningRollout",
    "ChangingKeys",
    "FirmwareCall",
    "OpeningModel",
    "PausingRollout",
    "RaisingShare",
    "ReleasingFirmware",
    "ResumingRollout",
    "RevokingRelease",
    "SeenQuorum",
    "SeenReceipt",
    "SteppingRollout",
    "TellingReceipts",
]


@dataclass(frozen=True)
class SeenQuorum:
    """The key set that was brought, and signatures by signer in the order in which they were."""

    keys: KeySet
    approvals: tuple[tuple[str, bytes], ...]


@dataclass(frozen=True)
class OpeningModel:
    model: int
    keys: KeySet
    quorum: SeenQuorum | None
    maker: SignedAct


@dataclass(frozen=True)
class ChangingKeys:
    model: int
    following: KeySet
    deadline: int
    quorum: SeenQuorum | None


@dataclass(frozen=True)
class ReleasingFirmware:
    release: Release
    quorum: SeenQuorum | None

    @property
    def model(self) -> int:
        return self.release.model


@dataclass(frozen=True)
class BeginningRollout:
    release: Release
    start: RolloutStart
    quorum: SeenQuorum | None

    @property
    def model(self) -> int:
        return self.release.model


@dataclass(frozen=True)
class RaisingShare:
    model: int
    counter: int
    share_bp: int
    deadline: int
    quorum: SeenQuorum | None


@dataclass(frozen=True)
class PausingRollout:
    """`by` is whose key it was, if that is all that was seen."""

    model: int
    counter: int
    deadline: int
    quorum: SeenQuorum | None
    by: str = ""


@dataclass(frozen=True)
class ResumingRollout:
    model: int
    counter: int
    deadline: int
    quorum: SeenQuorum | None


@dataclass(frozen=True)
class SteppingRollout:
    """Seen from outside: it began, was raised or resumed, which follows from how it stood."""

    model: int
    counter: int
    share_bp: int


@dataclass(frozen=True)
class RevokingRelease:
    said: ReleaseRevocation
    quorum: SeenQuorum | None

    @property
    def model(self) -> int:
        return self.said.model


@dataclass(frozen=True)
class SeenReceipt:
    receipt: InstallReceipt
    signature: bytes | None


@dataclass(frozen=True)
class TellingReceipts:
    """`in_batch`: what is refused leaves the others standing."""

    items: tuple[SeenReceipt, ...]
    in_batch: bool


FirmwareCall = (
    OpeningModel
    | ChangingKeys
    | ReleasingFirmware
    | BeginningRollout
    | RaisingShare
    | PausingRollout
    | ResumingRollout
    | SteppingRollout
    | RevokingRelease
    | TellingReceipts
)
