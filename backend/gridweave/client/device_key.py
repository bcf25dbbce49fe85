"""A device's key: secp256k1 or P-256, in an encrypted PEM file that its owner alone may read."""

from __future__ import annotations

from pathlib import Path

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec

from gridweave.client.errors import KeystoreError, WrongPassword
from gridweave.client.wallet import write_private
from gridweave.domain import signatures
from gridweave.domain.acts import KeyKind
from gridweave.domain.eip712 import Domain, Message, digest

__all__ = ["DeviceKey"]

_CURVES: dict[KeyKind, ec.EllipticCurve] = {KeyKind.SECP256K1: ec.SECP256K1(), KeyKind.P256: ec.SECP256R1()}
_KINDS = {curve.name: kind for kind, curve in _CURVES.items()}


class DeviceKey:
    """A key on either curve: `kind`, public point (`x`, `y`, 32 bytes each), and the `device` id that it gives."""

    def __init__(self, private: ec.EllipticCurvePrivateKey) -> None:
        kind = _KINDS.get(private.curve.name)
        if kind is None:
            raise KeystoreError(f"a device's key is on secp256k1 or P-256, not {private.curve.name}")
        self._private = private
        self.kind = kind
        self.x, self.y = signatures.p256_point(private)
        self.device = signatures.device_id(self.x, self.y)

    @classmethod
    def create(cls, kind: KeyKind) -> DeviceKey:
        """A new key from the system's randomness."""
        return cls(ec.generate_private_key(_CURVES[kind]))

    @classmethod
    def load(cls, path: Path, password: str) -> DeviceKey:
        """The key in an encrypted PEM file. Raises WrongPassword, KeystoreError."""
        try:
            private = serialization.load_pem_private_key(path.read_bytes(), password.encode())
        except OSError as fault:
            raise KeystoreError(f"cannot read {path}: {fault.strerror}") from fault
        except TypeError as fault:
            raise KeystoreError(f"{path} is not encrypted") from fault
        except ValueError as fault:
            raise WrongPassword(f"the password does not open {path}") from fault
        if not isinstance(private, ec.EllipticCurvePrivateKey):
            raise KeystoreError(f"{path} holds no elliptic-curve key")
        return cls(private)

    def save(self, path: Path, password: str) -> None:
        """Encrypts the key to a new PEM file, mode 0600. Raises KeystoreError when `path` exists."""
        if not password:
            raise KeystoreError("a device's key is stored under a password, not an empty one")
        encryption = serialization.BestAvailableEncryption(password.encode())
        pem = self._private.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, encryption)
        write_private(path, pem)

    def sign(self, domain: Domain, message: Message) -> bytes:
        """64 bytes: ERC-2098 on secp256k1, (r, s) with a low s on P-256. Deterministic. Raises FieldOutOfRange."""
        to_sign = digest(domain, message)
        if self.kind is KeyKind.P256:
            return signatures.sign_p256(self._private, to_sign)
        secret = self._private.private_numbers().private_value.to_bytes(32, "big")
        return signatures.sign_compact(secret, to_sign)

    def __repr__(self) -> str:
        return f"DeviceKey({self.kind.name}, {self.device})"
