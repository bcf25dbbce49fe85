"""The owner's key file: encrypted, written whole and synced before anything relies on it.

Who loses it or its password has lost what was measured; who keeps a copy made before an erasure has not erased.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from gridweave.client.errors import KeyNotFound, KeystoreError
from gridweave.client.telemetry.private_files import finish_erasing, replace_private
from gridweave.client.telemetry.sealed_file import WORK, seal, unseal
from gridweave.client.telemetry.stream_keys import OwnerKeys
from gridweave.locking import Taken, hold

__all__ = ["KeyFile"]

_PURPOSE = "stream keys"


class KeyFile:
    """An owner's keys at `path`, under `password`. `work` is scrypt's n for what is written."""

    def __init__(self, path: Path, password: str, *, work: int = WORK) -> None:
        self.path = path
        self._password, self._work = password, work

    def __repr__(self) -> str:
        return f"KeyFile({self.path})"

    def read(self) -> OwnerKeys:
        """Raises KeyNotFound, WrongPassword, KeystoreError, and as OwnerKeys.decode."""
        try:
            raw = self.path.read_bytes()
        except FileNotFoundError as fault:
            said = f"there are no stream keys {self.path}; gridweave telemetry open-stream makes them"
            raise KeyNotFound(said) from fault
        except OSError as fault:
            raise KeystoreError(f"cannot read {self.path}: {fault.strerror}") from fault
        return OwnerKeys.decode(unseal(raw, self._password, _PURPOSE))

    def change(self, change: Callable[[OwnerKeys], OwnerKeys]) -> OwnerKeys:
        """Puts what `change` makes of the keys in their place, and writes over the old ones; a first file is made.

        One process at a time. Raises as `read`, what `change` raises, and KeystoreError where it cannot be written.
        """
        try:
            with hold(self.path.with_name(f".{self.path.name}.lock")):
                finish_erasing(self.path)
                before = self.read() if self.path.exists() else OwnerKeys()
                after = change(before)
                replace_private(self.path, seal(after.encode(), self._password, _PURPOSE, work=self._work))
                return after
        except Taken as fault:
            raise KeystoreError(f"another process is changing {self.path}; try again") from fault
        except OSError as fault:
            raise KeystoreError(f"cannot write {self.path}: {fault.strerror}") from fault
