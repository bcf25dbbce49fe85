"""Inputs of calls to the DeviceRegistry, decoded."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from gridweave.audit.decoding import ACT, act_of, plain
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
    Revoking,
    Rotating,
    SettingStatus,
    VetoingRotation,
)
from gridweave.domain.acts import DeviceStatus, KeyKind
from gridweave.domain.addresses import checksum_address
from gridweave.domain.device_keys import DevicePublicKey
from gridweave.domain.signatures import device_id

__all__ = ["DEVICE_SIGNATURES"]

Values = tuple[Any, ...]
Halves = tuple[bytes, bytes]

_KEY = "(bytes32,bytes32)"
_SIGNATURE = "bytes32[2]"
_ENROLMENT = "(address,address,uint32,uint8,bytes32,bytes32)"
_CLAIM = f"(bytes32,address,uint8,{_KEY},uint256)"
_ROTATION = f"(address,{_KEY},uint8,{_KEY},uint256)"


def _key(kind: int, point: Halves) -> DevicePublicKey:
    return DevicePublicKey(KeyKind(kind), *point)


def _enrol(enrolment: Values, maker: Values, possession: Halves) -> DeviceCall:
    device, owner, model, kind, x, y = enrolment
    who = checksum_address(device), checksum_address(owner)
    return Enrolling(*who, model, KeyKind(kind), x, y, act_of(maker), b"".join(possession))


def _claim(claim: Values, proof: tuple[bytes, ...], signature: Halves) -> DeviceCall:
    batch, owner, kind, point, deadline = claim
    return ClaimingDevice(
        batch, checksum_address(owner), _key(kind, point), deadline, tuple(proof), b"".join(signature)
    )


def _rotation(make: type[Rotating | CompletingRotation]) -> Callable[[Values, Halves], DeviceCall]:
    def of(rotation: Values, signature: Halves) -> DeviceCall:
        device, present, kind, following, deadline = rotation
        keys = device_id(*present), _key(kind, following)
        return make(checksum_address(device), *keys, deadline, b"".join(signature))

    return of


def _propose(device: str, kind: int, following: Halves, owner: Values) -> DeviceCall:
    return ProposingRotation(checksum_address(device), _key(kind, following), act_of(owner))


def _veto(device: str, present: Halves, deadline: int, signature: Halves) -> DeviceCall:
    return VetoingRotation(checksum_address(device), device_id(*present), deadline, b"".join(signature))


def _keep(device: str, present: Halves) -> DeviceCall:
    return KeepingKey(checksum_address(device), device_id(*present))


def _set_status(device: str, status: int, act: Values) -> DeviceCall:
    return SettingStatus(checksum_address(device), DeviceStatus(status), act_of(act))


def _note_compromise(device: str, since_block: int, present: Halves, act: Values) -> DeviceCall:
    return NotingCompromise(checksum_address(device), since_block, device_id(*present), act_of(act))


def _offer(device: str, to: str, until: int, owner: Values) -> DeviceCall:
    return OfferingTransfer(checksum_address(device), checksum_address(to), until, act_of(owner))


def _accept(device: str, present: Halves, owner: Values, handover: Halves) -> DeviceCall:
    return AcceptingTransfer(checksum_address(device), device_id(*present), act_of(owner), b"".join(handover))


_FUNCTIONS: tuple[tuple[str, tuple[str, ...], Callable[..., DeviceCall]], ...] = (
    ("enrol", (_ENROLMENT, ACT, _SIGNATURE), _enrol),
    (
        "registerBatch",
        ("bytes32", "uint32", "uint32", ACT),
        lambda root, model, size, maker: RegisteringBatch(root, model, size, act_of(maker)),
    ),
    ("closeBatch", ("bytes32", ACT), lambda root, act: ClosingBatch(root, act_of(act))),
    ("claim", (_CLAIM, "bytes32[]", _SIGNATURE), _claim),
    ("rotate", (_ROTATION, _SIGNATURE), _rotation(Rotating)),
    ("proposeRotation", ("address", "uint8", _KEY, ACT), _propose),
    ("vetoRotation", ("address", _KEY, "uint256", _SIGNATURE), _veto),
    ("completeRotation", (_ROTATION, _SIGNATURE), _rotation(CompletingRotation)),
    ("keepKey", ("address", _KEY), _keep),
    ("setStatus", ("address", "uint8", ACT), _set_status),
    ("revoke", ("address",), lambda device: Revoking(checksum_address(device))),
    ("noteCompromise", ("address", "uint32", _KEY, ACT), _note_compromise),
    ("offerTransfer", ("address", "address", "uint40", ACT), _offer),
    ("acceptTransfer", ("address", _KEY, ACT, _SIGNATURE), _accept),
)

DEVICE_SIGNATURES: Mapping[str, Callable[[bytes], DeviceCall]] = {
    f"{name}({','.join(types)})": plain(types, make) for name, types, make in _FUNCTIONS
}
"""Every call that changes something, by canonical signature, with its reader."""
