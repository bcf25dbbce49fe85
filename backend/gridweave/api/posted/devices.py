"""What is posted about devices: by their makers, owners and operators (`act`), or by themselves (`signature`)."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from gridweave.api.fields import Address, Body, Compact, Hex32, Uint32, Uint40, Uint256
from gridweave.api.posted.base import ActIn
from gridweave.domain.acts import DeviceStatus, Endorsement, KeyKind, StatusChange
from gridweave.domain.device_acts import (
    BatchClosing,
    BatchRegistration,
    CompromiseNotice,
    KeyAdoption,
    KeyProposal,
    KeyRotation,
    RotationVeto,
    TransferAcceptance,
    TransferOffer,
)
from gridweave.domain.device_keys import DevicePublicKey
from gridweave.domain.errors import SignatureMalformed
from gridweave.domain.signatures import to_compact

__all__ = [
    "BatchClosingIn",
    "BatchIn",
    "ClaimIn",
    "CompromiseIn",
    "EnrolmentIn",
    "KeyProposalIn",
    "KeyVetoIn",
    "KeyWordIn",
    "OfferIn",
    "StatusIn",
    "TransferIn",
]

MOST_SIBLINGS = 32
"""Of a device in a batch: four thousand million devices."""


class _KeyIn(Body):
    """A public key."""

    key_kind: Literal["secp256k1", "p256"]
    x: Hex32
    y: Hex32

    def key(self) -> DevicePublicKey:
        return DevicePublicKey(KeyKind[self.key_kind.upper()], self.x, self.y)


def device_word(signature: bytes, kind: KeyKind | None = None) -> bytes:
    """A device's signature in 64 bytes. Raises SignatureMalformed for 65 of a P-256 key."""
    if len(signature) == 65 and kind is KeyKind.P256:
        raise SignatureMalformed("64 bytes: r, then s")
    return to_compact(signature) if len(signature) == 65 else signature


class EnrolmentIn(_KeyIn):
    """A device's enrolment, endorsed by its maker; `possession` is the device's own signature."""

    device: Address
    owner: Address
    model: Uint32 = 0
    maker: ActIn
    possession: Compact

    def endorsement(self) -> Endorsement:
        key, maker = self.key(), self.maker
        return Endorsement(
            self.device, maker.signer, self.owner, self.model, key.kind, key.x, key.y, maker.nonce, maker.deadline
        )


class BatchIn(Body):
    """A maker's batch: the root of the tree of its devices."""

    root: Hex32
    model: Uint32
    size: Uint32
    maker: ActIn

    def registration(self) -> BatchRegistration:
        return BatchRegistration(self.root, self.model, self.size, self.maker.nonce, self.maker.deadline)


class BatchClosingIn(Body):
    """The end of a batch, by its maker or an operator."""

    act: ActIn

    def closing(self, root: bytes) -> BatchClosing:
        return BatchClosing(root, self.act.nonce, self.act.deadline)


class ClaimIn(_KeyIn):
    """A device of a batch names its first owner."""

    batch: Hex32
    owner: Address
    deadline: Uint256
    proof: Annotated[list[Hex32], Field(max_length=MOST_SIBLINGS)]
    signature: Compact


class KeyWordIn(_KeyIn):
    """A device's next key, signed with its present one (rotation), or with the next one where that was proposed."""

    nonce: Uint256
    deadline: Uint256
    signature: Compact

    def rotation(self, device: str) -> KeyRotation:
        key = self.key()
        return KeyRotation(device, key.kind, key.x, key.y, self.nonce, self.deadline)

    def adoption(self, device: str) -> KeyAdoption:
        key = self.key()
        return KeyAdoption(device, key.kind, key.x, key.y, self.nonce, self.deadline)


class KeyProposalIn(_KeyIn):
    """An owner's proposal of a key."""

    act: ActIn

    def proposal(self, device: str) -> KeyProposal:
        key = self.key()
        return KeyProposal(device, key.kind, key.x, key.y, self.act.nonce, self.act.deadline)


class KeyVetoIn(Body):
    """A device refuses the proposed key of that name."""

    key: Address
    nonce: Uint256
    deadline: Uint256
    signature: Compact

    def veto(self, device: str) -> RotationVeto:
        return RotationVeto(device, self.key, self.nonce, self.deadline)


class StatusIn(Body):
    """A device's new status, signed by its owner or an operator."""

    status: Literal["active", "suspended", "revoked"]
    act: ActIn

    def change(self, device: str) -> StatusChange:
        return StatusChange(device, DeviceStatus[self.status.upper()], self.act.nonce, self.act.deadline)


class CompromiseIn(Body):
    """From which block on a device's key is in doubt, signed by its owner or an operator."""

    since_block: Uint32
    act: ActIn

    def notice(self, device: str) -> CompromiseNotice:
        return CompromiseNotice(device, self.since_block, self.act.nonce, self.act.deadline)


class OfferIn(Body):
    """To whom a device is offered and until when (chain time); the zero address takes the offer back."""

    to: Address
    until: Uint40
    act: ActIn

    def offer(self, device: str) -> TransferOffer:
        return TransferOffer(device, self.to, self.until, self.act.nonce, self.act.deadline)


class TransferIn(Body):
    """The next owner's acceptance from the present `owner`, and the device's own word."""

    owner: Address
    act: ActIn
    handover: Compact

    def acceptance(self, device: str) -> TransferAcceptance:
        return TransferAcceptance(device, self.owner, self.act.nonce, self.act.deadline)
