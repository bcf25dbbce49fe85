"""The gateway's disk: segments from their acknowledgement until their batch is final, and batches on their way.

One SQLite file in write-ahead mode with `synchronous=FULL`: what `add` returns from has been fsynced, and a kill at any
instant leaves either all of a transaction or nothing. Calls block; one thread makes them.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from enum import Enum
from pathlib import Path
from typing import IO

from gridweave.domain.anchors import NO_HEAD, Batch
from gridweave.domain.telemetry.gateway_errors import SpoolUnwritable
from gridweave.domain.telemetry.segments import Segment, StreamTail
from gridweave.locking import hold

__all__ = ["BatchState", "Known", "NewSegment", "Spool", "SpooledBatch", "Standing", "Waiting"]

_SCHEMA = """
CREATE TABLE IF NOT EXISTS streams (
    stream BLOB PRIMARY KEY, next_index INTEGER NOT NULL, last_ms INTEGER NOT NULL, head BLOB NOT NULL,
    base_index INTEGER NOT NULL, base_head BLOB NOT NULL, final_head BLOB NOT NULL, known BLOB NOT NULL,
    taken INTEGER NOT NULL DEFAULT 0, late INTEGER NOT NULL DEFAULT 0, anchored INTEGER NOT NULL DEFAULT 0,
    trouble TEXT NOT NULL DEFAULT ''
);
CREATE TABLE IF NOT EXISTS segments (
    stream BLOB NOT NULL, first_index INTEGER NOT NULL, count INTEGER NOT NULL, head BLOB NOT NULL,
    received_ms INTEGER NOT NULL, late_ms INTEGER NOT NULL, message BLOB NOT NULL, PRIMARY KEY (stream, first_index)
);
CREATE TABLE IF NOT EXISTS batches (
    stream BLOB NOT NULL, first_index INTEGER NOT NULL, count INTEGER NOT NULL, first_ms INTEGER NOT NULL,
    last_ms INTEGER NOT NULL, epoch INTEGER NOT NULL, previous_head BLOB NOT NULL, root BLOB NOT NULL,
    body_hash BLOB NOT NULL, body BLOB NOT NULL, state TEXT NOT NULL, signature BLOB, request TEXT,
    PRIMARY KEY (stream, first_index, epoch, previous_head)
);
"""
_PLACE = "stream = ? AND first_index = ? AND epoch = ? AND previous_head = ?"
_BATCH = "stream, first_index, count, first_ms, last_ms, epoch, previous_head, root, body_hash"


class BatchState(Enum):
    """How far a batch has come. What is final is not kept.

    A batch is shelved when another epoch overtakes it. Should blocks be undone, and with them that epoch, it is taken
    up again: its device signs one batch for each place and epoch, and no other.
    """

    SEALED = "sealed"
    SIGNED = "signed"
    SENT = "sent"
    COMMITTED = "committed"
    SHELVED = "shelved"


@dataclass(frozen=True)
class NewSegment:
    """A verified segment; times are milliseconds of the gateway's clock."""

    segment: Segment
    message: bytes
    received_ms: int
    late_ms: int


@dataclass(frozen=True)
class SpooledBatch:
    """A sealed batch but for its body, its device's signature once given, the service's id once it was handed over."""

    batch: Batch
    state: BatchState
    signature: bytes | None = None
    request: str | None = None

    @property
    def end_index(self) -> int:
        """Of the reading that follows."""
        return self.batch.first_index + self.batch.count

    @property
    def place(self) -> tuple[bytes, int, int, bytes]:
        """What no two batches of a spool share."""
        batch = self.batch
        return batch.stream, batch.first_index, batch.epoch, batch.previous_head


@dataclass(frozen=True)
class Waiting:
    """Segments in no batch yet: readings, and when the first came in (gateway's clock, 0 if there are none)."""

    readings: int
    since_ms: int


@dataclass(frozen=True)
class Known:
    """What outlives a restart of a stream: its tail, where its next batch goes if none is on its way, the head of the
    last one that is final, what the service said of it.
    """

    tail: StreamTail
    base_index: int
    base_head: bytes
    final_head: bytes
    facts: bytes


@dataclass(frozen=True)
class Standing:
    """A stream for whoever looks after the gateway."""

    stream: bytes
    next_index: int
    base_index: int
    spooled: int
    bytes_kept: int
    since_ms: int
    batch: str
    taken: int
    late: int
    anchored: int
    trouble: str


class Spool:
    """Holds `folder` for itself. Raises locking.Taken, OSError, sqlite3.Error."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        self._held: IO[str] = hold(folder / "spool.lock")
        self._db = sqlite3.connect(folder / "spool.db", isolation_level=None, check_same_thread=False)
        for pragma in ("journal_mode=WAL", "synchronous=FULL", "cache_size=-16000"):
            self._db.execute(f"PRAGMA {pragma}")
        self._db.executescript(_SCHEMA)
        self.bytes_kept = self._number(
            "SELECT coalesce((SELECT sum(length(message)) FROM segments), 0)"
            " + coalesce((SELECT sum(length(body)) FROM batches), 0)"
        )

    def close(self) -> None:
        """Lets go of the folder."""
        self._db.close()
        self._held.close()

    # streams

    def streams(self) -> list[bytes]:
        """Those that were ever met."""
        return [bytes(stream) for (stream,) in self._db.execute("SELECT stream FROM streams ORDER BY stream")]

    def known(self, stream: bytes) -> Known | None:
        """What is remembered of a stream."""
        query = (
            "SELECT next_index, last_ms, head, base_index, base_head, final_head, known FROM streams WHERE stream = ?"
        )
        row = self._db.execute(query, (stream,)).fetchone()
        return None if row is None else Known(StreamTail(stream, *row[:3]), *row[3:])

    def meet(self, tail: StreamTail, base_index: int, base_head: bytes, facts: bytes) -> None:
        """Remembers a stream that was not known. Raises SpoolUnwritable."""
        row = tail.stream, tail.next_index, tail.last_ms, tail.head, base_index, base_head, NO_HEAD, facts
        columns = "stream, next_index, last_ms, head, base_index, base_head, final_head, known"
        with self._writing():
            self._db.execute(f"INSERT OR IGNORE INTO streams ({columns}) VALUES (?, ?, ?, ?, ?, ?, ?, ?)", row)  # noqa: S608

    def learn(self, stream: bytes, facts: bytes) -> None:
        """Remembers what the service says now. Raises SpoolUnwritable."""
        with self._writing():
            self._db.execute("UPDATE streams SET known = ? WHERE stream = ?", (facts, stream))

    def rebase(self, stream: bytes, base_index: int, base_head: bytes) -> None:
        """The chain has the stream up to there, whoever brought it; what is kept stays, for that may not be final yet.

        Raises SpoolUnwritable.
        """
        with self._writing():
            self._shelve(stream, 0)
            self._db.execute(
                "UPDATE streams SET base_index = ?, base_head = ? WHERE stream = ?", (base_index, base_head, stream)
            )

    def has_from(self, stream: bytes, index: int) -> bool:
        """Whether all segments from there on are kept; there may be none."""
        query = "SELECT 1 FROM segments WHERE stream = ? AND first_index = ?"
        if self._db.execute(query, (stream, index)).fetchone():
            return True
        (next_index,) = self._db.execute("SELECT next_index FROM streams WHERE stream = ?", (stream,)).fetchone()
        return bool(next_index == index)

    def note(self, stream: bytes, trouble: str) -> None:
        """What keeps the stream from going on, by name; empty: nothing does. Raises SpoolUnwritable."""
        with self._writing():
            self._db.execute("UPDATE streams SET trouble = ? WHERE stream = ?", (trouble, stream))

    # segments

    def add(self, segments: Sequence[NewSegment]) -> None:
        """Keeps segments, each following the one before of its stream, all of them or none. Raises SpoolUnwritable."""
        with self._writing():
            self._db.executemany(
                "INSERT INTO segments VALUES (?, ?, ?, ?, ?, ?, ?)",
                [
                    (s.stream, s.first_index, s.count, s.head, new.received_ms, new.late_ms, new.message)
                    for new in segments
                    for s in (new.segment,)
                ],
            )
            self._db.executemany(
                "UPDATE streams SET next_index = ?, last_ms = ?, head = ?, taken = taken + ?, late = late + ?"
                " WHERE stream = ?",
                [
                    (s.end_index, s.last_ms, s.head, s.count, s.count if new.late_ms else 0, s.stream)
                    for new in segments
                    for s in (new.segment,)
                ],
            )
        self.bytes_kept += sum(len(new.message) for new in segments)

    def head_of(self, stream: bytes, first_index: int) -> bytes | None:
        """The head after the segment that begins there, if it is still kept."""
        query = "SELECT head FROM segments WHERE stream = ? AND first_index = ?"
        row = self._db.execute(query, (stream, first_index)).fetchone()
        return None if row is None else bytes(row[0])

    def waiting(self, stream: bytes, from_index: int) -> Waiting:
        """What is kept from there on."""
        query = "SELECT coalesce(sum(count), 0), coalesce(min(received_ms), 0) FROM segments"
        return Waiting(
            *self._db.execute(f"{query} WHERE stream = ? AND first_index >= ?", (stream, from_index)).fetchone()
        )

    def messages(self, stream: bytes, from_index: int, most_readings: int, most_bytes: int) -> list[bytes]:
        """Messages in order, the first in any case, and no more than these readings and bytes."""
        query = "SELECT count, message FROM segments WHERE stream = ? AND first_index >= ? ORDER BY first_index"
        found: list[bytes] = []
        for count, message in self._db.execute(query, (stream, from_index)):
            most_readings, most_bytes = most_readings - count, most_bytes - len(message)
            if found and min(most_readings, most_bytes) < 0:
                break
            found.append(bytes(message))
        return found

    # batches

    def batches(self, stream: bytes) -> list[SpooledBatch]:
        """The stream's batches that are on their way, in order."""
        return [row for row in self._all_batches(stream) if row.state is not BatchState.SHELVED]

    def take_up(self, stream: bytes, first_index: int, epoch: int, previous_head: bytes) -> SpooledBatch | None:
        """The batch of this place that was shelved, on its way again. Raises SpoolUnwritable."""
        wanted = stream, first_index, epoch, previous_head
        found = next((row for row in self._all_batches(stream) if row.place == wanted), None)
        if found is not None:
            state = BatchState.SIGNED if found.signature else BatchState.SEALED
            self.move(found, state, found.signature, None)
        return found

    def _all_batches(self, stream: bytes) -> list[SpooledBatch]:
        query = f"SELECT {_BATCH}, state, signature, request FROM batches WHERE stream = ? ORDER BY first_index"  # noqa: S608
        return [
            SpooledBatch(Batch(*row[:9]), BatchState(row[9]), *row[10:]) for row in self._db.execute(query, (stream,))
        ]

    def body(self, kept: SpooledBatch) -> bytes:
        """What was sealed."""
        return bytes(self._db.execute(f"SELECT body FROM batches WHERE {_PLACE}", kept.place).fetchone()[0])  # noqa: S608

    def keep(self, batch: Batch, body: bytes) -> None:
        """Keeps a sealed batch. Raises SpoolUnwritable."""
        row = tuple(getattr(batch, name.strip()) for name in _BATCH.split(","))
        with self._writing():
            self._db.execute(
                "INSERT INTO batches VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, NULL, NULL)",
                (*row, body, BatchState.SEALED.value),
            )
        self.bytes_kept += len(body)

    def move(self, kept: SpooledBatch, state: BatchState, signature: bytes | None, request: str | None) -> None:
        """Notes how far a batch has come. Raises SpoolUnwritable."""
        with self._writing():
            self._db.execute(
                f"UPDATE batches SET state = ?, signature = ?, request = ? WHERE {_PLACE}",  # noqa: S608
                (state.value, signature, request, *kept.place),
            )

    def shelve(self, stream: bytes, from_index: int) -> None:
        """Puts batches from there on aside; their readings wait to be sealed again. Raises SpoolUnwritable."""
        with self._writing():
            self._shelve(stream, from_index)

    def finish(self, kept: SpooledBatch) -> None:
        """The batch is final: it and its segments go. Raises SpoolUnwritable."""
        batch = kept.batch
        with self._writing():
            freed = self._db.execute(
                "DELETE FROM batches WHERE stream = ? AND first_index < ? RETURNING length(body)",
                (batch.stream, kept.end_index),
            ).fetchall()
            self._shrunk += sum(length for (length,) in freed)
            self._settle(batch.stream, kept.end_index, batch.head)

    def _settle(self, stream: bytes, index: int, head: bytes) -> None:
        freed = self._db.execute(
            "DELETE FROM segments WHERE stream = ? AND first_index + count <= ? RETURNING count, length(message)",
            (stream, index),
        ).fetchall()
        self._shrunk += sum(length for _, length in freed)
        self._db.execute(
            "UPDATE streams SET base_index = ?, base_head = ?, final_head = ?, anchored = anchored + ?"
            " WHERE stream = ?",
            (index, head, head, sum(count for count, _ in freed), stream),
        )

    def _shelve(self, stream: bytes, from_index: int) -> None:
        self._db.execute(
            "UPDATE batches SET state = ?, request = NULL WHERE stream = ? AND first_index >= ?",
            (BatchState.SHELVED.value, stream, from_index),
        )

    # looking

    def standings(self) -> list[Standing]:
        """Every stream."""
        return standings(self._db)

    def _number(self, query: str) -> int:
        return int(self._db.execute(query).fetchone()[0])

    @contextmanager
    def _writing(self) -> Iterator[None]:
        """All of it or nothing, fsynced at the end. A disk that does not take it is a refusal by name."""
        self._shrunk = 0
        try:
            self._db.execute("BEGIN IMMEDIATE")
            yield
            self._db.execute("COMMIT")
        except BaseException as fault:
            if self._db.in_transaction:
                self._db.execute("ROLLBACK")
            if isinstance(fault, sqlite3.OperationalError):
                raise SpoolUnwritable(str(fault)) from fault
            raise
        self.bytes_kept -= self._shrunk


def standings(db: sqlite3.Connection) -> list[Standing]:
    """Every stream in a spool."""
    query = """
    SELECT stream, next_index, base_index,
        (SELECT coalesce(sum(count), 0) FROM segments s WHERE s.stream = t.stream),
        (SELECT coalesce(sum(length(message)), 0) FROM segments s WHERE s.stream = t.stream),
        (SELECT coalesce(min(received_ms), 0) FROM segments s WHERE s.stream = t.stream),
        coalesce((SELECT group_concat(state) FROM batches b WHERE b.stream = t.stream AND state <> 'shelved'), ''),
        taken, late, anchored, trouble
    FROM streams t ORDER BY stream
    """
    return [Standing(*row) for row in db.execute(query)]


START = 0, NO_HEAD
"""Index and head before a stream's first batch."""
