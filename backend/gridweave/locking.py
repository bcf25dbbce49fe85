"""A file that one process holds at a time: it lets go of it at the latest when it ends, however that happens."""

from __future__ import annotations

import fcntl
from pathlib import Path
from typing import IO

__all__ = ["Taken", "hold"]


class Taken(Exception):
    """Another process holds the file."""


def hold(path: Path) -> IO[str]:
    """Makes the file and its folder; nobody else holds it while the result is open. Raises Taken, OSError."""
    path.parent.mkdir(parents=True, exist_ok=True)
    file = path.open("w")
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        file.close()
        if isinstance(error, BlockingIOError):
            raise Taken(f"{path} is held by another process") from error
        raise
    return file
