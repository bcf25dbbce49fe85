"""A person's key: it signs, and never leaves this machine."""

from __future__ import annotations

import json
import os
import secrets
from pathlib import Path
from typing import Any

from eth_keyfile.keyfile import create_keyfile_json, decode_keyfile_json

from gridweave.client.errors import KeystoreError, WrongPassword
from gridweave.disk import write_through
from gridweave.domain import signatures
from gridweave.domain.addresses import checksum_address
from gridweave.domain.eip712 import Domain, Message, digest

__all__ = ["Wallet", "read_address", "write_private"]


class Wallet:
    """A secp256k1 key and its checksummed `address`. Its text forms show the address only."""

    __slots__ = ("_key", "address")

    def __init__(self, private_key: bytes) -> None:
        if len(private_key) != 32 or not 0 < int.from_bytes(private_key, "big") < signatures.SECP256K1_ORDER:
            raise KeystoreError("a private key is 32 bytes, not zero and below the order of secp256k1")
        self._key = private_key
        self.address = signatures.address_of(private_key)

    @classmethod
    def create(cls) -> Wallet:
        """A new key from the system's randomness."""
        while True:
            key = secrets.token_bytes(32)
            if 0 < int.from_bytes(key, "big") < signatures.SECP256K1_ORDER:
                return cls(key)

    @classmethod
    def from_hex(cls, text: str) -> Wallet:
        """The key of 64 hex digits, with or without 0x. Raises KeystoreError."""
        try:
            return cls(bytes.fromhex(text.strip().removeprefix("0x")))
        except ValueError as fault:
            raise KeystoreError("a private key is 64 hex digits") from fault

    @classmethod
    def load(cls, path: Path, password: str) -> Wallet:
        """The key in a Web3 keystore file (version 3). Raises WrongPassword, KeystoreError."""
        content = _read(path)
        try:
            return cls(bytes(decode_keyfile_json(content, _utf8(password))))
        except ValueError as fault:
            if "MAC" in str(fault):
                raise WrongPassword(f"the password does not open {path}") from fault
            raise KeystoreError(f"{path} is no keystore file of version 3: {fault}") from fault
        except (KeyError, TypeError, NotImplementedError) as fault:
            raise KeystoreError(f"{path} is no keystore file of version 3: {fault}") from fault

    def save(self, path: Path, password: str) -> None:
        """Encrypts the key to a new file that its owner alone may read. Raises KeystoreError when `path` exists."""
        content = create_keyfile_json(self._key, _utf8(password), kdf="scrypt")
        content["address"] = self.address
        write_private(path, json.dumps(content, indent=1).encode())

    def sign_digest(self, digest_32: bytes) -> bytes:
        """64 bytes, ERC-2098."""
        return signatures.sign_compact(self._key, digest_32)

    def sign(self, domain: Domain, message: Message) -> bytes:
        """The compact signature of an order or a cancel, 64 bytes. Raises FieldOutOfRange."""
        return self.sign_digest(digest(domain, message))

    def sign_act(self, domain: Domain, message: Message) -> bytes:
        """The signature of an act, 65 bytes r, s, v. Raises FieldOutOfRange."""
        return signatures.to_rsv(self.sign(domain, message))

    def __repr__(self) -> str:
        return f"Wallet({self.address})"


def read_address(path: Path) -> str:
    """The address that a keystore file names, checksummed, without opening it. Raises KeystoreError."""
    address = _read(path).get("address")
    if not isinstance(address, str):
        raise KeystoreError(f"{path} does not name its address")
    try:
        return checksum_address(address)
    except ValueError as fault:
        raise KeystoreError(f"{path} names no address: {fault}") from fault


def write_private(path: Path, content: bytes) -> None:
    """Creates `path` with mode 0600. Raises KeystoreError when it exists already: a key is never overwritten."""
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    try:
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError as fault:
        raise KeystoreError(f"{path} exists already; a key is never overwritten") from fault
    with os.fdopen(handle, "wb") as file:
        write_through(file, content)


def _utf8(password: str) -> Any:
    """The password as other wallets hash it. eth_keyfile is typed for str, which it would read as Latin text."""
    return password.encode()


def _read(path: Path) -> dict[str, Any]:
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except OSError as fault:
        raise KeystoreError(f"cannot read {path}: {fault.strerror}") from fault
    except ValueError as fault:
        raise KeystoreError(f"{path} is no JSON") from fault
    if not isinstance(content, dict):
        raise KeystoreError(f"{path} is no keystore file")
    return content
