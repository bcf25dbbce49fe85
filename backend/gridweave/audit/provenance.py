"""The last stations of a walk: the key that a device had when it was heard, and who made the device."""

from __future__ import annotations

from dataclasses import dataclass

from gridweave.audit.calls import Call
from gridweave.audit.device_calls import ClaimingDevice, Enrolling, RegisteringBatch
from gridweave.audit.differences import Place
from gridweave.audit.lookup import Lookup
from gridweave.audit.proofs import Proofs
from gridweave.audit.stream import place_of
from gridweave.chain import events as chain
from gridweave.chain.events import Event
from gridweave.domain.acts import KeyKind
from gridweave.domain.device_acts import BatchRegistration, Claim
from gridweave.domain.device_keys import DevicePublicKey
from gridweave.domain.maker_tree import leaf_of, root_of

__all__ = ["Provenance", "WalkedDevice", "WalkedMaker"]

_REGISTRY = "DeviceRegistry"


@dataclass(frozen=True)
class WalkedDevice:
    """The device behind the meter and the key that its signature was checked with, `key_version` 1 for its first.

    `place` is the DIDAttributeChanged that told of the key. `in_doubt`: a notice of compromise covers the block.
    """

    device: str
    owner: str
    key_kind: KeyKind
    x: bytes
    y: bytes
    place: Place
    key_version: int = 1
    in_doubt: bool = False

    @property
    def key(self) -> DevicePublicKey:
        return DevicePublicKey(self.key_kind, self.x, self.y)


@dataclass(frozen=True)
class WalkedMaker:
    """Who vouched for the device. `signature` is the maker's; None: the contract alone saw it.

    A device that claimed itself has the `batch` from which it did, where that was `registered`, and its `proof`, the
    siblings from its leaf up to the batch's root; None: the contract alone saw it.
    """

    maker: str
    signature: bytes | None
    place: Place
    holds: bool
    batch: bytes | None = None
    registered: Place | None = None
    proof: tuple[bytes, ...] | None = None


class Provenance:
    """Of one device."""

    def __init__(self, lookup: Lookup, proofs: Proofs, device: str) -> None:
        self._lookup, self._proofs, self._device = lookup, proofs, device

    async def device_at(self, heard: Event) -> WalkedDevice:
        """Its owner and key when `heard` was said."""
        find = self._lookup.events
        owners = await find(_REGISTRY, chain.DIDOwnerChanged, identity=self._device)
        told = await find(_REGISTRY, chain.DIDAttributeChanged, identity=self._device)
        gained = [event for event in told if event.valid_to]
        before = [event for event in gained if _position(event) < _position(heard)]
        key = DevicePublicKey.of_attribute(before[-1].name, before[-1].value)
        owner = [event for event in owners if _position(event) < _position(heard)][-1].owner
        notices = await find(_REGISTRY, chain.DeviceCompromised, device=self._device)
        doubt = any(_covers(notice, gained, heard.block_number) for notice in notices)
        place = place_of(before[-1])
        return WalkedDevice(self._device, owner, key.kind, key.x, key.y, place, len(before), doubt)

    async def maker(self) -> WalkedMaker:
        """Its maker, by endorsement or by batch."""
        (enrolled,) = (await self._lookup.events(_REGISTRY, chain.DeviceEnrolled, device=self._device))[:1]
        calls = await self._lookup.calls_behind(enrolled)
        if any(enrolled.batch):
            return await self._of_batch(enrolled, calls)
        call = next((c for c in calls if isinstance(c, Enrolling) and c.device == self._device), None)
        if call is None:
            return WalkedMaker(enrolled.maker, None, place_of(enrolled), True)
        signed = self._proofs.is_act(_REGISTRY, call.endorsement, call.maker)
        holds = call.maker.signer == enrolled.maker and signed
        return WalkedMaker(enrolled.maker, call.maker.signature, place_of(enrolled), holds)

    async def _of_batch(self, enrolled: chain.DeviceEnrolled, calls: tuple[Call, ...]) -> WalkedMaker:
        claim = next((c for c in calls if isinstance(c, ClaimingDevice) and c.key.name == self._device), None)
        proof = claim.proof if claim else None
        holds = claim is None or self._has_claimed(claim, enrolled)
        said = await self._lookup.events(_REGISTRY, chain.BatchRegistered, root=enrolled.batch)
        registered = place_of(said[0]) if said else None
        holds = holds and bool(said) and said[0].maker == enrolled.maker
        behind = await self._lookup.calls_behind(said[0]) if said else ()
        call = next((c for c in behind if isinstance(c, RegisteringBatch) and c.root == enrolled.batch), None)
        signature = call.maker.signature if call else None
        if call is not None:
            act = call.maker
            message = BatchRegistration(call.root, call.model, call.size, act.nonce, act.deadline)
            holds = holds and act.signer == enrolled.maker and self._proofs.is_act(_REGISTRY, message, act)
        return WalkedMaker(enrolled.maker, signature, place_of(enrolled), holds, enrolled.batch, registered, proof)

    def _has_claimed(self, call: ClaimingDevice, enrolled: chain.DeviceEnrolled) -> bool:
        """Whether the proof leads to the batch and the device named this owner."""
        leads = call.proof is not None and root_of(leaf_of(self._device, call.key.kind), call.proof) == enrolled.batch
        said = Claim(self._device, enrolled.batch, enrolled.owner, call.deadline or 0)
        return leads and self._proofs.is_of_device(said, call.signature or b"", call.key)


def _covers(notice: chain.DeviceCompromised, gained: list[chain.DIDAttributeChanged], block: int) -> bool:
    """Whether what the device said in that block is in doubt by the notice, which reaches up to its next key."""
    ends = next((event.block_number for event in gained if _position(event) > _position(notice)), None)
    return notice.since_block <= block and (ends is None or block < ends)


def _position(event: Event) -> tuple[int, int]:
    return event.block_number, event.log_index
