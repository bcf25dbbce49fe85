"""The DeviceRegistry replayed: makers' batches, and each device from its enrolment to its end."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import replace

from gridweave.audit.acts import Acts
from gridweave.audit.device_acts import Bench, DeviceWitness
from gridweave.audit.device_calls import (
    AcceptingTransfer,
    ClaimingDevice,
    ClosingBatch,
    CompletingRotation,
    DeviceCall,
    Enrolling,
    KeepingKey,
    NotingCompromise,
    OfferingTransfer,
    ProposingRotation,
    RegisteringBatch,
    ReplacingKey,
    Revoking,
    Rotating,
    SettingStatus,
    VetoingRotation,
)
from gridweave.audit.differences import Kind, Subject
from gridweave.audit.findings import Findings
from gridweave.audit.matching import Expected
from gridweave.audit.proofs import Proofs
from gridweave.audit.report import Checked
from gridweave.audit.signed import SignedAct
from gridweave.chain.events import EVENTS
from gridweave.chain.hexes import to_hex
from gridweave.domain.acts import DeviceStatus, StatusChange
from gridweave.domain.device_acts import (
    BatchClosing,
    BatchRegistration,
    Claim,
    CompromiseNotice,
    KeyProposal,
    TransferOffer,
)
from gridweave.domain.device_keys import DevicePublicKey
from gridweave.domain.device_outcomes import FOREVER, DeviceOutcome
from gridweave.domain.device_registry import DeviceBook
from gridweave.domain.devices import Device, Moment, Rotation
from gridweave.domain.outcomes import Reason

__all__ = ["Devices"]


class Devices:
    """One registry's `book`. Of calls seen from outside, signatures are taken as good: the contract saw to that."""

    def __init__(self, registry: str, proofs: Proofs, acts: Acts, findings: Findings) -> None:
        self.book = DeviceBook()
        self.keys: dict[str, list[DevicePublicKey]] = defaultdict(list)
        """Every key that a device has had, oldest first."""
        self._registry = registry
        self._bench = Bench(proofs, acts, findings)
        self._findings = findings

    def device(self, name: str) -> Device | None:
        """As it stands; None: it is none."""
        return self.book.devices.get(name)

    def fault_of(self, name: str, as_of: int) -> Reason | None:
        """Why the registry would not take this device's word about that time; None: it would."""
        return self.book.fault_of(name, as_of)

    def keep_unseen(self, name: str) -> None:
        """The chain took a signature of the device's key, so somebody has kept it, where no input shows it."""
        device = self.book.devices[name]
        if device.judging_key is None:
            self._findings.count(Checked.BY_CONTRACT_ONLY)
            self.book.keep(name, device.key.name)

    def apply(self, call: DeviceCall, at: Moment, sender: str) -> list[Expected]:
        """The events that a call must leave. Raises what the rules refuse it with."""
        outcomes = self._apply(call, at, sender)
        for name, device in self._touched(call):
            if not self.keys[name] or self.keys[name][-1] != device.key:
                self.keys[name].append(device.key)
        return [Expected(EVENTS[type(said).__name__], self._registry, vars(said)) for said in outcomes]

    def _touched(self, call: DeviceCall) -> Sequence[tuple[str, Device]]:
        name = call.key.name if isinstance(call, ClaimingDevice) else getattr(call, "device", "")
        device = self.book.devices.get(name)
        return [(name, device)] if device else []

    def _apply(self, call: DeviceCall, at: Moment, sender: str) -> list[DeviceOutcome]:
        match call:
            case Enrolling():
                counted = Checked.ENDORSEMENTS, Checked.POSSESSIONS
                witness = self._witness("enrol", call.device, at, call.maker, Kind.MAKER_SIGNATURE, call.signature)
                return self.book.enrol(call.endorsement, at, replace(witness, counted=counted))
            case RegisteringBatch(root, model, size, act):
                witness = self._batch_witness("registerBatch", root, at, act, Kind.MAKER_SIGNATURE)
                said = BatchRegistration(root, model, size, act.nonce, act.deadline)
                return self.book.register_batch(said, act.signer, witness)
            case ClosingBatch(root, act):
                batch = self.book.batches.get(root)
                own = batch is not None and self.book.origin_of(batch).maker == act.signer
                kind = Kind.MAKER_SIGNATURE if own else Kind.OPERATOR_SIGNATURE
                witness = self._batch_witness("closeBatch", root, at, act, kind)
                return self.book.close_batch(BatchClosing(root, act.nonce, act.deadline), act.signer, witness)
            case ClaimingDevice():
                return self._claim(call, at)
            case _:
                return self._apply_to_device(call, at, sender)

    def _claim(self, call: ClaimingDevice, at: Moment) -> list[DeviceOutcome]:
        self._findings.count(Checked.CLAIMS)
        witness = self._witness("claim", call.key.name, at, signature=call.signature)
        deadline = FOREVER if call.deadline is None else call.deadline
        said = Claim(call.key.name, call.batch, call.owner, deadline)
        return self.book.claim(said, call.key, call.proof, at, witness)

    def _apply_to_device(self, call: DeviceCall, at: Moment, sender: str) -> list[DeviceOutcome]:
        match call:
            case SettingStatus(device, status, act):
                kind = self._kind_of(device, act, owner_may=status is not DeviceStatus.ACTIVE)
                witness = self._witness("setStatus", device, at, act, kind)
                change = StatusChange(device, status, act.nonce, act.deadline)
                return self.book.set_status(change, act.signer, at, witness)
            case Revoking(device):
                return self.book.revoke(device, sender, at)
            case NotingCompromise(device, since, present, act):
                witness = self._witness("noteCompromise", device, at, act, self._kind_of(device, act))
                notice = CompromiseNotice(device, since, act.nonce, act.deadline)
                return self.book.note_compromise(notice, self._present(device, present), act.signer, at, witness)
            case OfferingTransfer(device, to, until, act):
                act = self._owners(device, act)
                witness = self._witness("offerTransfer", device, at, act)
                return self.book.offer(TransferOffer(device, to, until, act.nonce, act.deadline), act.signer, witness)
            case AcceptingTransfer(device, present, act, handover):
                self._findings.count(Checked.TRANSFERS)
                witness = self._witness("acceptTransfer", device, at, act, signature=handover)
                said = self._present(device, present), act.signer, act.nonce, act.deadline
                return self.book.accept(device, *said, at, witness)
            case _:
                return self._apply_to_key(call, at)

    def _apply_to_key(self, call: DeviceCall, at: Moment) -> list[DeviceOutcome]:
        match call:
            case Rotating(device, present, following, deadline, signature):
                self._findings.count(Checked.KEY_CHANGES)
                witness = self._witness("rotate", device, at, signature=signature)
                return self.book.rotate(Rotation(device, present, following, deadline), at, witness)
            case CompletingRotation(device, present, following, deadline, signature):
                self._findings.count(Checked.KEY_CHANGES)
                witness = self._witness("completeRotation", device, at, signature=signature)
                return self.book.complete(Rotation(device, present, following, deadline), at, witness)
            case ReplacingKey():
                return self._replace(call, at)
            case ProposingRotation(device, following, act):
                act = self._owners(device, act)
                witness = self._witness("proposeRotation", device, at, act)
                key = following.kind, following.x, following.y
                said = KeyProposal(device, *key, act.nonce, act.deadline)
                return self.book.propose(said, act.signer, at, witness)
            case VetoingRotation(device, present, until, signature):
                witness = self._witness("vetoRotation", device, at, signature=signature)
                return self.book.veto(device, self._present(device, present), until or FOREVER, at, witness)
            case KeepingKey(device, present):
                return self.book.keep(device, present)
            case _:
                return []

    def _replace(self, call: ReplacingKey, at: Moment) -> list[DeviceOutcome]:
        """Both ways to another key leave the same, but for a doubt that ends, which only a proposal can do."""
        self._findings.count(Checked.KEY_CHANGES)
        witness = self._witness("rotate", call.device, at)
        proposal = self.book.proposal_of(call.device)
        rotation = Rotation(call.device, call.present, call.following, FOREVER)
        if proposal and proposal.key == call.following.name and at.time >= proposal.ready_at:
            return self.book.complete(rotation, at, witness)
        return self.book.rotate(rotation, at, witness)

    def _present(self, name: str, given: str | None) -> str:
        """The key that was brought; of a call seen from outside the one that had to be."""
        device = self.book.devices.get(name)
        return given or (device.key.name if device else name)

    def _owners(self, name: str, act: SignedAct) -> SignedAct:
        """The act as its owner's, if it was seen from outside."""
        device = self.book.devices.get(name)
        return replace(act, signer=device.owner) if device and not act.signer else act

    def _kind_of(self, name: str, act: SignedAct, *, owner_may: bool = True) -> Kind:
        device = self.book.devices.get(name)
        own = owner_may and device is not None and device.owner == act.signer
        return Kind.OWNER_SIGNATURE if own else Kind.OPERATOR_SIGNATURE

    def _witness(
        self,
        function: str,
        device: str,
        at: Moment,
        act: SignedAct | None = None,
        kind: Kind = Kind.OWNER_SIGNATURE,
        signature: bytes | None = None,
    ) -> DeviceWitness:
        return DeviceWitness(self._bench, function, Subject(device=device), at.time, act, kind, signature)

    def _batch_witness(self, function: str, root: bytes, at: Moment, act: SignedAct, kind: Kind) -> DeviceWitness:
        return DeviceWitness(self._bench, function, Subject(batch=to_hex(root)), at.time, act, kind)
