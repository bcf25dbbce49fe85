"""The memory of a stream's device: what it signed, on disk before it leaves. One SQLite file for each stream.

It holds the messages that no gateway has acknowledged, the leaf hashes of what is not yet anchored for good (32 bytes a
reading), and the batches signed since. A row is committed with `synchronous=FULL` (fsync) before a signature is handed
out, so a device that lost power signs the same bytes again, and nothing else in their place.
"""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from gridweave.domain.anchors import NO_HEAD, Batch
from gridweave.domain.telemetry.gateway_errors import MemoryOfOtherStream
from gridweave.domain.telemetry.segments import Segment, StreamTail

__all__ = ["Kept", "SignedPlace", "StreamMemory"]

_SCHEMA = """
CREATE TABLE IF NOT EXISTS stream (
    stream BLOB PRIMARY KEY, domain BLOB NOT NULL, key_name TEXT NOT NULL,
    next_index INTEGER NOT NULL, last_ms INTEGER NOT NULL, head BLOB NOT NULL,
    acked_index INTEGER NOT NULL, acked_head BLOB NOT NULL,
    final_index INTEGER NOT NULL, final_head BLOB NOT NULL, committed_head BLOB NOT NULL
);
CREATE TABLE IF NOT EXISTS segments (
    first_index INTEGER PRIMARY KEY, end_index INTEGER NOT NULL, first_ms INTEGER NOT NULL, last_ms INTEGER NOT NULL,
    head BLOB NOT NULL, leaf_hashes BLOB NOT NULL, message BLOB
);
CREATE TABLE IF NOT EXISTS batches (
    head BLOB PRIMARY KEY, previous_head BLOB NOT NULL, first_index INTEGER NOT NULL, end_index INTEGER NOT NULL,
    epoch INTEGER NOT NULL
);
"""


@dataclass(frozen=True)
class Kept:
    """A segment not anchored for good: its hashes, 32 bytes a reading, and its message until it is acknowledged."""

    first_index: int
    end_index: int
    first_ms: int
    last_ms: int
    head: bytes
    leaf_hashes: bytes
    message: bytes | None


@dataclass(frozen=True)
class SignedPlace:
    """A batch that was signed, as far as it says where the next one goes."""

    head: bytes
    previous_head: bytes
    first_index: int
    end_index: int
    epoch: int


class StreamMemory:
    """`key_name` is that of the key which made the signatures in here. Raises MemoryOfOtherStream, sqlite3.Error."""

    def __init__(self, path: Path, stream: bytes, domain: bytes, key_name: str) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch(mode=0o600)
        os.chmod(path, 0o600)  # noqa: PTH101 - a file that was there
        self._db = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
        self._db.execute("PRAGMA journal_mode=WAL")
        self._db.execute("PRAGMA synchronous=FULL")
        self._db.executescript(_SCHEMA)
        start = StreamTail.start(stream)
        begun = (stream, domain, key_name, 0, 0, start.head, 0, start.head, 0, NO_HEAD, NO_HEAD)
        with self._writing():
            if not self._db.execute("SELECT 1 FROM stream").fetchone():
                self._db.execute("INSERT INTO stream VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)", begun)
        kept = self._one("SELECT stream, domain FROM stream")
        if kept != (stream, domain):
            raise MemoryOfOtherStream("0x" + kept[0].hex())
        self.stream = stream

    def close(self) -> None:
        self._db.close()

    @property
    def key_name(self) -> str:
        """Of the key that signed what waits."""
        return str(self._one("SELECT key_name FROM stream")[0])

    @property
    def tail(self) -> StreamTail:
        """What the next segment continues."""
        return StreamTail(self.stream, *self._one("SELECT next_index, last_ms, head FROM stream"))

    @property
    def acknowledged(self) -> tuple[int, bytes]:
        """Index up to which a gateway has everything, and the head there."""
        index, head = self._one("SELECT acked_index, acked_head FROM stream")
        return int(index), bytes(head)

    @property
    def final(self) -> tuple[int, bytes]:
        """Index up to which everything is anchored for good, and the head of the batch that did it."""
        index, head = self._one("SELECT final_index, final_head FROM stream")
        return int(index), bytes(head)

    @property
    def committed_head(self) -> bytes:
        """Head of the last signed batch that is known to be anchored."""
        return bytes(self._one("SELECT committed_head FROM stream")[0])

    @property
    def waiting_bytes(self) -> int:
        """Size of the messages that wait."""
        return int(self._one("SELECT coalesce(sum(length(message)), 0) FROM segments")[0])

    def add(self, segment: Segment, leaf_hashes: Sequence[bytes], message: bytes) -> None:
        """Keeps a signed segment, durably, and moves the tail."""
        end, hashes = segment.end_index, b"".join(leaf_hashes)
        row = segment.first_index, end, segment.first_ms, segment.last_ms, segment.head, hashes, message
        with self._writing():
            self._db.execute("INSERT INTO segments VALUES (?, ?, ?, ?, ?, ?, ?)", row)
            self._db.execute(
                "UPDATE stream SET next_index = ?, last_ms = ?, head = ?", (end, segment.last_ms, segment.head)
            )

    def unacknowledged(self, after: int, most: int) -> list[tuple[int, int, bytes]]:
        """First and end index and message of what waits from `after` on."""
        found = self._db.execute(
            "SELECT first_index, end_index, message FROM segments WHERE first_index >= ? AND message IS NOT NULL"
            " ORDER BY first_index LIMIT ?",
            (after, most),
        )
        return [(int(first), int(end), bytes(message)) for first, end, message in found]

    def head_at(self, index: int) -> bytes | None:
        """The chain's head before reading `index`, if a segment that is kept ends there."""
        acked, head = self.acknowledged
        if index == acked:
            return head
        row = self._db.execute("SELECT head FROM segments WHERE end_index = ?", (index,)).fetchone()
        return None if row is None else bytes(row[0])

    def acknowledge(self, index: int, head: bytes) -> None:
        """The gateway has everything below `index`: the messages go."""
        with self._writing():
            self._db.execute("UPDATE stream SET acked_index = ?, acked_head = ?", (index, head))
            self._db.execute("UPDATE segments SET message = NULL WHERE end_index <= ?", (index,))
            self._forget()

    def resign(self, key_name: str, signed: Sequence[tuple[int, bytes]]) -> None:
        """Puts messages, by first index, in place of those that another key signed."""
        with self._writing():
            self._db.execute("UPDATE stream SET key_name = ?", (key_name,))
            self._db.executemany(
                "UPDATE segments SET message = ? WHERE first_index = ?",
                [(message, first_index) for first_index, message in signed],
            )

    def within(self, first_index: int, end_index: int) -> list[Kept]:
        """The segments of readings [first_index, end_index), as far as they are kept."""
        found = self._db.execute(
            "SELECT * FROM segments WHERE first_index >= ? AND end_index <= ? ORDER BY first_index",
            (first_index, end_index),
        )
        return [Kept(*row) for row in found]

    def signed(self) -> list[SignedPlace]:
        """Batches signed since the last that is final."""
        found = self._db.execute("SELECT * FROM batches ORDER BY first_index, epoch")
        return [SignedPlace(*row) for row in found]

    def add_batch(self, batch: Batch) -> None:
        """Remembers that this batch is being signed, durably."""
        place = batch.head, batch.previous_head, batch.first_index, batch.first_index + batch.count, batch.epoch
        with self._writing():
            self._db.execute("INSERT OR IGNORE INTO batches VALUES (?, ?, ?, ?, ?)", place)

    def commit(self, head: bytes) -> None:
        """A signed batch is anchored, though not yet for good."""
        with self._writing():
            self._db.execute("UPDATE stream SET committed_head = ?", (head,))

    def finalise(self, place: SignedPlace) -> None:
        """A signed batch is anchored for good: what leads to it is forgotten."""
        with self._writing():
            self._db.execute("UPDATE stream SET final_index = ?, final_head = ?", (place.end_index, place.head))
            self._db.execute("DELETE FROM batches WHERE first_index < ?", (place.end_index,))
            self._forget()

    def _forget(self) -> None:
        """Leaf hashes of what is final, once it is acknowledged too."""
        self._db.execute("DELETE FROM segments WHERE message IS NULL AND end_index <= (SELECT final_index FROM stream)")

    def _one(self, query: str) -> tuple[Any, ...]:
        row: tuple[Any, ...] = self._db.execute(query).fetchone()
        return row

    @contextmanager
    def _writing(self) -> Iterator[None]:
        self._db.execute("BEGIN IMMEDIATE")
        try:
            yield
        except BaseException:
            self._db.execute("ROLLBACK")
            raise
        self._db.execute("COMMIT")
