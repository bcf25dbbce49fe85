"""Development keys of a local chain: drawn when it is created, in plain files of mode 0600.

They are worth nothing: the chain is private, its id its own, and no known mnemonic is used anywhere.
"""

from __future__ import annotations

import os
import secrets
from collections.abc import Mapping
from pathlib import Path

from gridweave.chain import Signer, load_signer

__all__ = ["ROLES", "DevKeys"]

ROLES = ("admin", "operator", "utility", "maker", "relayer")


class DevKeys:
    """One signer per role."""

    def __init__(self, signers: Mapping[str, Signer]) -> None:
        self._signers = dict(signers)

    @classmethod
    def load_or_draw(cls, folder: Path) -> DevKeys:
        """The keys in `folder`, drawing those that are missing."""
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        return cls({role: _load_or_draw(cls.path(folder, role)) for role in ROLES})

    @staticmethod
    def path(folder: Path, role: str) -> Path:
        """The file of one role's key, plain hex."""
        return folder / f"{role}.dev-key"

    def __getitem__(self, role: str) -> Signer:
        return self._signers[role]

    @property
    def addresses(self) -> dict[str, str]:
        """Address by role."""
        return {role: signer.address for role, signer in self._signers.items()}


def _load_or_draw(path: Path) -> Signer:
    if not path.exists():
        temporary = path.with_suffix(".new")
        temporary.unlink(missing_ok=True)
        file = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        try:
            os.write(file, b"0x" + secrets.token_bytes(32).hex().encode() + b"\n")
            os.fsync(file)
        finally:
            os.close(file)
        temporary.rename(path)
    return load_signer(key_file=path)
