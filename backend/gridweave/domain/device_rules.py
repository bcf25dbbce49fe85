"""What the acts of a device have in common: who is a witness of them, and what each must meet."""

from __future__ import annotations

from typing import Protocol

from gridweave.domain.acts import KeyKind
from gridweave.domain.device_errors import (
    ActExpired,
    DeviceSpent,
    KeyCompromised,
    KeyNotOnCurve,
    NoRotationProposed,
    SignerNotAllowed,
    WrongKey,
)
from gridweave.domain.device_keys import DevicePublicKey
from gridweave.domain.devices import Device, Moment, Proposal
from gridweave.domain.eip712 import Message
from gridweave.domain.errors import DeviceSignatureInvalid

__all__ = [
    "Witness",
    "hex_of",
    "proposed",
    "require_in_time",
    "require_on_curve",
    "require_owner",
    "require_present",
    "require_role",
    "require_room",
    "require_signed",
    "require_trusted",
]

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


def require_present(name: str, device: Device, given: str) -> None:
    """Raises WrongKey unless `given` names the device's present key."""
    if given != device.key.name:
        raise WrongKey(name, device.key.name, given)


def proposed(name: str, device: Device) -> Proposal:
    """What would take over next. Raises NoRotationProposed."""
    if device.proposal is None or device.proposal.nonce != device.nonce:
        raise NoRotationProposed(name)
    return device.proposal


def require_on_curve(key: DevicePublicKey) -> None:
    """Raises KeyNotOnCurve."""
    p, a, b = _CURVES[key.kind]
    x, y = int.from_bytes(key.x, "big"), int.from_bytes(key.y, "big")
    if x >= p or y >= p or (y * y - (x * x * x + a * x + b)) % p:
        raise KeyNotOnCurve(hex_of(key.x), hex_of(key.y))


def require_signed(key: DevicePublicKey, device: str, message: Message, witness: Witness) -> None:
    """Raises DeviceSignatureInvalid."""
    if not witness.is_signed(key, message):
        raise DeviceSignatureInvalid(device)


def require_role(signer: str, witness: Witness) -> None:
    """Raises SignerNotAllowed unless the signer holds the role that the call takes."""
    if not witness.may(signer):
        raise SignerNotAllowed(signer)


def require_owner(signer: str, device: Device) -> None:
    """Raises SignerNotAllowed."""
    if signer != device.owner:
        raise SignerNotAllowed(signer)


def require_in_time(deadline: int, at: Moment) -> None:
    """Raises ActExpired."""
    if at.time > deadline:
        raise ActExpired(deadline)


def require_trusted(name: str, device: Device) -> None:
    """Raises KeyCompromised."""
    if device.compromised_since:
        raise KeyCompromised(name, device.compromised_since)


def require_room(name: str, device: Device) -> None:
    """Raises DeviceSpent."""
    if device.is_spent:
        raise DeviceSpent(name)


def hex_of(word: bytes) -> str:
    """As refusals say it."""
    return "0x" + word.hex()
