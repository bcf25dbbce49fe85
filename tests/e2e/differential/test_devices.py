"""Devices live on the contract and in the domain at once: every act ends the same, and all that is stored agrees.

GRIDWEAVE_DEVICES sets how many acts there are (2,000); GRIDWEAVE_SEED which.
"""

from __future__ import annotations

import os
import random
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import pytest

from gridweave.chain.contracts.acts import Act
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
from gridweave.domain.device_keys import DevicePublicKey
from gridweave.domain.device_registry import ROTATION_DELAY
from gridweave.domain.devices import Device, Moment, Rotation
from gridweave.domain.eip712 import Message, digest
from gridweave.domain.maker_tree import Batch
from tests.e2e.differential.chain import Chain
from tests.e2e.differential.devices import DeviceAct, Key, Registry
from tests.e2e.differential.town import FAR, Person
from tests.support.seed import run_seed

pytestmark = [pytest.mark.chain, pytest.mark.slow, pytest.mark.timeout(900)]

COUNT = int(os.environ.get("GRIDWEAVE_DEVICES", "2000"))
START = 1_800_000_000
DAY = 86_400
EXPECTED = (
    *("DeviceEnrolled", "DIDOwnerChanged", "DIDAttributeChanged", "DeviceStatusChanged", "BatchRegistered"),
    *("BatchClosed", "DeviceCompromised", "RotationProposed", "RotationVetoed", "TransferOffered"),
    *("enrol", "registerBatch", "closeBatch", "claim", "rotate", "proposeRotation", "vetoRotation", "keepKey"),
    *("completeRotation", "setStatus", "revoke", "noteCompromise", "offerTransfer", "acceptTransfer"),
    *("ActExpired", "NonceUsed", "WrongSignature", "SignerNotAllowed", "NotAMaker", "OwnerIsZero", "WrongDeviceId"),
    *("KeyNotOnCurve", "DeviceAlreadyEnrolled", "UnknownDevice", "DeviceSuspended", "DeviceRevoked"),
    *("DeviceSignatureInvalid", "StatusChangeRefused", "BatchAlreadyRegistered", "UnknownBatch", "BatchIsClosed"),
    *("NotInBatch", "WrongKey", "KeyUnchanged", "DeviceSpent", "NoRotationProposed", "RotationNotReady"),
    *("OtherKeyProposed", "KeyCompromised", "BlockOutOfRange", "DoubtNotEarlier", "TransferNotOffered"),
)
"""Every event, every call and every refusal of the registry: what acts must meet before their agreement says much."""


@pytest.fixture
def registry() -> Iterator[Registry]:
    rng = random.Random(f"devices {run_seed()}")
    with Chain(START) as chain:
        yield Registry(chain, rng)


class Life:
    """Draws one act after another. Most are as they should be but for one thing, drawn too."""

    def __init__(self, registry: Registry) -> None:
        self.registry, self.rng, self.contract = registry, registry.rng, registry.contract
        self.now = registry.chain.now
        self.batches: list[Batch] = []

    def act(self) -> None:
        """One act at a later time."""
        self.now += self.rng.choices([1, 40, 3_600, DAY, ROTATION_DELAY], [60, 25, 9, 3, 3])[0]
        draws: list[tuple[int, Callable[[], DeviceAct]]] = [
            *((5, self._enrol), (2, self._register_batch), (2, self._close_batch), (5, self._claim), (8, self._rotate)),
            *((8, self._propose), (4, self._veto), (9, self._complete), (4, self._keep), (9, self._set_status)),
            *((3, self._revoke), (5, self._note_compromise), (6, self._offer), (6, self._accept)),
        ]
        (draw,) = self.rng.choices([draw for _, draw in draws], [weight for weight, _ in draws])
        if self._rarely(100) and self.registry.book.devices:
            self.registry.age(self.rng.choice(list(self.registry.book.devices)[-6:]))
        self.registry.run(draw(), self.now)

    # what is drawn

    def _rarely(self, one_in: int = 14) -> bool:
        return self.rng.randrange(one_in) == 0

    def _key(self) -> Key:
        """A key, mostly a new one."""
        keys = self.registry.keys
        if keys and self._rarely(6):
            return self.rng.choice(list(keys.values()))
        key = Key(self.rng, self.rng.choice(list(KeyKind)))
        return keys.setdefault(key.name, key)

    def _public(self, key: Key) -> DevicePublicKey:
        """Its public half, seldom said to lie on the other curve."""
        if not self._rarely(12):
            return key.public
        return DevicePublicKey(self.rng.choice(list(KeyKind)), key.public.x, key.public.y)

    def _device(self) -> tuple[str, Device | None]:
        """One of the newest, seldom one that is none."""
        devices = self.registry.book.devices
        if not devices or self._rarely(25):
            name = self._key().name
            return name, devices.get(name)
        alive = [name for name, device in devices.items() if device.status is not DeviceStatus.REVOKED]
        name = self.rng.choice(alive[-6:] if alive and not self._rarely(7) else list(devices)[-20:])
        return name, devices[name]

    def _present(self, device: Device | None) -> Key:
        """The device's key, seldom another."""
        if device is None or self._rarely(20):
            return self._key()
        return self.registry.keys[device.key.name]

    def _signing(self, key: Key) -> Key:
        return self._key() if self._rarely(20) else key

    def _nonce(self, device: Device | None) -> int:
        return max(0, (device.nonce if device else 0) + self.rng.choice([0] * 18 + [1, -1]))

    def _deadline(self) -> int:
        return self.rng.choice([FAR] * 20 + [self.now, self.now - 1])

    def _person(self, right: Person | str) -> Person:
        """Whoever should act, seldom anybody."""
        known = right if isinstance(right, Person) else self.registry.people.get(right)
        return self.rng.choice(list(self.registry.people.values())) if known is None or self._rarely(12) else known

    def _owner(self, device: Device | None) -> Person:
        return self._person(device.owner if device else "")

    def _maker(self) -> Person:
        """A maker, seldom one who is none."""
        return self.registry.operator if self._rarely(8) else self.rng.choice(self.registry.makers)

    def _new_owner(self) -> str:
        return self.rng.choice(
            [*(each.address for each in self.registry.owners * 4), self.registry.sender, ZERO_ADDRESS]
        )

    def _fresh(self) -> dict[str, int]:
        return {"nonce": next(self.registry.nonces), "deadline": self._deadline()}

    def _consent(self, person: Person, message: Any) -> Act:
        """Their act, seldom somebody else's signature under it."""
        signer = self._person(self.registry.owners[0]) if self._rarely(20) else person
        signed = signer.consent(self.registry.space, message)
        return Act(person.address, signed.nonce, signed.deadline, signed.signature)

    def _sign(self, key: Key, message: Message) -> bytes:
        return self._signing(key).sign(digest(self.registry.space, message))

    def _again(self) -> int | None:
        """Seldom a nonce that somebody used."""
        used = list(self.registry.used)
        return self.rng.choice(used)[1] if used and self._rarely(4) else None

    # enrolment

    def _enrol(self) -> DeviceAct:
        key, maker, fresh = self._key(), self._maker(), self._fresh()
        public, owner = self._public(key), self._new_owner()
        name = self._key().name if self._rarely(6) else key.name
        model = self.rng.randrange(3)
        said = Endorsement(name, maker.address, owner, model, public.kind, public.x, public.y, **fresh)
        act = self._consent(maker, said)
        proof = self._sign(key, Possession(name, maker.address, owner, said.deadline))
        call = self.contract.enrol(said, act.signature, proof)
        return DeviceAct(call, "enrol", lambda at, w: self.registry.book.enrol(said, at, w), name, act, proof)

    def _register_batch(self) -> DeviceAct:
        keys = [self._key() for _ in range(self.rng.randint(1, 6))]
        batch = Batch(tuple({key.name: (key.name, key.kind) for key in keys}.values()))
        if self.batches and self._rarely(4):
            batch = self.rng.choice(self.batches)
        self.batches.append(batch)
        maker = self._maker()
        said = BatchRegistration(batch.root, self.rng.randrange(3), len(batch.devices), **self._fresh())
        again = self._again()
        if again is not None:
            maker = self.registry.people[next(signer for signer, nonce in self.registry.used if nonce == again)]
            said = BatchRegistration(batch.root, said.model, said.size, again, said.deadline)
        act = self._consent(maker, said)
        call = self.contract.register_batch(said.root, said.model, said.size, act)

        def apply(_: Moment, witness: Any) -> Any:
            return self.registry.book.register_batch(said, maker.address, witness)

        return DeviceAct(call, "registerBatch", apply, act=act)

    def _root(self) -> bytes:
        known = [batch.root for batch in self.batches[-4:]]
        return self.rng.choice(known) if known and not self._rarely() else self.rng.randbytes(32)

    def _close_batch(self) -> DeviceAct:
        said = BatchClosing(self._root(), **self._fresh())
        signer = self._person(self.rng.choice([self.registry.operator, *self.registry.makers]))
        act = self._consent(signer, said)
        call = self.contract.close_batch(said.root, act)

        def apply(_: Moment, witness: Any) -> Any:
            return self.registry.book.close_batch(said, signer.address, witness)

        return DeviceAct(call, "closeBatch", apply, act=act)

    def _claim(self) -> DeviceAct:
        root, owner, deadline = self._root(), self._new_owner(), self._deadline()
        batch = next((batch for batch in self.batches if batch.root == root), None)
        if batch is None or self._rarely(5):
            key, proof = self._key(), [self.rng.randbytes(32)]
        else:
            key = self.registry.keys[self.rng.choice(batch.devices)[0]]
            proof = list(batch.proof(key.name))
        public = self._public(key)
        said = Claim(key.name, root, owner, deadline)
        signature = self._sign(key, said)
        call = self.contract.claim(said, public, proof, signature)

        def apply(at: Moment, witness: Any) -> Any:
            return self.registry.book.claim(said, public, proof, at, witness)

        return DeviceAct(call, "claim", apply, key.name, signature=signature)

    # keys

    def _rotate(self) -> DeviceAct:
        name, device = self._device()
        present, following = self._present(device), self._public(self._key())
        if device and self._rarely(6):
            following = device.key
        said = KeyRotation(name, following.kind, following.x, following.y, self._nonce(device), self._deadline())
        signature = self._sign(present, said)
        call = self.contract.rotate(name, present.public, following, said.deadline, signature)

        def apply(at: Moment, witness: Any) -> Any:
            return self.registry.book.rotate(Rotation(name, present.name, following, said.deadline), at, witness)

        return DeviceAct(call, "rotate", apply, name, signature=signature)

    def _propose(self) -> DeviceAct:
        name, device = self._device()
        key, owner = self._public(self._key()), self._owner(device)
        if device and self._rarely(6):
            key = device.key
        said = KeyProposal(name, key.kind, key.x, key.y, **self._fresh())
        act = self._consent(owner, said)
        call = self.contract.propose_rotation(name, key, act)

        def apply(at: Moment, witness: Any) -> Any:
            return self.registry.book.propose(said, owner.address, at, witness)

        return DeviceAct(call, "proposeRotation", apply, name, act)

    def _proposed(self) -> tuple[str, Device | None]:
        """A device for which a key stands proposed, mostly."""
        known = [name for name in self.registry.book.devices if self.registry.book.proposal_of(name)]
        if not known or self._rarely():
            return self._device()
        name = self.rng.choice(known)
        return name, self.registry.book.devices[name]

    def _veto(self) -> DeviceAct:
        name, device = self._proposed()
        present, deadline = self._present(device), self._deadline()
        key = device.proposal.key if device and device.proposal else self._key().name
        signature = self._sign(present, RotationVeto(name, key, self._nonce(device), deadline))
        call = self.contract.veto_rotation(name, present.public, deadline, signature)

        def apply(at: Moment, witness: Any) -> Any:
            return self.registry.book.veto(name, present.name, deadline, at, witness)

        return DeviceAct(call, "vetoRotation", apply, name, signature=signature)

    def _complete(self) -> DeviceAct:
        name, device = self._proposed()
        proposal = device.proposal if device else None
        if proposal and proposal.ready_at > self.now and not self._rarely(3):
            self.now = proposal.ready_at - self.rng.choice([0, 0, 1])
        key = self.registry.keys[proposal.key] if proposal and not self._rarely(20) else self._key()
        following, present = self._public(key), self._present(device)
        said = KeyAdoption(name, following.kind, following.x, following.y, self._nonce(device), self._deadline())
        signature = self._sign(key, said)
        call = self.contract.complete_rotation(name, present.public, following, said.deadline, signature)

        def apply(at: Moment, witness: Any) -> Any:
            return self.registry.book.complete(Rotation(name, present.name, following, said.deadline), at, witness)

        return DeviceAct(call, "completeRotation", apply, name, signature=signature)

    def _keep(self) -> DeviceAct:
        name, device = self._device()
        present = self._present(device)
        call = self.contract.keep_key(name, present.public)
        return DeviceAct(call, "keepKey", lambda at, w: self.registry.book.keep(name, present.name), name)

    # standing

    def _set_status(self) -> DeviceAct:
        name, device = self._device()
        status = self.rng.choice([DeviceStatus.ACTIVE] * 6 + [DeviceStatus.SUSPENDED] * 4 + list(DeviceStatus))
        signer = self._person(self.registry.operator) if self._rarely(2) else self._owner(device)
        said = StatusChange(name, status, **self._fresh())
        act = self._consent(signer, said)

        def apply(at: Moment, witness: Any) -> Any:
            return self.registry.book.set_status(said, signer.address, at, witness)

        return DeviceAct(self.contract.set_status(name, status, act), "setStatus", apply, name, act)

    def _revoke(self) -> DeviceAct:
        name, _ = self._device()
        known = self.registry.book.devices.items()
        alive = [n for n, device in known if device.status is not DeviceStatus.REVOKED]
        mine = [n for n in alive if self.registry.book.devices[n].owner == self.registry.sender]
        if mine and not self._rarely(3):
            name = self.rng.choice(mine)
        call = self.contract.call("revoke", name)
        sender = self.registry.sender
        return DeviceAct(call, "revoke", lambda at, w: self.registry.book.revoke(name, sender, at), name)

    def _note_compromise(self) -> DeviceAct:
        name, device = self._device()
        present, block = self._present(device), int(self.registry.chain.rpc("eth_blockNumber"), 16) + 1
        since = max(0, block - self.rng.choice([0, 1, 3, 10, 40, block, block, -1]) + (0 if self._rarely(3) else 1))
        if device and device.compromised_since and self._rarely(3):
            since = device.compromised_since
        signer = self._person(self.registry.operator) if self._rarely(3) else self._owner(device)
        said = CompromiseNotice(name, since, **self._fresh())
        act = self._consent(signer, said)
        call = self.contract.note_compromise(name, since, present.public, act)

        def apply(at: Moment, witness: Any) -> Any:
            return self.registry.book.note_compromise(said, present.name, signer.address, at, witness)

        return DeviceAct(call, "noteCompromise", apply, name, act)

    # transfer

    def _offer(self) -> DeviceAct:
        name, device = self._device()
        owner, to = self._owner(device), self._new_owner()
        until = self.rng.choice([FAR, FAR, self.now, self.now + 600, self.now + DAY])
        said = TransferOffer(name, to, until, **self._fresh())
        act = self._consent(owner, said)
        call = self.contract.offer_transfer(name, to, until, act)
        return DeviceAct(
            call, "offerTransfer", lambda at, w: self.registry.book.offer(said, owner.address, w), name, act
        )

    def _is_open(self, device: Device) -> bool:
        """Whether somebody here could take it over."""
        offer = device.offer
        in_service = device.status is not DeviceStatus.REVOKED and not device.compromised_since
        return in_service and offer is not None and offer.to in self.registry.people and offer.until >= self.now

    def _accept(self) -> DeviceAct:
        name, device = self._device()
        offered = [name for name, each in self.registry.book.devices.items() if self._is_open(each)]
        if offered and not self._rarely():
            name = self.rng.choice(offered)
            device = self.registry.book.devices[name]
        if device and device.offer and self.now <= device.offer.until < FAR:
            self.now = device.offer.until + self.rng.choice([0, 0, 1])
        present, to = self._present(device), self._person(device.offer.to if device and device.offer else "")
        owner = device.owner if device else ZERO_ADDRESS
        said = TransferAcceptance(name, owner, **self._fresh())
        act = self._consent(to, said)
        handover = self._sign(present, Handover(name, owner, to.address, self._nonce(device), said.deadline))
        call = self.contract.accept_transfer(name, present.public, act, handover)

        def apply(at: Moment, witness: Any) -> Any:
            return self.registry.book.accept(name, present.name, to.address, said.nonce, said.deadline, at, witness)

        return DeviceAct(call, "acceptTransfer", apply, name, act, handover)


def missing(seen: Sequence[str]) -> list[str]:
    return [name for name in EXPECTED if name not in seen]


def test_devices__act_after_act__equal_the_domain(registry: Registry) -> None:
    assert int.from_bytes(registry.chain.view([registry.contract.call("ROTATION_DELAY")])[0], "big") == ROTATION_DELAY
    life = Life(registry)
    for _ in range(COUNT):
        life.act()
    at = Moment(life.now, int(registry.chain.rpc("eth_blockNumber"), 16))
    registry.compare(sorted(registry.book.devices), at)
    print(f"\nseed {run_seed()}, {COUNT} acts: {dict(registry.seen)}")
    assert not missing(list(registry.seen)) or COUNT < 1_000, f"never seen: {missing(list(registry.seen))}"
