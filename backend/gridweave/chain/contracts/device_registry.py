"""Identity of every device, for its life."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from gridweave.chain.contracts.acts import Act
from gridweave.chain.contracts.base import Contract
from gridweave.chain.types import Call
from gridweave.domain.acts import DeviceStatus, Endorsement, KeyKind
from gridweave.domain.addresses import ZERO_ADDRESS, checksum_address
from gridweave.domain.device_acts import Claim
from gridweave.domain.device_keys import DevicePublicKey

__all__ = ["Device", "DeviceCheck", "DeviceRegistry", "MakersBatch", "Proposal"]


@dataclass(frozen=True)
class Device:
    """A device as registered. Times are the chain's; `compromised_since` is a block, 0 while its key is trusted.

    `key` names the current key; `kept` is that key if the contract keeps it.
    """

    device: str
    owner: str
    maker: str
    model: int
    status: DeviceStatus
    key_kind: KeyKind
    key_version: int
    nonce: int
    enrolled_at: int
    status_since: int
    compromised_since: int
    key: str
    kept: DevicePublicKey | None


@dataclass(frozen=True)
class MakersBatch:
    """A batch whose devices claim themselves."""

    maker: str
    model: int
    is_closed: bool


@dataclass(frozen=True)
class Proposal:
    """The key, by its name, that takes a device over from `ready_at` on."""

    key: str
    key_kind: KeyKind
    ready_at: int


@dataclass(frozen=True)
class DeviceCheck:
    """Is `signature` (64 bytes) the device's over `digest`, the device having been in good standing at `as_of`?"""

    device: str
    as_of: int
    digest: bytes
    signature: bytes


class DeviceRegistry(Contract):
    """Enrolment, keys, standing, transfer, and the one door to device signatures. Anyone may send a signed call."""

    NAME: ClassVar[str] = "DeviceRegistry"

    async def device_of(self, device: str, block: int | None = None) -> Device | None:
        """The device, None if it was never enrolled."""
        found = await self._result("deviceOf", device, block=block)
        owner, maker, model, status, kind, version, nonce, enrolled, since, doubt, key, kept = found
        if status == DeviceStatus.UNKNOWN:
            return None
        return Device(
            device=checksum_address(device),
            owner=checksum_address(owner),
            maker=checksum_address(maker),
            model=model,
            status=DeviceStatus(status),
            key_kind=KeyKind(kind),
            key_version=version,
            nonce=nonce,
            enrolled_at=enrolled,
            status_since=since,
            compromised_since=doubt,
            key=checksum_address(key),
            kept=DevicePublicKey(KeyKind(kind), *kept) if any(kept[0]) else None,
        )

    async def is_authentic(self, device: str, digest: bytes, signature: bytes, block: int | None = None) -> bool:
        """Of 64 bytes, or of 128 with x and y of the key behind them."""
        return bool(await self._result("isAuthentic", device, digest, signature, block=block))

    async def are_authentic(self, checks: Sequence[DeviceCheck], block: int | None = None) -> list[bytes]:
        """Per check four zero bytes, or the selector of what is wrong."""
        items = [(c.device, c.as_of, c.digest, c.signature[:32], c.signature[32:]) for c in checks]
        return list(await self._result("areAuthentic", items, block=block))

    async def is_trusted_at(self, device: str, block_number: int, block: int | None = None) -> bool:
        """Whether no notice of compromise covers what was taken as the device's word in that block."""
        return bool(await self._result("isTrustedAt", device, block_number, block=block))

    async def batch_of(self, root: bytes, block: int | None = None) -> MakersBatch | None:
        """The batch of that root, None if nobody registered it."""
        maker, model, is_closed = await self._results("batchOf", root, block=block)
        known = checksum_address(maker) != ZERO_ADDRESS
        return MakersBatch(checksum_address(maker), model, is_closed) if known else None

    async def proposal_of(self, device: str, block: int | None = None) -> Proposal | None:
        """The key that could still take over, None if there is none."""
        key, kind, ready_at = await self._results("proposalOf", device, block=block)
        known = checksum_address(key) != ZERO_ADDRESS
        return Proposal(checksum_address(key), KeyKind(kind), ready_at) if known else None

    async def is_nonce_used(self, signer: str, nonce: int, block: int | None = None) -> bool:
        return bool(await self._result("isNonceUsed", signer, nonce, block=block))

    def enrol(self, endorsement: Endorsement, maker_signature: bytes, possession: bytes) -> Call:
        """The maker's signature over `endorsement`, the device's 64 bytes over Possession."""
        maker = Act.of(endorsement, endorsement.maker, maker_signature)
        enrolment = (
            endorsement.device,
            endorsement.owner,
            endorsement.model,
            endorsement.key_kind,
            endorsement.x,
            endorsement.y,
        )
        return self.call("enrol", enrolment, maker.abi(), _halves(possession))

    def register_batch(self, root: bytes, model: int, size: int, act: Act) -> Call:
        """`act` is a maker's over BatchRegistration."""
        return self.call("registerBatch", root, model, size, act.abi())

    def close_batch(self, root: bytes, act: Act) -> Call:
        """`act` is its maker's or an operator's over BatchClosing."""
        return self.call("closeBatch", root, act.abi())

    def claim(self, claim: Claim, key: DevicePublicKey, proof: Sequence[bytes], signature: bytes) -> Call:
        """The device's 64 bytes over `claim`; `proof` from its leaf to the batch's root."""
        claimed = (claim.batch, claim.owner, key.kind, (key.x, key.y), claim.deadline)
        return self.call("claim", claimed, list(proof), _halves(signature))

    def rotate(
        self, device: str, present: DevicePublicKey, following: DevicePublicKey, deadline: int, signature: bytes
    ) -> Call:
        """64 bytes over KeyRotation by the present key."""
        return self.call("rotate", _rotation(device, present, following, deadline), _halves(signature))

    def propose_rotation(self, device: str, following: DevicePublicKey, act: Act) -> Call:
        """`act` is the owner's over KeyProposal."""
        return self.call("proposeRotation", device, following.kind, (following.x, following.y), act.abi())

    def veto_rotation(self, device: str, present: DevicePublicKey, deadline: int, signature: bytes) -> Call:
        """64 bytes over RotationVeto by the present key."""
        return self.call("vetoRotation", device, (present.x, present.y), deadline, _halves(signature))

    def complete_rotation(
        self, device: str, present: DevicePublicKey, following: DevicePublicKey, deadline: int, signature: bytes
    ) -> Call:
        """64 bytes over KeyAdoption by the proposed key."""
        return self.call("completeRotation", _rotation(device, present, following, deadline), _halves(signature))

    def keep_key(self, device: str, present: DevicePublicKey) -> Call:
        """Keeps a P-256 key on chain, as a meter's must be."""
        return self.call("keepKey", device, (present.x, present.y))

    def set_status(self, device: str, status: DeviceStatus, act: Act) -> Call:
        """`act` is the owner's or an operator's over StatusChange."""
        return self.call("setStatus", device, status, act.abi())

    def note_compromise(self, device: str, since_block: int, present: DevicePublicKey, act: Act) -> Call:
        """`act` is the owner's or an operator's over CompromiseNotice."""
        return self.call("noteCompromise", device, since_block, (present.x, present.y), act.abi())

    def offer_transfer(self, device: str, to: str, until: int, act: Act) -> Call:
        """`act` is the owner's over TransferOffer."""
        return self.call("offerTransfer", device, to, until, act.abi())

    def accept_transfer(self, device: str, present: DevicePublicKey, act: Act, handover: bytes) -> Call:
        """`act` is the new owner's over TransferAcceptance, `handover` the device's 64 bytes over Handover."""
        return self.call("acceptTransfer", device, (present.x, present.y), act.abi(), _halves(handover))


def _rotation(device: str, present: DevicePublicKey, following: DevicePublicKey, deadline: int) -> tuple[object, ...]:
    return device, (present.x, present.y), following.kind, (following.x, following.y), deadline


def _halves(signature: bytes) -> tuple[bytes, bytes]:
    return signature[:32], signature[32:]
