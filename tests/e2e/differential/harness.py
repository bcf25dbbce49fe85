"""Compiles MarketHarness against the contracts' own libraries, with the settings of every artifact."""

from __future__ import annotations

import sys
from functools import cache
from pathlib import Path
from typing import Any

from gridweave.chain.abi import Abi

ROOT = Path(__file__).resolve().parents[3]
UNIT = "tests/e2e/differential/MarketHarness.sol"
TOOLS = ROOT / "scripts" / "tools"


@cache
def market_harness() -> tuple[Abi, bytes]:
    """The harness's codecs and its creation code."""
    sys.path.insert(0, str(TOOLS))
    try:
        import artifact
        import compile as compiler
        import solc
    finally:
        sys.path.remove(str(TOOLS))
    units = compiler.read_sources()
    sources = {UNIT: (ROOT / UNIT).read_text()}
    pending = [UNIT]
    while pending:
        for wanted in artifact.imports_of(pending[-1], sources[pending.pop()]):
            if wanted not in sources:
                sources[wanted] = units[wanted]
                pending.append(wanted)
    settings = {**compiler.SETTINGS, "outputSelection": {UNIT: {"*": ["abi", "evm.bytecode.object"]}}}
    request = {"language": "Solidity", "sources": {k: {"content": v} for k, v in sources.items()}, "settings": settings}
    output: dict[str, Any] = solc.compile_standard(request)
    errors = [e["formattedMessage"] for e in output.get("errors", []) if e["severity"] == "error"]
    assert not errors, "\n".join(errors)
    contract = output["contracts"][UNIT]["MarketHarness"]
    return Abi("MarketHarness", contract["abi"]), bytes.fromhex(contract["evm"]["bytecode"]["object"])
