"""Where the tools find and put things: every path lies inside the clone."""

from __future__ import annotations

import os
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
BUILD = ROOT / "build"
CONTRACTS = ROOT / "contracts"
NODE_MODULES = ROOT / "node_modules"
ARTIFACTS = ROOT / "backend" / "gridweave" / "artifacts"
PYTHON_BIN = ROOT / ".venv" / "bin"
SLITHER_BIN = ROOT / ".venv-slither" / "bin"
PROOFS_BIN = ROOT / ".venv-proofs" / "bin"
FUZZ_BIN = ROOT / ".venv-fuzz" / "bin"
SOLC_VERSION = "0.8.37"
SOLC_DIR = BUILD / "solc"
SOLC = SOLC_DIR / f"solc-v{SOLC_VERSION}"
NODE_BIN = NODE_MODULES / ".bin"
TOOLS_HOME = BUILD / "home"


def foundry_bin(tool: str) -> Path:
    """The native binary of `anvil`, `cast` or `forge` that npm installed for this machine.

    Raises SystemExit, naming the next step, when none is installed.
    """
    for candidate in sorted(NODE_MODULES.glob(f"@foundry-rs/{tool}-*/bin/{tool}*")):
        return candidate
    raise SystemExit(f"{tool} is not installed: run `make setup`; npm's @foundry-rs/{tool} lists the platforms it has")


def tool_environment() -> dict[str, str]:
    """This process's environment with the clone's own tools first on PATH and a home inside the clone."""
    TOOLS_HOME.mkdir(parents=True, exist_ok=True)
    first = [str(PYTHON_BIN), str(NODE_BIN)]
    first += sorted({str(path) for path in NODE_MODULES.glob("@foundry-rs/*-*/bin")})
    environment = dict(os.environ)
    environment["PATH"] = os.pathsep.join([*first, environment.get("PATH", os.defpath)])
    environment["SOLCX_BINARY_PATH"] = str(SOLC_DIR)
    environment["HOME"] = str(TOOLS_HOME)
    return environment
