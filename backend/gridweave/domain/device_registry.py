"""The life of devices as a pure state machine: who may do what with which key, and what the chain says of it.

The same calls at the same moments give the same devices, events and refusals as DeviceRegistry: it checks in the same
order. A call that raises has changed nothing. Signatures are judged by a `Witness`, who is told what had to be signed.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Protocol

from gridweave.domain.acts import DeviceStatus, Endorsement, KeyKind, Possession, StatusChange
from gridweave.domain.addresses import ZERO_ADDRESS
from gridweave.domain.device_acts import (
    BatchClosing,
    BatchRegistration,
    Claim,
    CompromiseNotice,
    Handover,
    KeyAdoption,
    KeyProposal,
    KeyRotation,
    RotationVeto,
    TransferAcceptance,
    TransferOffer,
)
from gridweave.domain.device_errors import (
    ActExpired,
    BatchAlreadyRegistered,
    BatchIsClosed,
    BlockOutOfRange,
    DeviceAlreadyEnrolled,
    DeviceSpent,
    DoubtNotEarlier,
    KeyCompromised,
    KeyNotOnCurve,
    KeyUnchanged,
    NoRotationProposed,
    NotAMaker,
    NotInBatch,
    OtherKeyProposed,
    OwnerIsZero,
    RotationNotReady,
    SignerNotAllowed,
    StatusChangeRefused,
    TransferNotOffered,
    UnknownBatch,
    WrongDeviceId,
    WrongKey,
)
from gridweave.domain.device_keys import DevicePublicKey
from gridweave.domain.device_outcomes import (
    FOREVER,
    NO_BATCH,
    BatchClosed,
    BatchRegistered,
    DeviceCompromised,
    DeviceEnrolled,
    DeviceOutcome,
    DeviceStatusChanged,
    DIDOwnerChanged,
    RotationProposed,
    RotationVetoed,
    TransferOffered,
    told,
)
from gridweave.domain.devices import Device, MakersBatch, Moment, Offer, Origin, Proposal
from gridweave.domain.eip712 import Message
from gridweave.domain.errors import DeviceRevoked, DeviceSignatureInvalid, DeviceSuspended, UnknownDevice
from gridweave.domain.maker_tree import leaf_of, root_of
from gridweave.domain.outcomes import Reason

__all__ = ["ROTATION_DELAY", "DeviceBook", "Witness"]

ROTATION_DELAY = 7 * 86_400
"""Seconds that a device has to object to a key that its owner proposes."""

_ALLOWED = {
    DeviceStatus.ACTIVE: (DeviceStatus.SUSPENDED, DeviceStatus.REVOKED),
    DeviceStatus.SUSPENDED: (DeviceStatus.ACTIVE, DeviceStatus.REVOKED),
}
_FAULTS: dict[DeviceStatus, Reason] = {
    DeviceStatus.UNKNOWN: UnknownDevice,
    DeviceStatus.SUSPENDED: DeviceSuspended,
    DeviceStatus.REVOKED: DeviceRevoked,
}
_CURVES = {
    KeyKind.SECP256K1: (2**256 - 2**32 - 977, 0, 7),
    KeyKind.P256: (
        2**256 - 2**224 + 2**192 + 2**96 - 1,
        -3,
        0x5AC635D8_AA3A93E7_B3EBBD55_769886BC_651D06B0_CC53B0F6_3BCE3C3E_27D2604B,
    ),
}
"""p, a and b of y^2 = x^3 + ax + b over the integers modulo p."""


class Witness(Protocol):
    """Who knows about one call's signatures. Asked where the contract looks at them."""

    def require_consent(self, signer: str, message: Message, /) -> None:
        """Raises ActExpired, NonceUsed or WrongSignature unless the signer signed the message, in time and once."""

    def may(self, signer: str) -> bool:
        """Whether the signer holds the role that the call takes."""

    def is_signed(self, key: DevicePublicKey, message: Message) -> bool:
        """Whether the message bears the key's signature."""


class DeviceBook:
    """Every device and batch of one DeviceRegistry.

    `name` is a device's id, `present` the name of the key that was brought as its present one, `following` the key that
    is to take over. Deadlines are chain time.
    """

    def __init__(self) -> None:
        self.devices: dict[str, Device] = {}
        self.batches: dict[bytes, MakersBatch] = {}
        self.origins: list[Origin] = []
        """The first has number 1."""
        self.origins_of_makers: dict[tuple[str, int], int] = {}
        """By maker and model: of devices that are endorsed one by one."""

    def origin_of(self, owned: Device | MakersBatch) -> Origin:
        """Maker and model."""
        return self.origins[owned.origin - 1]

    # enrolment

    def enrol(self, said: Endorsement, at: Moment, witness: Witness) -> list[DeviceOutcome]:
        """Raises WrongDeviceId, what the witness does, NotAMaker, DeviceAlreadyEnrolled, OwnerIsZero, KeyNotOnCurve,
        DeviceSignatureInvalid."""
        key = DevicePublicKey(said.key_kind, said.x, said.y)
        if said.device != key.name:
            raise WrongDeviceId(said.device, key.name)
        witness.require_consent(said.maker, said)
        if not witness.may(said.maker):
            raise NotAMaker(said.maker)
        self._require_new(key, said.owner)
        possession = Possession(said.device, said.maker, said.owner, said.deadline)
        _require_signed(key, said.device, possession, witness)

        pair = said.maker, said.model
        if pair not in self.origins_of_makers:
            self.origins_of_makers[pair] = self._add_origin(Origin(*pair))
        kept = key if key.kind is KeyKind.P256 else None
        return self._create(key, said.owner, self.origins_of_makers[pair], NO_BATCH, at, kept)

    def register_batch(self, said: BatchRegistration, maker: str, witness: Witness) -> list[DeviceOutcome]:
        """Raises BatchAlreadyRegistered, what the witness does, NotAMaker."""
        if said.root in self.batches:
            raise BatchAlreadyRegistered(_hex(said.root))
        witness.require_consent(maker, said)
        if not witness.may(maker):
            raise NotAMaker(maker)
        self.batches[said.root] = MakersBatch(self._add_origin(Origin(maker, said.model)))
        return [BatchRegistered(said.root, maker, said.model, said.size)]

    def close_batch(self, said: BatchClosing, signer: str, witness: Witness) -> list[DeviceOutcome]:
        """Raises UnknownBatch, BatchIsClosed, what the witness does, SignerNotAllowed."""
        batch = self._open_batch(said.root)
        witness.require_consent(signer, said)
        if signer != self.origin_of(batch).maker:
            _require_role(signer, witness)
        self.batches[said.root] = replace(batch, is_closed=True)
        return [BatchClosed(said.root, signer)]

    def claim(
        self,
        batch: bytes,
        owner: str,
        key: DevicePublicKey,
        deadline: int,
        proof: Sequence[bytes] | None,
        at: Moment,
        witness: Witness,
    ) -> list[DeviceOutcome]:
        """`proof` leads from the device's leaf to the batch's root; None: it was seen by the contract alone.

        Raises ActExpired, UnknownBatch, BatchIsClosed, NotInBatch, DeviceAlreadyEnrolled, OwnerIsZero, KeyNotOnCurve,
        DeviceSignatureInvalid.
        """
        _require_in_time(deadline, at)
        origin = self._open_batch(batch).origin
        if proof is not None and root_of(leaf_of(key.name, key.kind), proof) != batch:
            raise NotInBatch(key.name, _hex(batch))
        self._require_new(key, owner)
        _require_signed(key, key.name, Claim(key.name, batch, owner, deadline), witness)
        return self._create(key, owner, origin, batch, at, None)

    def _open_batch(self, root: bytes) -> MakersBatch:
        batch = self.batches.get(root)
        if batch is None:
            raise UnknownBatch(_hex(root))
        if batch.is_closed:
            raise BatchIsClosed(_hex(root))
        return batch

    def _add_origin(self, origin: Origin) -> int:
        self.origins.append(origin)
        return len(self.origins)

    def _require_new(self, key: DevicePublicKey, owner: str) -> None:
        if key.name in self.devices:
            raise DeviceAlreadyEnrolled(key.name)
        if owner == ZERO_ADDRESS:
            raise OwnerIsZero
        _require_on_curve(key)

    def _create(
        self, key: DevicePublicKey, owner: str, number: int, batch: bytes, at: Moment, kept: DevicePublicKey | None
    ) -> list[DeviceOutcome]:
        standings = ((at.time, DeviceStatus.ACTIVE),)
        device = Device(key, owner, number, at.time, at.block, standings, kept=kept)
        self.devices[key.name] = device
        origin = self.origin_of(device)
        return [
            DeviceEnrolled(key.name, origin.maker, owner, origin.model, batch),
            DIDOwnerChanged(key.name, owner, 0),
            told(key.name, key, FOREVER, 0),
        ]

    # keys

    def rotate(
        self,
        name: str,
        present: str,
        following: DevicePublicKey,
        deadline: int,
        at: Moment,
        witness: Witness,
    ) -> list[DeviceOutcome]:
        """Raises UnknownDevice, DeviceRevoked, DeviceSuspended, ActExpired, WrongKey, DeviceSignatureInvalid,
        DeviceSpent, KeyNotOnCurve, KeyUnchanged."""
        device = self._active(name)
        _require_in_time(deadline, at)
        _require_present(name, device, present)
        said = KeyRotation(name, following.kind, following.x, following.y, device.nonce, deadline)
        _require_signed(device.key, name, said, witness)
        return self._replace_key(name, device, following, at)

    def propose(self, said: KeyProposal, signer: str, at: Moment, witness: Witness) -> list[DeviceOutcome]:
        """Raises UnknownDevice, DeviceRevoked, KeyNotOnCurve, what the witness does, SignerNotAllowed."""
        device = self._in_service(said.device)
        key = DevicePublicKey(said.key_kind, said.x, said.y)
        _require_on_curve(key)
        witness.require_consent(signer, said)
        _require_owner(signer, device)
        ready_at = at.time + ROTATION_DELAY
        proposal = Proposal(key.name, key.kind, device.nonce, ready_at)
        self.devices[said.device] = replace(device, proposal=proposal)
        return [RotationProposed(said.device, key.kind, key.x, key.y, ready_at)]

    def veto(self, name: str, present: str, deadline: int, at: Moment, witness: Witness) -> list[DeviceOutcome]:
        """Raises UnknownDevice, DeviceRevoked, ActExpired, KeyCompromised, WrongKey, NoRotationProposed,
        DeviceSignatureInvalid, DeviceSpent."""
        device = self._in_service(name)
        _require_in_time(deadline, at)
        _require_trusted(name, device)
        _require_present(name, device, present)
        key = _proposed(name, device).key
        _require_signed(device.key, name, RotationVeto(name, key, device.nonce, deadline), witness)
        _require_room(name, device)
        self.devices[name] = replace(device, nonce=device.nonce + 1)
        return [RotationVetoed(name, key)]

    def complete(
        self,
        name: str,
        present: str,
        following: DevicePublicKey,
        deadline: int,
        at: Moment,
        witness: Witness,
    ) -> list[DeviceOutcome]:
        """Raises UnknownDevice, DeviceRevoked, ActExpired, WrongKey, NoRotationProposed, OtherKeyProposed,
        RotationNotReady, DeviceSignatureInvalid, DeviceSpent, KeyNotOnCurve, KeyUnchanged."""
        device = self._in_service(name)
        _require_in_time(deadline, at)
        _require_present(name, device, present)
        proposal = _proposed(name, device)
        if (proposal.key, proposal.key_kind) != (following.name, following.kind):
            raise OtherKeyProposed(name, proposal.key)
        if at.time < proposal.ready_at:
            raise RotationNotReady(name, proposal.ready_at)
        said = KeyAdoption(name, following.kind, following.x, following.y, device.nonce, deadline)
        _require_signed(following, name, said, witness)
        if device.compromised_since:
            doubt = device.compromised_since, at.block
            device = replace(device, doubts=(*device.doubts, doubt), compromised_since=0)
        return self._replace_key(name, device, following, at)

    def keep(self, name: str, present: str) -> list[DeviceOutcome]:
        """Raises UnknownDevice, WrongKey."""
        device = self._known(name)
        _require_present(name, device, present)
        self.devices[name] = replace(device, kept=device.key)
        return []

    def _replace_key(self, name: str, device: Device, following: DevicePublicKey, at: Moment) -> list[DeviceOutcome]:
        _require_room(name, device)
        _require_on_curve(following)
        if following.name == device.key.name:
            raise KeyUnchanged(name)
        version, nonce = device.key_version + 1, device.nonce + 1
        self.devices[name] = replace(device, key=following, key_version=version, nonce=nonce, changed=at.block)
        return [
            told(name, device.key, 0, device.changed),
            told(name, following, FOREVER, device.changed),
        ]

    # standing

    def set_status(self, said: StatusChange, signer: str, at: Moment, witness: Witness) -> list[DeviceOutcome]:
        """Raises UnknownDevice, StatusChangeRefused, what the witness does, SignerNotAllowed, KeyCompromised."""
        device = self._require_change(said.device, said.status)
        witness.require_consent(signer, said)
        if said.status is DeviceStatus.ACTIVE or signer != device.owner:
            _require_role(signer, witness)
        if said.status is DeviceStatus.ACTIVE:
            _require_trusted(said.device, device)
        return self._change_status(said.device, device, said.status, signer, at)

    def revoke(self, name: str, sender: str, at: Moment) -> list[DeviceOutcome]:
        """Raises UnknownDevice, StatusChangeRefused, SignerNotAllowed."""
        device = self._require_change(name, DeviceStatus.REVOKED)
        _require_owner(sender, device)
        return self._change_status(name, device, DeviceStatus.REVOKED, sender, at)

    def note_compromise(
        self, said: CompromiseNotice, present: str, signer: str, at: Moment, witness: Witness
    ) -> list[DeviceOutcome]:
        """Raises UnknownDevice, WrongKey, BlockOutOfRange, DoubtNotEarlier, what the witness does, SignerNotAllowed."""
        name, since = said.device, said.since_block
        device = self._known(name)
        _require_present(name, device, present)
        if not 0 < since <= at.block:
            raise BlockOutOfRange(since)
        if device.compromised_since and since >= device.compromised_since:
            raise DoubtNotEarlier(name, device.compromised_since)
        witness.require_consent(signer, said)
        if signer != device.owner:
            _require_role(signer, witness)

        outcomes: list[DeviceOutcome] = [DeviceCompromised(name, since, signer)]
        noted = replace(device, compromised_since=since)
        if not device.compromised_since:
            outcomes.append(told(name, device.key, 0, device.changed))
            noted = replace(noted, changed=at.block)
        self.devices[name] = noted
        if device.compromised_since or device.status is not DeviceStatus.ACTIVE:
            return outcomes
        return outcomes + self._change_status(name, noted, DeviceStatus.SUSPENDED, signer, at)

    def _require_change(self, name: str, to: DeviceStatus) -> Device:
        device = self._known(name)
        if to not in _ALLOWED.get(device.status, ()):
            raise StatusChangeRefused(name, device.status, to)
        return device

    def _change_status(
        self, name: str, device: Device, status: DeviceStatus, by: str, at: Moment
    ) -> list[DeviceOutcome]:
        outcomes: list[DeviceOutcome] = [DeviceStatusChanged(name, status, by)]
        changed = replace(device, standings=(*device.standings, (at.time, status)))
        if status is DeviceStatus.REVOKED:
            outcomes.append(DIDOwnerChanged(name, ZERO_ADDRESS, device.changed))
            changed = replace(changed, changed=at.block)
        self.devices[name] = changed
        return outcomes

    # transfer

    def offer(self, said: TransferOffer, signer: str, witness: Witness) -> list[DeviceOutcome]:
        """Raises UnknownDevice, DeviceRevoked, what the witness does, SignerNotAllowed."""
        device = self._in_service(said.device)
        witness.require_consent(signer, said)
        _require_owner(signer, device)
        self.devices[said.device] = replace(device, offer=Offer(said.to, said.until))
        return [TransferOffered(said.device, said.to, said.until)]

    def accept(
        self, name: str, present: str, to: str, nonce: int, deadline: int, at: Moment, witness: Witness
    ) -> list[DeviceOutcome]:
        """`nonce` and `deadline` are those of the new owner's act.

        Raises UnknownDevice, DeviceRevoked, KeyCompromised, WrongKey, TransferNotOffered, what the witness does,
        DeviceSignatureInvalid, DeviceSpent.
        """
        device = self._in_service(name)
        _require_trusted(name, device)
        _require_present(name, device, present)
        offer = device.offer
        if to == ZERO_ADDRESS or offer is None or offer.to != to or at.time > offer.until:
            raise TransferNotOffered(name, to)
        witness.require_consent(to, TransferAcceptance(name, device.owner, nonce, deadline))
        _require_signed(device.key, name, Handover(name, device.owner, to, device.nonce, deadline), witness)
        _require_room(name, device)
        self.devices[name] = replace(device, owner=to, nonce=device.nonce + 1, changed=at.block, offer=None)
        return [DIDOwnerChanged(name, to, device.changed)]

    # requirements

    def _known(self, name: str) -> Device:
        device = self.devices.get(name)
        if device is None:
            raise UnknownDevice(name)
        return device

    def _in_service(self, name: str) -> Device:
        device = self._known(name)
        if device.status is DeviceStatus.REVOKED:
            raise DeviceRevoked(name)
        return device

    def _active(self, name: str) -> Device:
        device = self._in_service(name)
        if device.status is DeviceStatus.SUSPENDED:
            raise DeviceSuspended(name)
        return device

    # judgement

    def fault_of(self, name: str, as_of: int) -> Reason | None:
        """Why the registry would not take the device's word about that time; None: it would."""
        device = self.devices.get(name)
        return _FAULTS.get(device.status_at(as_of) if device else DeviceStatus.UNKNOWN)

    def judge(self, name: str, as_of: int, digest: bytes, signature: bytes) -> Reason | None:
        """Why 64 bytes are not the signature of a device in good standing at that time; None: they are."""
        fault = self.fault_of(name, as_of)
        if fault is not None:
            return fault
        key = self.devices[name].judging_key
        return None if key is not None and key.verifies(digest, signature) else DeviceSignatureInvalid

    def is_authentic(self, name: str, digest: bytes, signature: bytes) -> bool:
        """The same of an active device now; 128 bytes bring x and y of the key with them."""
        device = self.devices.get(name)
        if device is None or device.status is not DeviceStatus.ACTIVE or len(signature) not in (64, 128):
            return False
        key = device.judging_key
        if len(signature) == 128:
            brought = DevicePublicKey(device.key.kind, signature[64:96], signature[96:])
            key = brought if brought.name == device.key.name else None
        return key is not None and key.verifies(digest, signature[:64])

    def is_trusted_at(self, name: str, block: int) -> bool:
        """Whether what was taken as the device's word in that block may be relied upon."""
        device = self.devices.get(name)
        return device is not None and device.is_trusted_at(block)

    def proposal_of(self, name: str) -> Proposal | None:
        """The key that could still take over."""
        device = self.devices.get(name)
        if device is None or device.proposal is None or device.status is DeviceStatus.REVOKED:
            return None
        return device.proposal if device.proposal.nonce == device.nonce else None

    def owner_of(self, name: str) -> str:
        """ERC-1056's owner: nobody's is a revoked device, its own whatever is none."""
        device = self.devices.get(name)
        if device is None:
            return name
        return ZERO_ADDRESS if device.status is DeviceStatus.REVOKED else device.owner


def _require_present(name: str, device: Device, given: str) -> None:
    if given != device.key.name:
        raise WrongKey(name, device.key.name, given)


def _proposed(name: str, device: Device) -> Proposal:
    if device.proposal is None or device.proposal.nonce != device.nonce:
        raise NoRotationProposed(name)
    return device.proposal


def _require_on_curve(key: DevicePublicKey) -> None:
    p, a, b = _CURVES[key.kind]
    x, y = int.from_bytes(key.x, "big"), int.from_bytes(key.y, "big")
    if x >= p or y >= p or (y * y - (x * x * x + a * x + b)) % p:
        raise KeyNotOnCurve(_hex(key.x), _hex(key.y))


def _require_signed(key: DevicePublicKey, device: str, message: Message, witness: Witness) -> None:
    if not witness.is_signed(key, message):
        raise DeviceSignatureInvalid(device)


def _require_role(signer: str, witness: Witness) -> None:
    if not witness.may(signer):
        raise SignerNotAllowed(signer)


def _require_owner(signer: str, device: Device) -> None:
    if signer != device.owner:
        raise SignerNotAllowed(signer)


def _require_in_time(deadline: int, at: Moment) -> None:
    if at.time > deadline:
        raise ActExpired(deadline)


def _require_trusted(name: str, device: Device) -> None:
    if device.compromised_since:
        raise KeyCompromised(name, device.compromised_since)


def _require_room(name: str, device: Device) -> None:
    if device.is_spent:
        raise DeviceSpent(name)


def _hex(word: bytes) -> str:
    return "0x" + word.hex()
