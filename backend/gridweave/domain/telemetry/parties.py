"""Keys of those whom a stream is opened to: for HPKE (RFC 9180), of two suites.

    X25519    DHKEM(X25519): 32 bytes secret, 32 public. For grants handed over in private.
    HYBRID    ML-KEM-768 with X25519 (X-Wing): 96 bytes secret (seed 64, X25519 32), 1,216 public (1,184, 32). For
              grants that stand on a chain, there to be read by whoever builds a quantum computer later.

Both with HKDF-SHA-256 and AES-256-GCM.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import IntEnum

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives import hpke
from cryptography.hazmat.primitives.asymmetric.mlkem import MLKEM768PrivateKey, MLKEM768PublicKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey

from gridweave.domain.telemetry.errors import PartyKeyMalformed

_SEED_LENGTH = 64
_MLKEM_LENGTH = 1_184


class PartySuite(IntEnum):
    """How a party's key is made; the number stands in grants."""

    X25519 = 1
    HYBRID = 2


_SECRET_LENGTHS = {PartySuite.X25519: 32, PartySuite.HYBRID: _SEED_LENGTH + 32}
_PUBLIC_LENGTHS = {PartySuite.X25519: 32, PartySuite.HYBRID: _MLKEM_LENGTH + 32}
_SUITES = {
    suite: hpke.Suite(kem, hpke.KDF.HKDF_SHA256, hpke.AEAD.AES_256_GCM)
    for suite, kem in ((PartySuite.X25519, hpke.KEM.X25519), (PartySuite.HYBRID, hpke.KEM.MLKEM768_X25519))
}


@dataclass(frozen=True)
class PartyKey:
    """A party's public key."""

    suite: PartySuite
    raw: bytes

    def __post_init__(self) -> None:
        """Raises PartyKeyMalformed."""
        if len(self.raw) != _PUBLIC_LENGTHS[self.suite]:
            raise PartyKeyMalformed(self.suite.name, f"{_PUBLIC_LENGTHS[self.suite]} bytes")

    def encrypt(self, plaintext: bytes, info: bytes) -> bytes:
        """HPKE's encapsulated key and ciphertext, other ones each time. Raises PartyKeyMalformed for no usable key."""
        try:
            return _SUITES[self.suite].encrypt(plaintext, self._key(), info)
        except ValueError as error:
            raise PartyKeyMalformed(self.suite.name, "a point or lattice that a secret can belong to") from error

    def _key(self) -> X25519PublicKey | hpke.MLKEM768X25519PublicKey:
        if self.suite is PartySuite.X25519:
            return X25519PublicKey.from_public_bytes(self.raw)
        mlkem = MLKEM768PublicKey.from_public_bytes(self.raw[:_MLKEM_LENGTH])
        return hpke.MLKEM768X25519PublicKey(mlkem, X25519PublicKey.from_public_bytes(self.raw[_MLKEM_LENGTH:]))


@dataclass(frozen=True)
class PartySecret:
    """A party's secret key, which it keeps."""

    suite: PartySuite
    raw: bytes = field(repr=False)

    def __post_init__(self) -> None:
        """Raises PartyKeyMalformed."""
        if len(self.raw) != _SECRET_LENGTHS[self.suite]:
            raise PartyKeyMalformed(self.suite.name, f"{_SECRET_LENGTHS[self.suite]} bytes")

    @classmethod
    def fresh(cls, suite: PartySuite) -> PartySecret:
        """A new one, from randomness of the system."""
        curve = X25519PrivateKey.generate().private_bytes_raw()
        if suite is PartySuite.X25519:
            return cls(suite, curve)
        return cls(suite, MLKEM768PrivateKey.generate().private_bytes_raw() + curve)

    @property
    def public(self) -> PartyKey:
        """What others seal to."""
        if self.suite is PartySuite.X25519:
            return PartyKey(self.suite, X25519PrivateKey.from_private_bytes(self.raw).public_key().public_bytes_raw())
        mlkem, curve = self._halves()
        return PartyKey(self.suite, mlkem.public_key().public_bytes_raw() + curve.public_key().public_bytes_raw())

    def decrypt(self, sealed: bytes, info: bytes) -> bytes | None:
        """What was encrypted to the public key with the same `info`; None when it was not."""
        try:
            return _SUITES[self.suite].decrypt(sealed, self._key(), info)
        except (InvalidTag, ValueError):
            return None

    def _key(self) -> X25519PrivateKey | hpke.MLKEM768X25519PrivateKey:
        if self.suite is PartySuite.X25519:
            return X25519PrivateKey.from_private_bytes(self.raw)
        return hpke.MLKEM768X25519PrivateKey(*self._halves())

    def _halves(self) -> tuple[MLKEM768PrivateKey, X25519PrivateKey]:
        seed, curve = self.raw[:_SEED_LENGTH], self.raw[_SEED_LENGTH:]
        return MLKEM768PrivateKey.from_seed_bytes(seed), X25519PrivateKey.from_private_bytes(curve)
