"""The life of devices as a pure state machine: who may do what with which key, and what the chain says of it.

The same calls at the same moments give the same devices, events and refusals as DeviceRegistry: it checks in the same
order. A call that raises has changed nothing. Signatures are judged by a `Witness`, who is told what had to be signed.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

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
    BatchAlreadyRegistered,
    BatchIsClosed,
    BlockOutOfRange,
    DeviceAlreadyEnrolled,
    DoubtNotEarlier,
    KeyUnchanged,
    NotAMaker,
    NotInBatch,
    OtherKeyProposed,
    OwnerIsZero,
    RotationNotReady,
    StatusChangeRefused,
    TransferNotOffered,
    UnknownBatch,
    WrongDeviceId,
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
from gridweave.domain.device_roll import DeviceRoll
from gridweave.domain.device_rules import (
    Witness,
    hex_of,
    proposed,
    require_in_time,
    require_on_curve,
    require_owner,
    require_present,
    require_role,
    require_room,
    require_signed,
    require_trusted,
)
from gridweave.domain.devices import Device, MakersBatch, Moment, Offer, Origin, Proposal, Rotation
from gridweave.domain.errors import DeviceRevoked, DeviceSuspended, UnknownDevice
from gridweave.domain.maker_tree import leaf_of, root_of

__all__ = ["ROTATION_DELAY", "DeviceBook", "Witness"]

ROTATION_DELAY = 7 * 86_400
"""Seconds that a device has to object to a key that its owner proposes."""

_ALLOWED = {
    DeviceStatus.ACTIVE: (DeviceStatus.SUSPENDED, DeviceStatus.REVOKED),
    DeviceStatus.SUSPENDED: (DeviceStatus.ACTIVE, DeviceStatus.REVOKED),
}


class DeviceBook(DeviceRoll):
    """What may be done about devices, and what comes of it.

    `name` is a device's id, `present` the name of the key that was brought as its present one.
    """

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
        require_signed(key, said.device, possession, witness)

        pair = said.maker, said.model
        if pair not in self.origins_of_makers:
            self.origins_of_makers[pair] = self._add_origin(Origin(*pair))
        kept = key if key.kind is KeyKind.P256 else None
        return self._create(key, said.owner, self.origins_of_makers[pair], NO_BATCH, at, kept)

    def register_batch(self, said: BatchRegistration, maker: str, witness: Witness) -> list[DeviceOutcome]:
        """Raises BatchAlreadyRegistered, what the witness does, NotAMaker."""
        if said.root in self.batches:
            raise BatchAlreadyRegistered(hex_of(said.root))
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
            require_role(signer, witness)
        self.batches[said.root] = replace(batch, is_closed=True)
        return [BatchClosed(said.root, signer)]

    def claim(
        self, said: Claim, key: DevicePublicKey, proof: Sequence[bytes] | None, at: Moment, witness: Witness
    ) -> list[DeviceOutcome]:
        """`proof` leads from the leaf of the device with that key to the root; None: the contract alone saw it.

        Raises ActExpired, UnknownBatch, BatchIsClosed, NotInBatch, DeviceAlreadyEnrolled, OwnerIsZero, KeyNotOnCurve,
        DeviceSignatureInvalid.
        """
        require_in_time(said.deadline, at)
        origin = self._open_batch(said.batch).origin
        if proof is not None and root_of(leaf_of(key.name, key.kind), proof) != said.batch:
            raise NotInBatch(key.name, hex_of(said.batch))
        self._require_new(key, said.owner)
        require_signed(key, key.name, said, witness)
        return self._create(key, said.owner, origin, said.batch, at, None)

    def _open_batch(self, root: bytes) -> MakersBatch:
        batch = self.batches.get(root)
        if batch is None:
            raise UnknownBatch(hex_of(root))
        if batch.is_closed:
            raise BatchIsClosed(hex_of(root))
        return batch

    def _add_origin(self, origin: Origin) -> int:
        self.origins.append(origin)
        return len(self.origins)

    def _require_new(self, key: DevicePublicKey, owner: str) -> None:
        if key.name in self.devices:
            raise DeviceAlreadyEnrolled(key.name)
        if owner == ZERO_ADDRESS:
            raise OwnerIsZero
        require_on_curve(key)

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

    def rotate(self, rotation: Rotation, at: Moment, witness: Witness) -> list[DeviceOutcome]:
        """Raises UnknownDevice, DeviceRevoked, DeviceSuspended, ActExpired, WrongKey, DeviceSignatureInvalid,
        DeviceSpent, KeyNotOnCurve, KeyUnchanged."""
        name, key = rotation.device, rotation.following
        device = self._active(name)
        require_in_time(rotation.deadline, at)
        require_present(name, device, rotation.present)
        said = KeyRotation(name, key.kind, key.x, key.y, device.nonce, rotation.deadline)
        require_signed(device.key, name, said, witness)
        return self._replace_key(name, device, key, at)

    def propose(self, said: KeyProposal, signer: str, at: Moment, witness: Witness) -> list[DeviceOutcome]:
        """Raises UnknownDevice, DeviceRevoked, KeyNotOnCurve, what the witness does, SignerNotAllowed."""
        device = self._in_service(said.device)
        key = DevicePublicKey(said.key_kind, said.x, said.y)
        require_on_curve(key)
        witness.require_consent(signer, said)
        require_owner(signer, device)
        ready_at = at.time + ROTATION_DELAY
        proposal = Proposal(key.name, key.kind, device.nonce, ready_at)
        self.devices[said.device] = replace(device, proposal=proposal)
        return [RotationProposed(said.device, key.kind, key.x, key.y, ready_at)]

    def veto(self, name: str, present: str, deadline: int, at: Moment, witness: Witness) -> list[DeviceOutcome]:
        """Raises UnknownDevice, DeviceRevoked, ActExpired, KeyCompromised, WrongKey, NoRotationProposed,
        DeviceSignatureInvalid, DeviceSpent."""
        device = self._in_service(name)
        require_in_time(deadline, at)
        require_trusted(name, device)
        require_present(name, device, present)
        key = proposed(name, device).key
        require_signed(device.key, name, RotationVeto(name, key, device.nonce, deadline), witness)
        require_room(name, device)
        self.devices[name] = replace(device, nonce=device.nonce + 1)
        return [RotationVetoed(name, key)]

    def complete(self, rotation: Rotation, at: Moment, witness: Witness) -> list[DeviceOutcome]:
        """Raises UnknownDevice, DeviceRevoked, ActExpired, WrongKey, NoRotationProposed, OtherKeyProposed,
        RotationNotReady, DeviceSignatureInvalid, DeviceSpent, KeyNotOnCurve, KeyUnchanged."""
        name, key = rotation.device, rotation.following
        device = self._in_service(name)
        require_in_time(rotation.deadline, at)
        require_present(name, device, rotation.present)
        proposal = proposed(name, device)
        if (proposal.key, proposal.key_kind) != (key.name, key.kind):
            raise OtherKeyProposed(name, proposal.key)
        if at.time < proposal.ready_at:
            raise RotationNotReady(name, proposal.ready_at)
        said = KeyAdoption(name, key.kind, key.x, key.y, device.nonce, rotation.deadline)
        require_signed(key, name, said, witness)
        if device.compromised_since:
            doubt = device.compromised_since, at.block
            device = replace(device, doubts=(*device.doubts, doubt), compromised_since=0)
        return self._replace_key(name, device, key, at)

    def keep(self, name: str, present: str) -> list[DeviceOutcome]:
        """Raises UnknownDevice, WrongKey."""
        device = self._known(name)
        require_present(name, device, present)
        self.devices[name] = replace(device, kept=device.key)
        return []

    def _replace_key(self, name: str, device: Device, following: DevicePublicKey, at: Moment) -> list[DeviceOutcome]:
        require_room(name, device)
        require_on_curve(following)
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
            require_role(signer, witness)
        if said.status is DeviceStatus.ACTIVE:
            require_trusted(said.device, device)
        return self._change_status(said.device, device, said.status, signer, at)

    def revoke(self, name: str, sender: str, at: Moment) -> list[DeviceOutcome]:
        """Raises UnknownDevice, StatusChangeRefused, SignerNotAllowed."""
        device = self._require_change(name, DeviceStatus.REVOKED)
        require_owner(sender, device)
        return self._change_status(name, device, DeviceStatus.REVOKED, sender, at)

    def note_compromise(
        self, said: CompromiseNotice, present: str, signer: str, at: Moment, witness: Witness
    ) -> list[DeviceOutcome]:
        """Raises UnknownDevice, WrongKey, BlockOutOfRange, DoubtNotEarlier, what the witness does, SignerNotAllowed."""
        name, since = said.device, said.since_block
        device = self._known(name)
        require_present(name, device, present)
        if not 0 < since <= at.block:
            raise BlockOutOfRange(since)
        if device.compromised_since and since >= device.compromised_since:
            raise DoubtNotEarlier(name, device.compromised_since)
        witness.require_consent(signer, said)
        if signer != device.owner:
            require_role(signer, witness)

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
        require_owner(signer, device)
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
        require_trusted(name, device)
        require_present(name, device, present)
        offer = device.offer
        if to == ZERO_ADDRESS or offer is None or offer.to != to or at.time > offer.until:
            raise TransferNotOffered(name, to)
        witness.require_consent(to, TransferAcceptance(name, device.owner, nonce, deadline))
        require_signed(device.key, name, Handover(name, device.owner, to, device.nonce, deadline), witness)
        require_room(name, device)
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
