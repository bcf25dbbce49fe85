"""What a loss of power does not take: bytes that are on disk, and names that are.

A new name is on disk once its folder is, which a file's own bytes do not bring with them.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import IO, AnyStr

__all__ = ["replace", "sync", "write_through"]


def write_through(file: IO[AnyStr], content: AnyStr) -> None:
    """Returns once all that was written to the open file, `content` last, is on disk. Raises OSError."""
    file.write(content)
    file.flush()
    os.fsync(file.fileno())


def replace(path: Path, content: bytes, mode: int = 0o666) -> None:
    """Puts `content` into a file, new or not, whole or not at all; its name is on disk, too. One writer at a time.

    `mode` is less what the umask takes. Raises OSError.
    """
    fresh = path.with_name(f".{path.name}.new")
    fresh.unlink(missing_ok=True)  # of a write that was cut off
    with os.fdopen(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode), "wb") as file:
        write_through(file, content)
    fresh.replace(path)
    sync(path.parent)


def sync(path: Path) -> None:
    """Returns once a file's bytes, or a folder's names, are on disk. Raises OSError."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
