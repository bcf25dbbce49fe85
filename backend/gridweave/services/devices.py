"""A device's life: enrolled or claimed, its keys, its standing, its owners, and its document.

What the device's own key signs is checked here with the key that the index knows; the contract judges again.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from gridweave.chain.contracts import Act
from gridweave.chain.hexes import to_hex
from gridweave.chain.types import Call
from gridweave.domain.acts import DeviceStatus, Endorsement, KeyKind, Possession, StatusChange
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
from gridweave.domain.did import Resolved, Told, resolve
from gridweave.domain.eip712 import Message, digest
from gridweave.domain.hashing import keccak
from gridweave.domain.maker_tree import leaf_of, root_of
from gridweave.outbox.kinds import Kind
from gridweave.services.acts import Consent, Plan, rehearse, submit_act
from gridweave.services.device_rows import key_of
from gridweave.services.errors import KeyNotToKeep, NotFound, Refused
from gridweave.services.intake import MOST_TIME, Answer
from gridweave.services.world import World
from gridweave.store.reading import Row

__all__ = [
    "accept",
    "adopt",
    "batch",
    "change_status",
    "claim",
    "close_batch",
    "device",
    "document",
    "enrol",
    "keep_key",
    "note_compromise",
    "offer",
    "propose",
    "register_batch",
    "rotate",
    "veto",
]

_REGISTRY = "DeviceRegistry"


# enrolment


async def enrol(world: World, endorsement: Endorsement, signature: bytes, possession: bytes) -> Answer:
    """A device comes into being: endorsed by its maker, proving its key. Raises ServiceError."""
    key = DevicePublicKey(endorsement.key_kind, endorsement.x, endorsement.y)
    if endorsement.device != key.name:
        raise Refused("WrongDeviceId", {"device": endorsement.device, "expected": key.name})
    proof = Possession(endorsement.device, endorsement.maker, endorsement.owner, endorsement.deadline)
    _check_word(world, endorsement.device, key, proof, possession)
    act = Act.of(endorsement, endorsement.maker, signature)
    call = world.contracts.devices.enrol(endorsement, signature, possession)
    said = {"device": endorsement.device, "owner": endorsement.owner, "maker": endorsement.maker}
    return await submit_act(world, _plan(Kind.ENROLMENT, call, endorsement, act, endorsement.device, said))


async def register_batch(world: World, batch_: BatchRegistration, maker: Act) -> Answer:
    """A maker lets the devices of a batch claim themselves. Raises ServiceError."""
    call = world.contracts.devices.register_batch(batch_.root, batch_.model, batch_.size, maker)
    said = {"root": to_hex(batch_.root), "model": batch_.model, "size": batch_.size}
    return await submit_act(world, _plan_batch(call, batch_, maker, said))


async def close_batch(world: World, closing: BatchClosing, act: Act) -> Answer:
    """No further device of a batch may. Raises ServiceError."""
    call = world.contracts.devices.close_batch(closing.root, act)
    return await submit_act(world, _plan_batch(call, closing, act, {"root": to_hex(closing.root), "closed": True}))


async def claim(
    world: World, owner: str, batch_: bytes, key: DevicePublicKey, deadline: int, proof: Sequence[bytes], word: bytes
) -> Answer:
    """A device of a batch comes into being by its own word. Raises ServiceError."""
    said = Claim(key.name, batch_, owner, deadline)
    if root_of(leaf_of(key.name, key.kind), proof) != batch_:
        raise Refused("NotInBatch", {"device": key.name, "root": to_hex(batch_)})
    _check_word(world, key.name, key, said, word)
    call = world.contracts.devices.claim(said, key, proof, word)
    plan = _plan_word(world, Kind.ENROLMENT, call, said, key.name, "claim", owner)
    return await submit_act(world, replace(plan, depends_on=(_batch_lane(batch_),)))


# keys


async def rotate(world: World, rotation: KeyRotation, word: bytes) -> Answer:
    """A device gives itself another key. Raises ServiceError."""
    row, present = await _present(world, rotation.device)
    following = _key_of(rotation)
    call = world.contracts.devices.rotate(rotation.device, present, following, rotation.deadline, word)
    return await _submit_word(world, _plan_key(world, call, rotation, row), present, rotation, word)


async def propose(world: World, proposal: KeyProposal, owner: Act) -> Answer:
    """An owner proposes a key for a device that lost its own. Raises ServiceError."""
    call = world.contracts.devices.propose_rotation(proposal.device, _key_of(proposal), owner)
    said = {"device": proposal.device, "proposed": _key_of(proposal).name}
    return await submit_act(world, _plan(Kind.KEY, call, proposal, owner, proposal.device, said))


async def veto(world: World, objection: RotationVeto, word: bytes) -> Answer:
    """A device refuses it. Raises ServiceError."""
    row, present = await _present(world, objection.device)
    call = world.contracts.devices.veto_rotation(objection.device, present, objection.deadline, word)
    return await _submit_word(world, _plan_key(world, call, objection, row), present, objection, word)


async def adopt(world: World, adoption: KeyAdoption, word: bytes) -> Answer:
    """The proposed key takes over. Raises ServiceError."""
    row, present = await _present(world, adoption.device)
    following = _key_of(adoption)
    call = world.contracts.devices.complete_rotation(adoption.device, present, following, adoption.deadline, word)
    return await _submit_word(world, _plan_key(world, call, adoption, row), following, adoption, word)


async def keep_key(world: World, name: str) -> Answer:
    """Keeps a device's P-256 key on chain, as a meter's must be. Raises ServiceError.

    Nobody signs it, so that each key is kept once, and only where that can be done now and helps.
    """
    row, present = await _present(world, name)
    plan = Plan(
        kind=Kind.KEY,
        call=world.contracts.devices.keep_key(name, present),
        consents=(),
        lanes=(_lane(name),),
        deadline=MOST_TIME,
        request={"device": name, "kept": present.name},
        account=row["owner"],
        id=keccak(f"gridweave keep key {name} {present.name} {row['key_version']}".encode()),
    )
    if await world.outbox.item(to_hex(plan.id or b"")) is None:
        await rehearse(world, plan.call)
        known = await world.contracts.devices.device_of(name)
        if present.kind is not KeyKind.P256 or (known is not None and known.kept is not None):
            raise KeyNotToKeep(name)
    return await submit_act(world, plan)


# standing and owners


async def change_status(world: World, change: StatusChange, act: Act) -> Answer:
    """A device is suspended, reinstated or revoked. Raises ServiceError."""
    call = world.contracts.devices.set_status(change.device, change.status, act)
    said = {"device": change.device, "status": DeviceStatus(change.status).name.lower()}
    return await submit_act(world, _plan(Kind.STATUS, call, change, act, change.device, said))


async def note_compromise(world: World, notice: CompromiseNotice, act: Act) -> Answer:
    """A device's key is in doubt from a block on. Raises ServiceError."""
    _, present = await _present(world, notice.device)
    call = world.contracts.devices.note_compromise(notice.device, notice.since_block, present, act)
    said = {"device": notice.device, "compromisedSince": notice.since_block}
    return await submit_act(world, _plan(Kind.STATUS, call, notice, act, notice.device, said))


async def offer(world: World, offer_: TransferOffer, owner: Act) -> Answer:
    """An owner offers its device. Raises ServiceError."""
    call = world.contracts.devices.offer_transfer(offer_.device, offer_.to, offer_.until, owner)
    said = {"device": offer_.device, "to": offer_.to, "until": offer_.until}
    return await submit_act(world, _plan(Kind.TRANSFER, call, offer_, owner, offer_.device, said))


async def accept(world: World, acceptance: TransferAcceptance, new_owner: Act, handover: bytes) -> Answer:
    """The next owner takes it, with the device's own word. Raises ServiceError."""
    row, present = await _present(world, acceptance.device)
    word = Handover(acceptance.device, acceptance.owner, new_owner.signer, row["nonce"], acceptance.deadline)
    call = world.contracts.devices.accept_transfer(acceptance.device, present, new_owner, handover)
    said = {"device": acceptance.device, "from": acceptance.owner, "to": new_owner.signer}
    plan = _plan(Kind.TRANSFER, call, acceptance, new_owner, acceptance.device, said)
    return await _submit_word(world, plan, present, word, handover)


# what is known


async def device(world: World, name: str) -> Row:
    """A device's row, all of it. Raises NotFound."""
    row = await world.reads.devices.device(name)
    if row is None:
        raise NotFound("UnknownDevice", "no such device is enrolled", {"device": name})
    return row


async def document(world: World, name: str, version: int | None) -> Resolved:
    """A device's DID document, as it stood in block `version`. Raises NotFound."""
    await device(world, name)
    told = await world.reads.devices.told(name)
    rows = sorted(
        (*told["device_owners"], *told["device_keys"]), key=lambda row: (row["block_number"], row["log_index"])
    )
    resolved = resolve(world.deployment.chain_id, name, [_told(row) for row in rows], version)
    if resolved is None:
        raise NotFound("UnknownVersion", "the device was enrolled later", {"device": name, "versionId": version})
    return resolved


async def batch(world: World, root: str) -> Row:
    """A maker's batch. Raises NotFound."""
    row = await world.reads.devices.batch(root)
    if row is None:
        raise NotFound("UnknownBatch", "no batch has this root; its maker registers it", {"root": root})
    return row


async def _present(world: World, name: str) -> tuple[Row, DevicePublicKey]:
    row = await device(world, name)
    return row, key_of(row)


def _told(row: Row) -> Told:
    block, time = row["block_number"], row["timestamp"]
    if "owner" in row:
        return Told.owner(block, time, row["owner"])
    return Told.key(block, time, key_of(row), counts=row["counts"])


def _key_of(said: KeyRotation | KeyProposal | KeyAdoption) -> DevicePublicKey:
    return DevicePublicKey(said.key_kind, said.x, said.y)


async def _submit_word(world: World, plan: Plan, key: DevicePublicKey, said: Message, word: bytes) -> Answer:
    """Acknowledges what a device signed. The same word again is answered as before, whichever its key is by now."""
    try:
        _check_word(world, plan.request["device"], key, said, word)
    except Refused:
        id_ = plan.id or digest(world.domain(_REGISTRY), plan.consents[0].message)
        known = await world.outbox.item(to_hex(id_))
        if known is None or word.hex() not in known.payload["data"]:
            raise
    return await submit_act(world, plan)


def _check_word(world: World, name: str, key: DevicePublicKey, said: Message, word: bytes) -> None:
    """Raises Refused unless `key` signed it."""
    if not key.verifies(digest(world.domain(_REGISTRY), said), word):
        raise Refused("DeviceSignatureInvalid", {"device": name})


def _lane(name: str) -> str:
    return f"device:{name}"


def _batch_lane(root: bytes) -> str:
    return f"batch:{to_hex(root)}"


def _plan(kind: Kind, call: Call, said: Any, act: Act, name: str, request: dict[str, Any]) -> Plan:
    """Of what a person signs about a device."""
    consent = Consent(_REGISTRY, said, act)
    return Plan(
        kind=kind, call=call, consents=(consent,), lanes=(_lane(name),), deadline=said.deadline, request=request
    )


def _plan_batch(call: Call, said: BatchRegistration | BatchClosing, act: Act, request: dict[str, Any]) -> Plan:
    lanes = (_batch_lane(said.root),)
    consent = Consent(_REGISTRY, said, act)
    return Plan(kind=Kind.BATCH, call=call, consents=(consent,), lanes=lanes, deadline=said.deadline, request=request)


def _plan_key(world: World, call: Call, said: KeyRotation | RotationVeto | KeyAdoption, row: Row) -> Plan:
    return _plan_word(world, Kind.KEY, call, said, said.device, f"{said.nonce}", row["owner"])


def _plan_word(
    world: World,
    kind: Kind,
    call: Call,
    said: Any,
    name: str,
    turn: str,
    account: str,
) -> Plan:
    """Of what a device signs itself, which nobody's act accompanies; `turn` says what the word may be used for once."""
    hash_ = digest(world.domain(_REGISTRY), said)
    return Plan(
        kind=kind,
        call=call,
        consents=(),
        lanes=(_lane(name),),
        deadline=said.deadline,
        request={"device": name, "digest": to_hex(hash_)},
        account=account,
        id=hash_,
        nonce_key=f"{_REGISTRY}:device:{name}:{turn}",
    )
