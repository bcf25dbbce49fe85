"""What a spool says of each stream, for whoever looks after a gateway; it may be running meanwhile."""

from __future__ import annotations

import sqlite3
from pathlib import Path
from typing import Any

from gridweave.domain.anchors import device_of
from gridweave.gateway.spool import Standing, standings

__all__ = ["SpoolNotFound", "look_at"]

Json = dict[str, Any]


class SpoolNotFound(Exception):
    """There is no spool in this folder."""


def look_at(folder: Path, now_ms: int) -> list[Json]:
    """A row for each stream; `waitingMs`: how long the oldest kept segment has been here. Raises SpoolNotFound."""
    file = folder / "spool.db"
    if not file.is_file():
        raise SpoolNotFound(f"no gateway ever ran with {folder}: see `gridweave gateway run --help`")
    db = sqlite3.connect(f"file:{file}?mode=ro", uri=True)
    try:
        return [_row(standing, now_ms) for standing in standings(db)]
    except sqlite3.OperationalError as fault:
        raise SpoolNotFound(f"{file} cannot be read: {fault}") from fault
    finally:
        db.close()


def _row(standing: Standing, now_ms: int) -> Json:
    return {
        "stream": "0x" + standing.stream.hex(),
        "device": device_of(standing.stream),
        "nextIndex": standing.next_index,
        "finalIndex": standing.base_index,
        "readingsKept": standing.spooled,
        "bytesKept": standing.bytes_kept,
        "waitingMs": max(0, now_ms - standing.since_ms) if standing.since_ms else 0,
        "batches": standing.batch,
        "readingsTaken": standing.taken,
        "readingsLate": standing.late,
        "trouble": standing.trouble,
    }
