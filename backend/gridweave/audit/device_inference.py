"""Calls of the DeviceRegistry that another contract made, found from what they said.

Keeping a key says nothing and cannot be found so.
"""

from __future__ import annotations

from collections.abc import Sequence

from gridweave.audit.device_calls import (
    AcceptingTransfer,
    ClaimingDevice,
    ClosingBatch,
    DeviceCall,
    Enrolling,
    NotingCompromise,
    OfferingTransfer,
    ProposingRotation,
    RegisteringBatch,
    ReplacingKey,
    SettingStatus,
    VetoingRotation,
)
from gridweave.audit.signed import SignedAct
from gridweave.chain import events as chain
from gridweave.chain.events import Event
from gridweave.domain.acts import DeviceStatus, KeyKind
from gridweave.domain.addresses import ZERO_ADDRESS
from gridweave.domain.device_keys import DevicePublicKey

__all__ = ["infer_device_calls"]

_TOLD = (
    chain.BatchClosed,
    chain.BatchRegistered,
    chain.DeviceCompromised,
    chain.DeviceEnrolled,
    chain.DeviceStatusChanged,
    chain.DIDAttributeChanged,
    chain.DIDOwnerChanged,
    chain.RotationProposed,
    chain.RotationVetoed,
    chain.TransferOffered,
)


def infer_device_calls(events: Sequence[Event]) -> dict[int, DeviceCall]:
    """Each call by `id` of the first event that it left. Events that no call can have left are left out."""
    return _Reader([event for event in events if isinstance(event, _TOLD)]).read()


class _Reader:
    """Goes through what the registry said, a call's events at a time."""

    def __init__(self, events: list[Event]) -> None:
        self._events = events
        self._at = 0

    def read(self) -> dict[int, DeviceCall]:
        calls: dict[int, DeviceCall] = {}
        while self._at < len(self._events):
            event = self._events[self._at]
            self._at += 1
            try:
                call = self._call(event)
            except ValueError:  # a key, a kind or a status that is none
                call = None
            if call is not None:
                calls[id(event)] = call
        return calls

    def _call(self, event: Event) -> DeviceCall | None:
        match event:
            case chain.DeviceEnrolled():
                return self._enrolment(event)
            case chain.BatchRegistered(root=root, model=model, size=size, maker=maker):
                return RegisteringBatch(root, model, size, _unseen(maker))
            case chain.BatchClosed(root=root, by=by):
                return ClosingBatch(root, _unseen(by))
            case chain.DIDAttributeChanged():
                return self._replacement(event)
            case chain.DIDOwnerChanged(identity=device, owner=owner):
                return AcceptingTransfer(device, None, _unseen(owner), None)
            case chain.DeviceCompromised(device=device, since_block=since, by=by):
                self._skip_notice(device, by)
                return NotingCompromise(device, since, None, _unseen(by))
            case chain.DeviceStatusChanged(device=device, status=status, by=by):
                if status == DeviceStatus.REVOKED:
                    self._take_owner(device, ZERO_ADDRESS)
                return SettingStatus(device, DeviceStatus(status), _unseen(by))
            case chain.RotationProposed(device=device, key_kind=kind, x=x, y=y):
                return ProposingRotation(device, DevicePublicKey(KeyKind(kind), x, y), _unseen_owner())
            case chain.RotationVetoed(device=device):
                return VetoingRotation(device, None, None, None)
            case chain.TransferOffered(device=device, to=to, until=until):
                return OfferingTransfer(device, to, until, _unseen_owner())
        return None

    def _enrolment(self, event: chain.DeviceEnrolled) -> DeviceCall | None:
        self._take_owner(event.device, event.owner)
        key = self._take_key(event.device, counts=True)
        if key is None:
            return None
        if any(event.batch):
            return ClaimingDevice(event.batch, event.owner, key, None, None, None)
        maker = _unseen(event.maker)
        return Enrolling(event.device, event.owner, event.model, key.kind, key.x, key.y, maker, None)

    def _replacement(self, event: chain.DIDAttributeChanged) -> DeviceCall | None:
        following = self._take_key(event.identity, counts=True)
        if event.valid_to or following is None:
            return None
        return ReplacingKey(event.identity, _key_of(event).name, following)

    def _skip_notice(self, device: str, by: str) -> None:
        """What a first notice says besides: that the key counts no longer, and that the device is suspended."""
        if self._take_key(device, counts=False) is None:
            return
        event = self._next()
        suspended = device, DeviceStatus.SUSPENDED, by
        if isinstance(event, chain.DeviceStatusChanged) and (event.device, event.status, event.by) == suspended:
            self._at += 1

    def _take_owner(self, device: str, owner: str) -> None:
        event = self._next()
        if isinstance(event, chain.DIDOwnerChanged) and (event.identity, event.owner) == (device, owner):
            self._at += 1

    def _take_key(self, device: str, *, counts: bool) -> DevicePublicKey | None:
        event = self._next()
        if not isinstance(event, chain.DIDAttributeChanged) or event.identity != device:
            return None
        if bool(event.valid_to) != counts:
            return None
        self._at += 1
        return _key_of(event)

    def _next(self) -> Event | None:
        return self._events[self._at] if self._at < len(self._events) else None


def _key_of(event: chain.DIDAttributeChanged) -> DevicePublicKey:
    return DevicePublicKey.of_attribute(event.name, event.value)


def _unseen(signer: str) -> SignedAct:
    return SignedAct(signer, 0, 0, None)


def _unseen_owner() -> SignedAct:
    """Of an act that only the owner can have asked for: no event names who did."""
    return SignedAct("", 0, 0, None)
