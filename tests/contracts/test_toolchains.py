"""One artifact truth: Brownie and forge build the code that backend/gridweave/artifacts ships.

Metadata is stripped (Brownie's compiler appends it, compile.py's does not) and immutables are zero in all three.
"""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parents[2]
ARTIFACTS = ROOT / "backend" / "gridweave" / "artifacts"
INVALID = "fe"


def _shipped() -> dict[str, dict[str, Any]]:
    index = json.loads((ARTIFACTS / "index.json").read_text())["artifacts"]
    names = [name for name, entry in index.items() if entry["kind"] == "deployable"]
    return {name: json.loads((ARTIFACTS / f"{name}.json").read_text()) for name in names}


def _without_metadata(code: str) -> str:
    """The code before the CBOR block, whose length its last two bytes tell, and before the INVALID that guards it."""
    length = int(code[-4:], 16) + 2
    return code[: -2 * length].removesuffix(INVALID)


def _runtime(build: Path) -> str:
    code = json.loads(build.read_text())["deployedBytecode"]
    return str(code["object"] if isinstance(code, dict) else code).removeprefix("0x")


SHIPPED = _shipped()


@pytest.mark.parametrize("name", SHIPPED)
def test_brownie__given_the_same_sources__builds_the_shipped_code(name):
    built = _without_metadata(_runtime(ROOT / "build" / "brownie" / "contracts" / f"{name}.json"))
    assert built == SHIPPED[name]["deployedBytecode"].removeprefix("0x").removesuffix(INVALID)


@pytest.fixture(scope="module")
def forge_out() -> Path:
    subprocess.run(["forge", "build", "contracts"], cwd=ROOT, check=True, capture_output=True, timeout=300)
    return ROOT / "build" / "forge" / "out"


@pytest.mark.parametrize("name", SHIPPED)
def test_forge__given_the_same_sources__builds_the_shipped_code(name, forge_out):
    assert _runtime(forge_out / f"{name}.sol" / f"{name}.json") == SHIPPED[name]["deployedBytecode"].removeprefix("0x")
