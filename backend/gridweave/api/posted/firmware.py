"""What is posted about firmware: acts of release keys with who approves them, and devices' receipts."""

from __future__ import annotations

from typing import Annotated

from pydantic import AfterValidator, FailFast, Field

from gridweave.api.fields import (
    Address,
    Body,
    Compact,
    Hex32,
    Signature,
    Uint8,
    Uint16,
    Uint32,
    Uint40,
    Uint64,
    Uint256,
)
from gridweave.api.posted.base import ActIn, Many
from gridweave.chain.contracts import SignedReceipt
from gridweave.domain.firmware.keys import MAX_KEYS
from gridweave.domain.firmware.messages import (
    InstallReceipt,
    ModelOpening,
    Release,
    ReleaseKeyChange,
    ReleaseRevocation,
    RolloutPause,
    RolloutRaise,
    RolloutResume,
    RolloutStart,
)

__all__ = [
    "KeyChangeIn",
    "OpeningIn",
    "PauseIn",
    "RaiseIn",
    "ReceiptsIn",
    "ReleaseIn",
    "ResumeIn",
    "RevocationIn",
    "StartIn",
]

_MOST_SOURCE = 2_048


class ApprovalIn(Body):
    """A release key's signature over the act: 65 bytes, or a wallet's."""

    signer: Address
    signature: Signature


def _each_once(approvals: list[ApprovalIn]) -> list[ApprovalIn]:
    if len({approval.signer for approval in approvals}) < len(approvals):
        raise ValueError("name each signer once")
    return approvals


SomeApprovals = Annotated[list[ApprovalIn], Field(max_length=2 * MAX_KEYS), AfterValidator(_each_once)]
Keys = Annotated[list[Address], Field(min_length=1, max_length=MAX_KEYS)]


class _Approved(Body):
    """An act, until when it may be executed (chain time), and who approves it: one key at least."""

    deadline: Uint256
    approvals: Annotated[SomeApprovals, Field(min_length=1)]

    def signatures(self) -> dict[str, bytes]:
        return {approval.signer: approval.signature for approval in self.approvals}


class OpeningIn(Body):
    """A maker opens a model and names its first release keys, of which the threshold must approve."""

    model: Uint32
    threshold: Uint8
    keys: Keys
    maker: ActIn
    approvals: SomeApprovals

    def act(self) -> ModelOpening:
        maker = self.maker
        return ModelOpening(self.model, maker.signer, self.threshold, tuple(self.keys), maker.nonce, maker.deadline)

    def signatures(self) -> dict[str, bytes]:
        return {approval.signer: approval.signature for approval in self.approvals}


class KeyChangeIn(_Approved):
    """The next release keys, which the present and the next threshold approve."""

    version: Uint32
    threshold: Uint8
    keys: Keys

    def act(self, model: int) -> ReleaseKeyChange:
        return ReleaseKeyChange(model, self.version, self.threshold, tuple(self.keys), self.deadline)


class ReleaseIn(_Approved):
    """A release: image, manifest and bill of materials by their SHA-256, and when its failures stop it."""

    counter: Uint32
    floor: Uint32
    image_size: Uint64
    image_hash: Hex32
    manifest_hash: Hex32
    bom_hash: Hex32
    source: Annotated[str, Field(max_length=_MOST_SOURCE)]
    least_receipts: Uint32
    failure_limit_bp: Uint16

    def act(self, model: int) -> Release:
        return Release(
            model,
            self.counter,
            self.floor,
            self.image_size,
            self.image_hash,
            self.manifest_hash,
            self.bom_hash,
            self.source,
            self.least_receipts,
            self.failure_limit_bp,
            self.deadline,
        )


class StartIn(_Approved):
    """A rollout begins with a share of the devices, basis points."""

    share_bp: Uint16

    def act(self, model: int, counter: int) -> RolloutStart:
        return RolloutStart(model, counter, self.share_bp, self.deadline)


class RaiseIn(_Approved):
    """A higher share, at the rollout's present step."""

    share_bp: Uint16
    step: Uint16

    def act(self, model: int, counter: int) -> RolloutRaise:
        return RolloutRaise(model, counter, self.share_bp, self.step, self.deadline)


class PauseIn(_Approved):
    """A stop at the rollout's present step; any one key's word is enough."""

    step: Uint16

    def act(self, model: int, counter: int) -> RolloutPause:
        return RolloutPause(model, counter, self.step, self.deadline)


class ResumeIn(_Approved):
    """A paused rollout goes on."""

    step: Uint16

    def act(self, model: int, counter: int) -> RolloutResume:
        return RolloutResume(model, counter, self.step, self.deadline)


class RevocationIn(_Approved):
    """A release is revoked: what devices recorded under it from that block on is not to be relied upon."""

    since_block: Uint32

    def act(self, model: int, counter: int) -> ReleaseRevocation:
        return ReleaseRevocation(model, counter, self.since_block, self.deadline)


class ReceiptIn(Body):
    """What came of a release on a device, by its own word: code 0 if it runs, `time` by the device's clock."""

    device: Address
    model: Uint32
    counter: Uint32
    failure_code: Uint16
    time: Uint40
    signature: Compact

    def signed(self) -> SignedReceipt:
        said = InstallReceipt(self.device, self.model, self.counter, self.failure_code, self.time)
        return SignedReceipt(said, self.signature)


class ReceiptsIn(Many):
    """Receipts of one request. One alone may be sent without the list around it."""

    receipts: Annotated[list[ReceiptIn], FailFast(), Field(min_length=1)]
