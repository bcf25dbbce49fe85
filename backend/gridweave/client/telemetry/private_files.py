"""Files that are replaced whole or not at all, and whose old content is written over: secrets that were erased.

A new file is written beside the old one, synced and renamed in its place; a crash at any instant leaves one of them,
whole. The old one keeps a second name until its bytes are written over with random ones, so that a crash in between is
made up for by whoever writes next. How far that reaches is the file system's: one that copies on write, keeps
snapshots or levels wear has old blocks of its own, and so has every backup.
"""

from __future__ import annotations

import os
import secrets
from pathlib import Path

from gridweave.disk import sync, write_through

__all__ = ["finish_erasing", "replace_private"]

_CHUNK = 1 << 16


def replace_private(path: Path, content: bytes) -> None:
    """Puts `content` into `path`, mode 0600, and writes over what was there. Raises OSError."""
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    finish_erasing(path)
    fresh = path.with_name(f".{path.name}.new")
    if fresh.exists():  # of a write that was cut off: it may hold what is erased since
        _write_over(fresh)
        fresh.unlink()
    handle = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(handle, "wb") as file:
        write_through(file, content)
    if path.exists():
        os.link(path, _old(path))
    fresh.replace(path)
    sync(path.parent)
    finish_erasing(path)


def finish_erasing(path: Path) -> None:
    """Writes over the former content of `path`, if it is still there. Raises OSError."""
    old = _old(path)
    if not old.exists():
        return
    if not (path.exists() and path.samefile(old)):  # else the new file never came in its place
        _write_over(old)
    old.unlink()
    sync(path.parent)


def _old(path: Path) -> Path:
    return path.with_name(f".{path.name}.old")


def _write_over(path: Path) -> None:
    with path.open("r+b") as file:
        left = os.fstat(file.fileno()).st_size
        while left > 0:
            left -= file.write(secrets.token_bytes(min(left, _CHUNK)))
        file.flush()
        os.fsync(file.fileno())
