"""Install the independent OpenADR clients, each into an environment of its own: they share an import name.

openadr_clients.py      into .venv-openadr, where it is not there yet or its lock has changed

They need Python 3.12 or later: this one, one on PATH, or one installed beside this one.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

from layout import ROOT

CLIENTS = ("openadr3-client", "python-oa3-client")
ENVIRONMENTS = ROOT / ".venv-openadr"
_NAMES = ("python3.12", "python3.13", "python3.14")
_WITHIN_S = 300


class Missing(Exception):
    """An interpreter or a package cannot be had here."""


def main() -> int:
    """Entry point of the command line."""
    for client in CLIENTS:
        try:
            print(prepare(client))
        except Missing as missing:
            print(missing, file=sys.stderr)
            return 1
    return 0


def prepare(client: str) -> Path:
    """The Python of the client's environment, which is made if need be. Raises Missing."""
    lock = ROOT / "requirements" / f"{client}.txt"
    folder = ENVIRONMENTS / client
    python, stamp = folder / "bin" / "python", folder / ".stamp"
    if stamp.exists() and stamp.read_text() == lock.read_text():
        return python
    base = python312()
    pip: tuple[str | Path, ...] = (
        python,
        "-m",
        "pip",
        "--disable-pip-version-check",
        "--quiet",
        "install",
        "--only-binary",
        ":all:",
    )
    _run([base, "-m", "venv", "--clear", folder], client)
    _run([*pip, "--require-hashes", "-r", lock], client)
    stamp.write_text(lock.read_text())
    return python


def python312() -> Path:
    """A Python that is new enough. Raises Missing."""
    for found in _candidates():
        command = [str(found), "-c", "import sys, venv, ensurepip; sys.exit(sys.version_info < (3, 12))"]
        if subprocess.run(command, capture_output=True, check=False).returncode == 0:
            return found
    raise Missing("no Python 3.12 or later is here: install one, or put it on PATH")


def _candidates() -> Iterator[Path]:
    yield Path(sys.executable)
    yield from (Path(found) for name in _NAMES if (found := shutil.which(name)))
    yield from sorted(Path(sys.base_prefix).parent.glob("3.1[2-9]*/bin/python3"))


def _run(command: list[str | Path], client: str) -> None:
    words = [str(word) for word in command]
    try:
        done = subprocess.run(words, capture_output=True, text=True, check=False, timeout=_WITHIN_S)
    except (OSError, subprocess.TimeoutExpired) as fault:
        raise Missing(f"{client} cannot be installed: {fault}") from fault
    if done.returncode:
        raise Missing(f"{client} cannot be installed: {done.stderr.strip()[-300:]}")


if __name__ == "__main__":
    sys.exit(main())
