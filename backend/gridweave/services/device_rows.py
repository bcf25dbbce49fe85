"""What services read out of a device's row."""

from __future__ import annotations

from gridweave.chain.hexes import from_hex
from gridweave.domain.acts import KeyKind
from gridweave.domain.device_keys import DevicePublicKey
from gridweave.store.reading import Row

__all__ = ["key_of"]


def key_of(row: Row) -> DevicePublicKey:
    """The key in a row with {key_kind, x, y}: a device's present one, or one that was told."""
    return DevicePublicKey(KeyKind(row["key_kind"]), from_hex(row["x"]), from_hex(row["y"]))
