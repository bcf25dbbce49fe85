"""The window keys that owners gave the gateway: files `<stream in hex>.<epoch>.keys` in one folder, its owner's alone.

A file is looked for when its epoch is to be sealed, so an owner adds one without a restart. What it holds is up to the
owner: a gateway that has the windows of the next month can seal these and read no others.
"""

from __future__ import annotations

from pathlib import Path

from gridweave.domain.telemetry.errors import KeysMalformed
from gridweave.domain.telemetry.gateway_errors import EpochKeysMissing, KeysNotGiven
from gridweave.domain.telemetry.keytree import WindowKeys

__all__ = ["KeyRing"]


class KeyRing:
    """The keys in `folder`, read again when their file has changed."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._read: dict[Path, tuple[int, WindowKeys]] = {}

    def must_know(self, stream: bytes) -> None:
        """Return if there are keys of any epoch. Raises KeysNotGiven."""
        if not any(self._folder.glob(f"{stream.hex()}.*.keys")):
            raise KeysNotGiven("0x" + stream.hex())

    def keys(self, stream: bytes, epoch: int) -> WindowKeys:
        """The keys of an epoch. Raises EpochKeysMissing, KeysMalformed."""
        path = self._folder / f"{stream.hex()}.{epoch}.keys"
        try:
            changed = path.stat().st_mtime_ns
            kept = self._read.get(path)
            if kept is None or kept[0] != changed:
                kept = self._read[path] = (changed, WindowKeys.decode(path.read_bytes()))
        except OSError as fault:
            self._read.pop(path, None)
            raise EpochKeysMissing("0x" + stream.hex(), epoch) from fault
        if kept[1].epoch != epoch:
            raise KeysMalformed(f"{path.name} holds keys of epoch {kept[1].epoch}")
        return kept[1]
