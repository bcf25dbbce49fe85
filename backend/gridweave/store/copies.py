"""Copies of an outbox that is a file: taken while a service works with it, checked, and marked when put back."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from gridweave.store.errors import StoreUnavailable

__all__ = ["RESTORED", "Copy", "copy_outbox", "mark_restored"]

RESTORED = "restored"
"""The fact that an outbox was put back from a copy, and has not yet looked for what happened since."""


@dataclass(frozen=True)
class Copy:
    """What an outbox says of itself: its facts, its schema's revision, items ever accepted and not final yet."""

    facts: dict[str, str]
    revision: str
    accepted: int
    pending: int


def copy_outbox(source: Path, target: Path) -> Copy:
    """One consistent state of the outbox, as of now, whoever writes meanwhile. Raises StoreUnavailable."""
    try:
        with closing(sqlite3.connect(source, timeout=30)) as ours, closing(sqlite3.connect(target)) as theirs:
            ours.backup(theirs)
            return _look(theirs)
    except sqlite3.Error as error:
        raise StoreUnavailable(f"{source} cannot be copied: {error}") from error


def mark_restored(file: Path) -> Copy:
    """Checks a copy and says in it that it was put back. Raises StoreUnavailable."""
    try:
        with closing(sqlite3.connect(file)) as found:
            copy = _look(found)
            with found:
                found.execute("INSERT OR REPLACE INTO facts (name, value) VALUES (?, 'yes')", (RESTORED,))
            found.execute("PRAGMA wal_checkpoint(TRUNCATE)")
            return copy
    except sqlite3.Error as error:
        raise StoreUnavailable(f"the outbox in the backup cannot be read: {error}") from error


def _look(database: sqlite3.Connection) -> Copy:
    (verdict,) = database.execute("PRAGMA quick_check").fetchone()
    if verdict != "ok":
        raise StoreUnavailable(f"the copy of the outbox is damaged: {verdict}")
    (revision,) = database.execute("SELECT version_num FROM alembic_version").fetchone()
    (accepted,) = database.execute("SELECT coalesce(max(seq), 0) FROM items").fetchone()
    (pending,) = database.execute("SELECT count(*) FROM items WHERE final = 0").fetchone()
    return Copy(dict(database.execute("SELECT name, value FROM facts")), revision, accepted, pending)
