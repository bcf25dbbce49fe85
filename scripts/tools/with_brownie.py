"""Run Brownie in a home, with a compiler and on a port of its own.

    with_brownie.py run deploy
    with_brownie.py test tests/contracts -k Vault

Its home is build/home, so nothing of the user's ~/.brownie is read or written. The port is a free one, because Brownie
attaches to whatever answers on its port and would mine there. The project is compiled with --all when the hash of
contracts/ changes: Brownie itself does not see changes in files that hold no contract.
"""

from __future__ import annotations

import os
import socket
import subprocess
import sys

import compile as compiler
import solc
from layout import BUILD, PYTHON_BIN, ROOT, tool_environment

NETWORK = "development"
PREFERRED_PORT = 18_645
BLOCK_GAS_LIMIT = 30_000_000
COMPILED = BUILD / "brownie" / "source-hash"
BROWNIE = str(PYTHON_BIN / "brownie")


def prepare() -> dict[str, str]:
    """Make Brownie ready for one run and return the environment to run it in."""
    solc.ensure_solc()
    environment = tool_environment()
    settings = [f"port={_free_port()}", f"gas_limit={BLOCK_GAS_LIMIT}"]
    _quietly(["networks", "modify", NETWORK, *settings], environment)
    _compile(environment)
    return environment


def main() -> int:
    """Entry point of the command line; the arguments are Brownie's own."""
    environment = prepare()
    return subprocess.run([BROWNIE, *sys.argv[1:]], cwd=ROOT, env=environment, check=False).returncode


def _compile(environment: dict[str, str]) -> None:
    wanted = compiler.source_hash()
    if COMPILED.exists() and COMPILED.read_text() == wanted:
        return
    _quietly(["compile", "--all"], environment)
    COMPILED.parent.mkdir(parents=True, exist_ok=True)
    COMPILED.write_text(wanted)


def _quietly(arguments: list[str], environment: dict[str, str]) -> None:
    answer = subprocess.run(
        [BROWNIE, *arguments], cwd=ROOT, env=environment, capture_output=True, text=True, check=False
    )
    # Brownie reports a failed compilation on its output and may still exit with 0.
    if answer.returncode != 0 or "ERROR" in answer.stdout or "Error" in answer.stderr:
        raise SystemExit(f"brownie {' '.join(arguments)} failed:\n{answer.stdout}{answer.stderr}")


def _free_port() -> int:
    for port in (PREFERRED_PORT, 0):
        with socket.socket() as probe:
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
            return int(probe.getsockname()[1])
    raise SystemExit("no free port for Brownie's chain")


if __name__ == "__main__":
    os.environ.setdefault("PYTHONWARNINGS", "ignore")
    sys.exit(main())
