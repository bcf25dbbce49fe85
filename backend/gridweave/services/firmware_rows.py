"""What services read out of firmware's rows."""

from __future__ import annotations

from gridweave.chain.hexes import from_hex
from gridweave.domain.firmware.keys import KeySet
from gridweave.domain.firmware.messages import Release
from gridweave.store.reading import Row

__all__ = ["key_set_of", "release_of"]


def key_set_of(row: Row) -> KeySet:
    """The key set in a row with {version, threshold, members}."""
    return KeySet(row["version"], row["threshold"], row["members"])


def release_of(row: Row) -> Release:
    """What was released."""
    return Release(
        model=row["model"],
        counter=row["counter"],
        floor=row["floor"],
        image_size=row["image_size"],
        image_hash=from_hex(row["image_hash"]),
        manifest_hash=from_hex(row["manifest_hash"]),
        bom_hash=from_hex(row["bom_hash"]),
        source=row["source"],
        least_receipts=row["least_receipts"],
        failure_limit_bp=row["failure_limit_bp"],
        deadline=row["deadline"],
    )
