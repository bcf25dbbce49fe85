"""Where a key's password comes from: a file, the environment or a question; never the command line."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from pathlib import Path

from gridweave.client.errors import KeystoreError

__all__ = ["PASSWORD_ENV", "PASSWORD_FILE_ENV", "find_password"]

PASSWORD_ENV = "GRIDWEAVE_PASSWORD"  # noqa: S105  a variable's name
PASSWORD_FILE_ENV = "GRIDWEAVE_PASSWORD_FILE"  # noqa: S105  a variable's name


def find_password(
    file: Path | None,
    ask: Callable[[], str] | None,
    environment: Mapping[str, str] = os.environ,
) -> str:
    """The password: of `file`, else of GRIDWEAVE_PASSWORD_FILE, else GRIDWEAVE_PASSWORD itself, else what `ask` gives.

    A file's last line break does not belong to it. Raises KeystoreError without any of these or for an unreadable file.
    """
    named = environment.get(PASSWORD_FILE_ENV)
    path = file or (Path(named) if named else None)
    if path is not None:
        try:
            return path.read_text(encoding="utf-8").removesuffix("\n").removesuffix("\r")
        except OSError as fault:
            raise KeystoreError(f"cannot read the password file {path}: {fault.strerror}") from fault
    if PASSWORD_ENV in environment:
        return environment[PASSWORD_ENV]
    if ask is None:
        raise KeystoreError(f"no password: set {PASSWORD_ENV} or {PASSWORD_FILE_ENV}, or pass --password-file")
    return ask()
