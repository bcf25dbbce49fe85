"""The stages of the test suite: what each runs, in which environment, and how its tests are counted."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import with_brownie
from counts import Counts, from_forge, from_junit, from_proofs, from_status
from layout import FUZZ_BIN, PROOFS_BIN, PYTHON_BIN, ROOT, SLITHER_BIN, SOLC, foundry_bin, tool_environment

PYTHON = str(PYTHON_BIN / "python")
TOOLS = "scripts/tools"


@dataclass(frozen=True)
class Options:
    """What the command line chose; `full` is CI: compile again, skip nothing."""

    seed: int
    quick: bool
    full: bool
    verbose: bool
    reports: Path


@dataclass(frozen=True)
class Outcome:
    """How a stage ended."""

    counts: Counts
    status: int

    @property
    def failed(self) -> bool:
        """Whether the stage's tool said no or any of its tests failed."""
        return self.status != 0 or self.counts.failed > 0

    @property
    def word(self) -> str:
        """`passed`, `FAILED`, or `skipped` when nothing ran."""
        if self.failed:
            return "FAILED"
        return "passed" if self.counts.passed else "skipped"


@dataclass(frozen=True)
class Stage:
    """A name for the progress line and the function that runs it.

    Stages of one lane run one after the other, lanes beside each other: what shares a folder or a port shares a lane.
    """

    says: str
    run: Callable[[Options, Path], Outcome]
    lane: str = "service"


def run(name: str, options: Options) -> Outcome:
    """Run one stage; its output goes to <reports>/<name>.log."""
    log = options.reports / f"{name}.log"
    log.write_text("")
    return STAGES[name].run(options, log)


def _tool(*command: str) -> Callable[[Options, Path], Outcome]:
    def run_tool(options: Options, log: Path) -> Outcome:
        status = _execute(list(command), log, options)
        return Outcome(from_status(status), status)

    return run_tool


def _artifacts(options: Options, log: Path) -> Outcome:
    command = [PYTHON, f"{TOOLS}/compile.py", "--check", *(["--full"] if options.full else [])]
    status = _execute(command, log, options)
    return Outcome(from_status(status), status)


def _forge(options: Options, log: Path) -> Outcome:
    if not any((ROOT / "tests" / "foundry").rglob("*.t.sol")):
        return _skipped("tests/foundry holds no test")
    if not SOLC.exists():
        return _skipped("no compiler: run `make setup`")
    environment = {"FOUNDRY_FUZZ_SEED": hex(options.seed)}
    if options.quick:
        environment["FOUNDRY_PROFILE"] = "check"
    status = _execute([str(foundry_bin("forge")), "test"], log, options, environment)
    return _counted(from_forge(log.read_text()), status)


def _pytest(name: str, *paths: str) -> Callable[[Options, Path], Outcome]:
    def run_pytest(options: Options, log: Path) -> Outcome:
        report = options.reports / f"{name}.xml"
        report.unlink(missing_ok=True)
        command = [PYTHON, "-m", "pytest", *paths, f"--junitxml={report}", f"--hypothesis-seed={options.seed}"]
        command += ["--durations=15", *(["-m", "not slow"] if options.quick else [])]
        status = _execute(command, log, options)
        return _counted(from_junit(report), status)

    return run_pytest


def _contracts(options: Options, log: Path) -> Outcome:
    if not any((ROOT / "tests" / "contracts").rglob("test_*.py")):
        return _skipped("tests/contracts holds no test")
    report = options.reports / "contracts.xml"
    report.unlink(missing_ok=True)
    try:
        environment = with_brownie.prepare()
    except SystemExit as stopped:
        log.write_text(f"{stopped}\n")
        return Outcome(Counts(failed=1), 1)
    command = [with_brownie.BROWNIE, "test", "tests/contracts", f"--junitxml={report}"]
    command += [f"--hypothesis-seed={options.seed}"]
    status = _execute(command, log, options, environment)
    return _counted(from_junit(report), status)


def _slither(options: Options, log: Path) -> Outcome:
    if not (SLITHER_BIN / "slither").exists() and _execute(["make", "slither"], log, options) != 0:
        return _skipped("slither's environment could not be installed (make slither)")
    status = _execute([str(SLITHER_BIN / "slither"), ".", "--config-file", "slither.config.json"], log, options)
    return Outcome(from_status(status), status)


def _proofs(options: Options, log: Path) -> Outcome:
    if not (PROOFS_BIN / "halmos").exists() and _execute(["make", ".venv-proofs/.stamp"], log, options) != 0:
        return _skipped("the prover's environment could not be installed (make .venv-proofs/.stamp)")
    if not SOLC.exists():
        return _skipped("no compiler: run `make setup`")
    status = _execute([PYTHON, f"{TOOLS}/prove.py"], log, options)
    return _counted(from_proofs(log.read_text()), status)


def _fuzz(options: Options, log: Path) -> Outcome:
    if not (FUZZ_BIN / "schemathesis").exists() and _execute(["make", "fuzzer"], log, options) != 0:
        return _skipped("the fuzzer's environment could not be installed (make fuzzer)")
    examples = ["--examples", "5"] if options.quick else []
    tools = (f"{TOOLS}/fuzz.py", f"{TOOLS}/fuzz_vtn.py")
    status = max(_execute([PYTHON, tool, f"--seed={options.seed}", *examples], log, options) for tool in tools)
    return Outcome(from_status(status), status)


_ON_POSTGRES = (
    "--store=postgres",
    *(f"tests/backend/{room}" for room in ("store", "outbox", "indexer", "services", "api", "bridge/openadr")),
    "tests/e2e/crash/test_thirty_kills.py",
)
"""The same tests again, as far as they touch a database."""

_BESIDE = "contracts"
"""Forge's cache, Brownie's port, and what is left of the time that the service's own tests take."""

_WAITING = "waiting"
"""What lasts because slots do, and leaves both cores to others."""

STAGES = {
    "lint": Stage("ruff, solhint, lengths, locks", _tool(PYTHON, f"{TOOLS}/lint.py")),
    "types": Stage("mypy --strict", _tool(str(PYTHON_BIN / "mypy"), "backend", TOOLS)),
    "imports": Stage("imports point one way", _tool(str(PYTHON_BIN / "lint-imports"))),
    "artifacts": Stage("artifacts are those of contracts/", _artifacts, _BESIDE),
    "forge": Stage("Foundry: units, fuzz, invariants, gas", _forge, _BESIDE),
    "gas": Stage("gas and bytecode are those committed", _tool(PYTHON, f"{TOOLS}/gas.py", "--check"), _BESIDE),
    "backend": Stage("domain and service", _pytest("backend", "tests/backend")),
    "postgres": Stage("the service on PostgreSQL", _pytest("postgres", *_ON_POSTGRES), _BESIDE),
    "contracts": Stage("contracts under Brownie", _contracts, _BESIDE),
    "e2e": Stage("the whole house", _pytest("e2e", "tests/e2e", "--ignore=tests/e2e/readme")),
    "readme": Stage("the quick start does what it says", _pytest("readme", "tests/e2e/readme"), _WAITING),
    "fuzz": Stage("API and VTN answer as their documents say", _fuzz, _BESIDE),
    "slither": Stage("static analysis of the contracts", _slither, _BESIDE),
    "proofs": Stage("the price is proved for bounded books", _proofs, _BESIDE),
}


def _skipped(reason: str) -> Outcome:
    return Outcome(Counts(skipped=[reason]), 0)


def _counted(counts: Counts, status: int) -> Outcome:
    """A tool that failed without a failed test (it could not start, or collect) is one failure."""
    if status != 0 and counts.failed == 0:
        counts.failed = 1
    return Outcome(counts, status)


def _execute(command: list[str], log: Path, options: Options, extra: dict[str, str] | None = None) -> int:
    environment = {**tool_environment(), "GRIDWEAVE_SEED": str(options.seed), **(extra or {})}
    with log.open("a") as sink:
        process = subprocess.Popen(
            command,
            cwd=ROOT,
            env=environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            stdin=subprocess.DEVNULL,
            text=True,
            errors="replace",
        )
        for line in process.stdout or ():
            sink.write(line)
            if options.verbose:
                sys.stdout.write(line)
                sys.stdout.flush()
        return process.wait()
