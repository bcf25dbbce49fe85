"""Prove what tests/proofs promises about the price, for every energy there can be: `make proofs`.

    prove.py                every proof, two at a time
    prove.py four_groups    those with this in their name

Each `check_` of tests/proofs must hold on every path, none left out; each `refute_` is false and must yield a
counterexample, so that a prover that proves anything is noticed. Output of each is kept in build/proofs/<name>.log.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from layout import BUILD, PROOFS_BIN, ROOT, foundry_bin, tool_environment

OUT = BUILD / "proofs"
SOURCES = ROOT / "tests" / "proofs"
CONTRACT = re.compile(r"^contract (\w+)", re.MULTILINE)
PROMISE = re.compile(r"^ +function ((?:check|refute)_\w+)\(", re.MULTILINE)
AT_ONCE = 2
MOST_SECONDS = 900
# Each lane's turn of a search is a branch; no search looks at more than eight lanes of a word.
LOOPS = 16
PASS, COUNTEREXAMPLE = 0, 1


@dataclass(frozen=True)
class Promise:
    """One function of tests/proofs and the contract it is in."""

    contract: str
    name: str

    @property
    def is_false(self) -> bool:
        """Whether the promise is there to be refuted."""
        return self.name.startswith("refute_")


def main() -> int:
    """Entry point of the command line: 0 when every promise held and every false one was refuted."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("part", nargs="?", default="", help="a part of the names to prove")
    part = parser.parse_args().part
    wanted = [promise for promise in promises() if part in promise.name]
    if not wanted:
        raise SystemExit(f"tests/proofs promises nothing named {part}")
    environment = _environment()
    build = [str(foundry_bin("forge")), "build", "--ast", "--extra-output", "storageLayout", "metadata"]
    if subprocess.run(build, cwd=ROOT, env=environment, check=False).returncode != 0:
        return 1
    with ThreadPoolExecutor(AT_ONCE) as pool:
        faults = list(pool.map(lambda promise: _prove(promise, environment), wanted))
    failed = sum(fault != "" for fault in faults)
    print(f"\n{len(wanted) - failed} promises held or were refuted as they should, {failed} failed")
    return 1 if failed else 0


def fault_of(promise: Promise, status: int, report: dict[str, Any]) -> str:
    """Why a run does not settle `promise`, or nothing: a timeout, an unfinished loop and a revert do not."""
    results = [result for found in report.get("test_results", {}).values() for result in found]
    if len(results) != 1:
        return f"{len(results)} results for one promise"
    result = results[0]
    if result["num_bounded_loops"]:
        return "a loop was not followed to its end"
    if promise.is_false:
        return "" if result["exitcode"] == COUNTEREXAMPLE and result["num_models"] else "no counterexample was found"
    if result["exitcode"] == COUNTEREXAMPLE:
        return "there is a counterexample"
    return "" if (status, result["exitcode"]) == (PASS, PASS) else f"not proved: halmos ended with {result['exitcode']}"


def promises() -> list[Promise]:
    """Every promise of tests/proofs, in the order of its sources."""
    found = []
    for source in sorted(SOURCES.glob("*.t.sol")):
        text = source.read_text()
        found += [Promise(CONTRACT.findall(text)[0], name) for name in PROMISE.findall(text)]
    return found


def _environment() -> dict[str, str]:
    environment = tool_environment()
    environment["PATH"] = os.pathsep.join([str(PROOFS_BIN), environment["PATH"]])
    environment["FOUNDRY_PROFILE"] = "proofs"
    environment["YICES"] = str((PROOFS_BIN / "yices-smt2").relative_to(ROOT))  # halmos splits its command at spaces
    return environment


def _prove(promise: Promise, environment: dict[str, str]) -> str:
    started = time.monotonic()
    report = OUT / f"{promise.name}.json"
    report.unlink(missing_ok=True)
    try:
        status = _halmos(promise, report, environment)
        found = json.loads(report.read_text()) if report.exists() else {}
        fault = fault_of(promise, status, found)
    except subprocess.TimeoutExpired:
        fault = f"no end within {MOST_SECONDS} s"
    word = "FAILED" if fault else "refuted" if promise.is_false else "proved"
    print(f"{word:<8}{time.monotonic() - started:>6.0f} s  {promise.name}{fault and ': '}{fault}", flush=True)
    return fault


def _halmos(promise: Promise, report: Path, environment: dict[str, str]) -> int:
    command = [str(PROOFS_BIN / "python"), str(Path(__file__).with_name("halmos_exact.py"))]
    command += ["--forge-build-out", str((OUT / "out").relative_to(ROOT)), "--no-status", "--json-output", str(report)]
    command += ["--contract", promise.contract, "--match-test", f"^{promise.name}\\(", "--loop", str(LOOPS)]
    command += ["--solver-command", f"{environment['YICES']} --smt2-model-format --bvconst-in-decimal"]
    command += ["--solver-timeout-assertion", "0", "--early-exit"]
    with (OUT / f"{promise.name}.log").open("w") as log:
        ended = subprocess.run(
            command,
            cwd=ROOT,
            env=environment,
            stdout=log,
            stderr=subprocess.STDOUT,
            stdin=subprocess.DEVNULL,
            timeout=MOST_SECONDS,
            check=False,
        )
    return ended.returncode


if __name__ == "__main__":
    sys.exit(main())
