"""The device's memory: every reading it has signed, on disk before it leaves.

One SQLite file per device. A row is committed with `synchronous=FULL` (fsync) before its signature is handed out, and
(domain, meter, slot, version) is its key, so a device that lost power cannot sign two readings for one version.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

__all__ = ["QueuedReading", "ReadingQueue"]

_SCHEMA = """
CREATE TABLE IF NOT EXISTS readings (
    domain BLOB NOT NULL, meter INTEGER NOT NULL, slot INTEGER NOT NULL, version INTEGER NOT NULL,
    import_wh INTEGER NOT NULL, export_wh INTEGER NOT NULL, signature BLOB NOT NULL, digest TEXT NOT NULL,
    state TEXT NOT NULL DEFAULT 'signed' CHECK (state IN ('signed', 'sent', 'final', 'rejected')), reason TEXT,
    PRIMARY KEY (domain, meter, slot, version)
) WITHOUT ROWID
"""
_FIND = """
SELECT meter, slot, version, import_wh, export_wh, signature, digest, state, reason FROM readings
WHERE domain = ? AND meter = ? AND slot = ? AND version = ?
"""
_IN_STATE = """
SELECT meter, slot, version, import_wh, export_wh, signature, digest, state, reason FROM readings
WHERE domain = ? AND state IN (SELECT value FROM json_each(?)) ORDER BY slot, version, meter
"""


@dataclass(frozen=True)
class QueuedReading:
    """A signed reading (Wh; `signature` 64 bytes) and how far it got: signed, sent, final or rejected(reason)."""

    meter: int
    slot: int
    version: int
    import_wh: int
    export_wh: int
    signature: bytes
    digest: str
    state: str = "signed"
    reason: str | None = None


class ReadingQueue:
    """`domain` is the ledger's EIP-712 separator: readings of another chain or contract never mix with these."""

    def __init__(self, path: Path, domain: bytes) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        self._domain = domain
        self._db = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
        self._db.execute("PRAGMA journal_mode=WAL")
        self._db.execute("PRAGMA synchronous=FULL")
        self._db.execute(_SCHEMA)

    def close(self) -> None:
        self._db.close()

    def find(self, meter: int, slot: int, version: int) -> QueuedReading | None:
        row = self._db.execute(_FIND, (self._domain, meter, slot, version)).fetchone()
        return None if row is None else QueuedReading(*row)

    def add(self, reading: QueuedReading) -> QueuedReading:
        """Stores `reading` durably unless its version is there already; returns what is stored."""
        self._db.execute(
            "INSERT OR IGNORE INTO readings (domain, meter, slot, version, import_wh, export_wh, signature, digest)"
            " VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
            (
                self._domain,
                reading.meter,
                reading.slot,
                reading.version,
                reading.import_wh,
                reading.export_wh,
                reading.signature,
                reading.digest,
            ),
        )
        stored = self.find(reading.meter, reading.slot, reading.version)
        if stored is None:
            raise sqlite3.IntegrityError("a reading just stored is gone")
        return stored

    def mark(self, digest: str, state: str, reason: str | None = None) -> None:
        """Records how far the reading got. A final reading stays final."""
        self._db.execute(
            "UPDATE readings SET state = ?, reason = ? WHERE domain = ? AND digest = ? AND state <> 'final'",
            (state, reason, self._domain, digest),
        )

    def mark_final(self, digests: Iterable[str]) -> None:
        """Records that these are on chain for good, all at once."""
        self._db.execute("BEGIN")
        self._db.executemany(
            "UPDATE readings SET state = 'final' WHERE domain = ? AND digest = ?",
            [(self._domain, digest) for digest in digests],
        )
        self._db.execute("COMMIT")

    def in_state(self, *states: str) -> Iterator[QueuedReading]:
        """Readings in any of `states`, oldest slot first."""
        rows = self._db.execute(_IN_STATE, (self._domain, json.dumps(states))).fetchall()
        return (QueuedReading(*row) for row in rows)

    def latest_version(self, meter: int, slot: int) -> int:
        """The highest version signed for the slot, 0 if none."""
        row = self._db.execute(
            "SELECT max(version) FROM readings WHERE domain = ? AND meter = ? AND slot = ?", (self._domain, meter, slot)
        ).fetchone()
        return int(row[0] or 0)
