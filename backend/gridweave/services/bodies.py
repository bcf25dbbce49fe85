"""Sealed bodies and schemas by their SHA-256: files beside the outbox, for what the chain keeps the hash of alone.

A file is whole or not there: it is written under another name, flushed to disk, and renamed. Nothing in here is secret.
"""

from __future__ import annotations

import asyncio
import hashlib
import secrets
from pathlib import Path

from gridweave.disk import sync, write_through
from gridweave.services.errors import Unavailable

__all__ = ["BODIES", "BodyStore"]

BODIES = "bodies"
"""The folder's name among a service's."""


class BodyStore:
    """Files below `folder`, each under its hash in hex."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    async def keep(self, content: bytes) -> None:
        """Returns once it is on disk. Raises Unavailable where it cannot be."""
        await asyncio.to_thread(self._keep, content)

    async def find(self, hash_: bytes) -> bytes | None:
        """What hashes to that; a file that does not any more is not found, and written anew by who keeps it again."""
        return await asyncio.to_thread(self._find, hash_)

    def _keep(self, content: bytes) -> None:
        """Whoever finds the file there flushes its name too: who renamed it may not have come to that."""
        hash_ = hashlib.sha256(content).digest()
        path = self._path(hash_)
        try:
            if self._find(hash_) is None:
                path.parent.mkdir(parents=True, exist_ok=True)
                _put(path, content)
            _flush(path.parent, self.folder, self.folder.parent)
        except OSError as fault:
            raise Unavailable(f"the disk of sealed bodies ({fault.strerror})") from fault

    def _find(self, hash_: bytes) -> bytes | None:
        path = self._path(hash_)
        try:
            content = path.read_bytes()
        except FileNotFoundError:
            return None
        except OSError as fault:
            raise Unavailable(f"the disk of sealed bodies ({fault.strerror})") from fault
        return content if hashlib.sha256(content).digest() == hash_ else None

    def _path(self, hash_: bytes) -> Path:
        name = hash_.hex()
        return self.folder / name[:2] / name


def _put(path: Path, content: bytes) -> None:
    partial = path.with_name(f"{path.name}.{secrets.token_hex(8)}")
    try:
        with partial.open("xb") as file:
            write_through(file, content)
        partial.replace(path)
    except OSError:
        partial.unlink(missing_ok=True)
        raise


def _flush(*folders: Path) -> None:
    """A new name is on disk once its folder is."""
    for folder in folders:
        sync(folder)
