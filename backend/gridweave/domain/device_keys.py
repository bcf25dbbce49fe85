"""Public keys of devices, on either curve: their names, and their form in ERC-1056's events (SEC 1, compressed)."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Self

import coincurve
from cryptography.hazmat.primitives.asymmetric import ec

from gridweave.domain.acts import KeyKind
from gridweave.domain.signatures import device_id, verify_p256, verify_secp256k1

__all__ = ["DevicePublicKey", "kind_of_attribute"]

_ATTRIBUTES = {KeyKind.SECP256K1: b"did/pub/Secp256k1/veriKey/hex", KeyKind.P256: b"did/pub/P256/veriKey/hex"}
_KINDS = {attribute.ljust(32, b"\0"): kind for kind, attribute in _ATTRIBUTES.items()}


@dataclass(frozen=True)
class DevicePublicKey:
    """A point on its kind's curve: `x` and `y`, 32 bytes each."""

    kind: KeyKind
    x: bytes
    y: bytes

    @cached_property
    def name(self) -> str:
        """The last 20 bytes of keccak256(x . y), checksummed: the id of the device whose first key it is."""
        return device_id(self.x, self.y)

    @property
    def attribute(self) -> bytes:
        """ERC-1056's name of the attribute, 32 bytes."""
        return _ATTRIBUTES[self.kind].ljust(32, b"\0")

    @property
    def compressed(self) -> bytes:
        """33 bytes: the parity of y, then x."""
        return bytes([2 + (self.y[-1] & 1)]) + self.x

    @classmethod
    def of_attribute(cls, name: bytes, value: bytes) -> Self:
        """The key in an event of ERC-1056. ValueError for another attribute or what is no point of the curve."""
        kind = kind_of_attribute(name)
        point = _uncompressed(kind, value)
        return cls(kind, point[:32], point[32:])

    def verifies(self, digest: bytes, signature: bytes) -> bool:
        """Whether the key made this 64-byte signature of a 32-byte digest; a malformed one is False."""
        verify = verify_p256 if self.kind is KeyKind.P256 else verify_secp256k1
        return verify(self.x, self.y, digest, signature)


def kind_of_attribute(name: bytes) -> KeyKind:
    """The curve that an attribute of ERC-1056 (32 bytes) names. ValueError for any other attribute."""
    kind = _KINDS.get(name)
    if kind is None:
        raise ValueError(f"{name!r} is no key of a device")
    return kind


def _uncompressed(kind: KeyKind, value: bytes) -> bytes:
    """x and y, 64 bytes. ValueError unless `value` is a point in SEC 1's compressed form."""
    if len(value) != 33:
        raise ValueError(f"no compressed key: {len(value)} bytes, not 33")
    try:
        if kind is KeyKind.P256:
            numbers = ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP256R1(), value).public_numbers()
            return numbers.x.to_bytes(32, "big") + numbers.y.to_bytes(32, "big")
        return coincurve.PublicKey(value).format(compressed=False)[1:]
    except ValueError as fault:
        raise ValueError(f"no compressed key on {kind.label}: 0x{value.hex()}") from fault
