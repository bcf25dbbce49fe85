"""The Solidity compiler of this clone: py-solc-x's native build where it can be had, npm's WebAssembly otherwise.

`build/solc/solc-v<version>` is made once and serves Brownie, py-solc-x, forge and compile.py alike.

    solc.py            make it if it is missing
    solc.py --check    compile three lines with it
    solc.py --wasm     take npm's build without asking for the native one
"""

from __future__ import annotations

import argparse
import contextlib
import json
import subprocess
import sys
import urllib.request
from pathlib import Path

from layout import NODE_MODULES, ROOT, SOLC, SOLC_DIR, SOLC_VERSION

PROBE = "https://binaries.soliditylang.org/linux-amd64/list.json"
PROBE_SECONDS = 4
DOWNLOAD_SECONDS = 90
WRAPPER = """#!/bin/sh
# npm's WebAssembly build of solc behind the native command line.
here=$(dirname "$0")
exec node "$here/../../scripts/tools/solc-wasm.cjs" "$@"
"""
TINY = "// SPDX-License-Identifier: MIT\npragma solidity {version};\ncontract Tiny {{}}\n"


def ensure_solc(*, wasm: bool = False) -> Path:
    """Return the compiler's path, making the compiler first when it is missing."""
    if SOLC.exists() and not wasm:
        return SOLC
    SOLC_DIR.mkdir(parents=True, exist_ok=True)
    if wasm or not _install_native():
        _install_wasm()
    return SOLC


def version() -> str:
    """The compiler's version and commit, the same for its native and WebAssembly builds: `0.8.37+commit.1234abcd`."""
    answer = subprocess.run([str(ensure_solc()), "--version"], capture_output=True, text=True, check=True)
    full = answer.stdout.strip().splitlines()[-1].removeprefix("Version: ")
    return ".".join(full.split(".")[:4])


def compile_standard(request: dict[str, object]) -> dict[str, object]:
    """Run one standard JSON request; SystemExit with solc's own words when it cannot be run at all."""
    answer = subprocess.run(
        [str(ensure_solc()), "--standard-json"],
        input=json.dumps(request),
        capture_output=True,
        text=True,
        check=False,
        cwd=ROOT,
    )
    if answer.returncode != 0:
        raise SystemExit(f"solc failed: {answer.stderr.strip()}")
    output: dict[str, object] = json.loads(answer.stdout)
    return output


def _install_native() -> bool:
    try:
        with urllib.request.urlopen(PROBE, timeout=PROBE_SECONDS) as reply:
            reply.read(1)
        command = [
            sys.executable,
            "-c",
            f"import solcx; solcx.install_solc({SOLC_VERSION!r}, solcx_binary_path={str(SOLC_DIR)!r})",
        ]
        subprocess.run(command, capture_output=True, check=True, timeout=DOWNLOAD_SECONDS)
    except (OSError, subprocess.SubprocessError):
        with contextlib.suppress(FileNotFoundError):
            SOLC.unlink()
        return False
    return SOLC.exists()


def _install_wasm() -> None:
    if not (NODE_MODULES / "solc").exists():
        raise SystemExit("npm's solc is not installed: run `make setup`")
    SOLC.write_text(WRAPPER)
    SOLC.chmod(0o755)


def _check() -> None:
    source = TINY.format(version=SOLC_VERSION)
    output = compile_standard(
        {
            "language": "Solidity",
            "sources": {"Tiny.sol": {"content": source}},
            "settings": {"outputSelection": {"*": {"*": ["evm.bytecode.object"]}}},
        }
    )
    if "contracts" not in output:
        raise SystemExit(f"solc does not compile three lines: {output}")


def main() -> None:
    """Entry point of the command line."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--check", action="store_true")
    parser.add_argument("--wasm", action="store_true")
    arguments = parser.parse_args()
    ensure_solc(wasm=arguments.wasm)
    if arguments.check:
        _check()
    kind = "WebAssembly" if SOLC.read_bytes()[:2] == b"#!" else "native"
    print(f"solc {version()} ({kind}) at {SOLC.relative_to(ROOT)}")


if __name__ == "__main__":
    main()
