"""Who lives on the street, and the keys of their meters' devices."""

from __future__ import annotations

from dataclasses import dataclass, field

from cryptography.hazmat.primitives.asymmetric import ec

from gridweave.domain.acts import KeyKind
from gridweave.domain.device_keys import DevicePublicKey
from gridweave.domain.hashing import keccak
from gridweave.domain.signatures import (
    address_of,
    device_id,
    p256_point,
    secp256k1_point,
    sign_compact,
    sign_p256,
)


@dataclass(frozen=True)
class Party:
    """Somebody who signs: a home, its utility, an operator."""

    name: str
    secret: bytes

    @classmethod
    def of(cls, name: str) -> Party:
        return cls(name, keccak(f"audit street {name}".encode()))

    @property
    def address(self) -> str:
        return address_of(self.secret)


@dataclass(frozen=True)
class DeviceKey:
    """A meter's key on either curve."""

    kind: KeyKind
    secret: bytes

    @classmethod
    def of(cls, name: str, kind: KeyKind) -> DeviceKey:
        return cls(kind, keccak(f"audit device {name}".encode()))

    @property
    def _p256(self) -> ec.EllipticCurvePrivateKey:
        return ec.derive_private_key(int.from_bytes(self.secret, "big"), ec.SECP256R1())

    @property
    def point(self) -> tuple[bytes, bytes]:
        return p256_point(self._p256) if self.kind is KeyKind.P256 else secp256k1_point(self.secret)

    @property
    def public(self) -> DevicePublicKey:
        return DevicePublicKey(self.kind, *self.point)

    @property
    def device(self) -> str:
        """Of the device whose first key it is."""
        return device_id(*self.point)

    def sign(self, said: bytes) -> bytes:
        return sign_p256(self._p256, said) if self.kind is KeyKind.P256 else sign_compact(self.secret, said)


@dataclass
class Home:
    """A home with its meter's number, known once registered."""

    party: Party
    key: DeviceKey
    mandated: bool = True
    wallet: str = ""
    meter: int = 0
    versions: dict[int, int] = field(default_factory=dict)
    first_key: DeviceKey | None = None

    @property
    def device(self) -> str:
        """The device behind its meter, whatever key it has now."""
        return (self.first_key or self.key).device

    def change_key(self, key: DeviceKey) -> None:
        self.first_key, self.key = self.first_key or self.key, key

    @property
    def account(self) -> str:
        """Who trades: the home's wallet, or its key's own address."""
        return self.wallet or self.party.address

    def next_version(self, slot: int) -> int:
        self.versions[slot] = self.versions.get(slot, 0) + 1
        return self.versions[slot]
