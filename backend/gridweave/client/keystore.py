"""A folder of encrypted keys, one file each: `<name>.json` a wallet, `<name>.pem` a device."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from gridweave.client.device_key import DeviceKey
from gridweave.client.errors import KeyNotFound, KeystoreError
from gridweave.client.wallet import Wallet, read_address
from gridweave.domain.acts import KeyKind

__all__ = ["KEYSTORE_ENV", "Keystore", "StoredKey"]

KEYSTORE_ENV = "GRIDWEAVE_KEYSTORE"
_NAME = re.compile(r"[a-zA-Z0-9][a-zA-Z0-9._-]{0,63}")


@dataclass(frozen=True)
class StoredKey:
    """One file of the keystore. `address` is None for a device: its id is known once the key is opened."""

    name: str
    kind: str
    address: str | None
    path: Path


class Keystore:
    """`folder` is made on the first write, readable by its owner alone."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    @classmethod
    def default(cls) -> Keystore:
        """GRIDWEAVE_KEYSTORE, else ~/.gridweave/keys."""
        named = os.environ.get(KEYSTORE_ENV)
        return cls(Path(named) if named else Path.home() / ".gridweave" / "keys")

    def add_wallet(self, name: str, wallet: Wallet, password: str) -> None:
        """Stores a key under `name`. Raises KeystoreError when the name is taken or no file name."""
        wallet.save(self._free(name, ".json"), password)

    def wallet(self, name: str, password: str) -> Wallet:
        """Opens a wallet. Raises KeyNotFound, WrongPassword, KeystoreError."""
        return Wallet.load(self._existing(name, ".json"), password)

    def new_device(self, name: str, kind: KeyKind, password: str) -> DeviceKey:
        """A new device key under `name`. Raises KeystoreError."""
        key = DeviceKey.create(kind)
        key.save(self._free(name, ".pem"), password)
        return key

    def device(self, name: str, password: str) -> DeviceKey:
        """Opens a device's key. Raises KeyNotFound, WrongPassword, KeystoreError."""
        return DeviceKey.load(self._existing(name, ".pem"), password)

    def address_of(self, name: str) -> str:
        """A wallet's address, without its password. Raises KeyNotFound, KeystoreError."""
        return read_address(self._existing(name, ".json"))

    def __iter__(self) -> Iterator[StoredKey]:
        """Every key file, by name. A file that names no address is listed without one."""
        files = sorted(self.folder.iterdir()) if self.folder.is_dir() else []
        for path in files:
            if path.suffix == ".pem":
                yield StoredKey(path.stem, "device", None, path)
            elif path.suffix == ".json":
                yield StoredKey(path.stem, "wallet", _address_or_none(path), path)

    def _free(self, name: str, suffix: str) -> Path:
        path = self._path(name, suffix)
        if self._path(name, ".json").exists() or self._path(name, ".pem").exists():
            raise KeystoreError(f"there is a key {name} in {self.folder} already; choose another name")
        return path

    def _existing(self, name: str, suffix: str) -> Path:
        path = self._path(name, suffix)
        if not path.exists():
            kind, command = ("wallet", "keys new") if suffix == ".json" else ("device key", "device new")
            if suffix == ".json" and self._path(name, ".pem").exists():
                raise KeyNotFound(f"{name} is a device's key: name the device by its id, 0x and 40 digits")
            raise KeyNotFound(f"no {kind} {name} in {self.folder}; make one with: gridweave {command} {name}")
        return path

    def _path(self, name: str, suffix: str) -> Path:
        if not _NAME.fullmatch(name):
            raise KeystoreError(f"a key's name is letters, digits, dot, dash and underscore, not {name!r}")
        return self.folder / (name + suffix)


def _address_or_none(path: Path) -> str | None:
    try:
        return read_address(path)
    except KeystoreError:
        return None
