"""Resolve the Python locks: hashed, without hosts, one set of pins for everything that shares an environment.

    lock.py               write requirements/*.txt anew from pyproject.toml and requirements/*.in (needs the index)
    lock.py --check       fail when a lock names a host or a path, lacks a hash, or two locks that share .venv disagree

npm's lock is `npm install --ignore-scripts` in the clone; .npmrc keeps hosts out of it.
"""

from __future__ import annotations

import argparse
import re
import subprocess
import sys
from pathlib import Path

from layout import ROOT
from openadr_clients import python312

PIP_TOOLS = "pip-tools==7.6.2"
REQUIREMENTS = ROOT / "requirements"
PIN = re.compile(r"^([A-Za-z0-9._-]+)==(\S+) \\$", re.MULTILINE)
OPTIONS = [
    "--quiet",
    "--generate-hashes",
    "--allow-unsafe",
    "--strip-extras",
    "--no-annotate",
    "--no-header",
    "--no-emit-index-url",
    "--no-emit-trusted-host",
    "--no-emit-find-links",
]
# In this order: a lock that shares .venv with an earlier one is bound to its pins.
LOCKS = {
    "dev": ["--extra", "contracts", "--extra", "parquet", "--extra", "postgres", "--extra", "dev", "pyproject.toml"],
    "runtime": ["--constraint", "requirements/dev.txt", "pyproject.toml"],
    "build": ["--constraint", "requirements/dev.txt", "requirements/build.in"],
    "slither": ["requirements/slither.in"],
    "proofs": ["requirements/proofs.in"],
    "fuzz": ["requirements/fuzz.in"],
    "openadr3-client": ["requirements/openadr3-client.in"],
    "python-oa3-client": ["requirements/python-oa3-client.in"],
}
NEWER = ("openadr3-client", "python-oa3-client")
"""Resolved for Python 3.12, which the first of them needs."""
SHARED = ("dev", "runtime", "build")


def main() -> int:
    """Entry point of the command line."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--check", action="store_true")
    parser.add_argument("names", nargs="*", choices=[*LOCKS, []], help="locks to write (all by default)")
    arguments = parser.parse_args()
    if not arguments.check:
        _write(arguments.names or list(LOCKS))
    faults = check()
    print("\n".join(faults) if faults else f"locks: {len(LOCKS)} hashed, no host named, pins agree")
    return 1 if faults else 0


def check() -> list[str]:
    """Faults of the committed locks, each a sentence."""
    faults = []
    pins: dict[str, str] = {}
    for name in LOCKS:
        text = (REQUIREMENTS / f"{name}.txt").read_text()
        lines = text.splitlines()
        faults += [f"{name}.txt names a host or path: {line}" for line in lines if re.search(r"://| @ ", line)]
        faults += [f"{name}.txt: unpinned {line}" for line in lines if line[:1].isalpha() and not PIN.match(line)]
        if name not in SHARED:
            continue
        for package, version in PIN.findall(text):
            if pins.setdefault(package, version) != version:
                faults.append(f"{name}.txt pins {package} {version}, another lock {pins[package]}")
    package_lock = (ROOT / "package-lock.json").read_text()
    if '"resolved"' in package_lock:
        faults.append("package-lock.json names hosts: set omit-lockfile-registry-resolved and run npm install again")
    return faults


def _write(names: list[str]) -> None:
    for name in names:
        print(f"resolving {name}.txt ...", flush=True)
        _run([_compiler(newer=name in NEWER), *OPTIONS, "--output-file", f"requirements/{name}.txt", *LOCKS[name]])


def _compiler(*, newer: bool) -> Path:
    """pip-compile in an environment of this Python's or, if that is older, of Python 3.12's."""
    environment = ROOT / (".venv-lock/newer" if newer else ".venv-lock")
    compiler = environment / "bin" / "pip-compile"
    if not compiler.exists():
        _run([python312() if newer else sys.executable, "-m", "venv", environment])
        _run([environment / "bin" / "pip", "install", "--quiet", "--upgrade", "pip", PIP_TOOLS])
    return compiler


def _run(command: list[str | Path]) -> None:
    subprocess.run([str(part) for part in command], cwd=ROOT, check=True)


if __name__ == "__main__":
    sys.exit(main())
