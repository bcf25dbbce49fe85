"""Run the test suite, up to three stages beside each other: a line per stage, then minutes, seed, skips and counts.

    test.py                         everything
    test.py --stages lint,backend   these only
    test.py --quick                 few fuzz runs, no slow tests
    test.py --seed 7                another seed for every random test
    test.py -v                      the stages' own output as it comes

With CI=true a skipped stage or test is a failure, unless tests/allowed-skips.txt names it with its reason.
Output of each stage is kept in build/reports/<stage>.log.
"""

from __future__ import annotations

import argparse
import os
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import stages
from counts import Counts
from layout import BUILD, ROOT
from stages import STAGES, Options, Outcome

REPORTS = BUILD / "reports"
ALLOWED_SKIPS = ROOT / "tests" / "allowed-skips.txt"
DEFAULT_SEED = 20_160_621
TAIL_LINES = 120


@dataclass(frozen=True)
class Row:
    """One stage in the closing table; `seconds` of wall time."""

    name: str
    outcome: Outcome
    seconds: float


def main() -> int:
    """Entry point of the command line: 0 when everything passed (and, in CI, nothing was skipped)."""
    arguments = _arguments()
    options = Options(
        seed=arguments.seed,
        quick=arguments.quick,
        full=os.environ.get("CI", "") not in ("", "0", "false"),
        verbose=arguments.verbose,
        reports=REPORTS,
    )
    REPORTS.mkdir(parents=True, exist_ok=True)
    names = arguments.stages.split(",") if arguments.stages else list(STAGES)
    unknown = [name for name in names if name not in STAGES]
    if unknown:
        raise SystemExit(f"no stage {', '.join(unknown)}; there are {', '.join(STAGES)}")
    print(f"seed {options.seed} (again: make test ARGS='--seed {options.seed}')", flush=True)
    started = time.monotonic()
    rows = _run_in_lanes(names, options)
    return _close(rows, time.monotonic() - started, options)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--stages", help=f"comma-separated: {','.join(STAGES)}")
    parser.add_argument("--quick", action="store_true", help="few fuzz runs, no slow tests")
    parser.add_argument("--seed", type=int, default=int(os.environ.get("GRIDWEAVE_SEED", DEFAULT_SEED)))
    parser.add_argument("-v", "--verbose", action="store_true", help="show every stage's output")
    return parser.parse_args()


def _run_in_lanes(names: list[str], options: Options) -> list[Row]:
    """The rows in the order of `names`, each lane in a thread of its own."""
    lanes: dict[str, list[str]] = {}
    for name in names:
        lanes.setdefault(STAGES[name].lane, []).append(name)
    places = {name: at for at, name in enumerate(names, 1)}

    def run_lane(lane: list[str]) -> list[Row]:
        return [_run(name, places[name], len(names), options) for name in lane]

    with ThreadPoolExecutor(max_workers=len(lanes)) as pool:
        rows = [row for lane in pool.map(run_lane, lanes.values()) for row in lane]
    return sorted(rows, key=lambda row: places[row.name])


def _run(name: str, at: int, of: int, options: Options) -> Row:
    print(f"[{at}/{of}] {name:<10} {STAGES[name].says} ...", flush=True)
    started = time.monotonic()
    outcome = stages.run(name, options)
    seconds = time.monotonic() - started
    if outcome.failed and not options.verbose:
        _print_tail(REPORTS / f"{name}.log")
    print(f"[{at}/{of}] {name:<10} {outcome.word} in {seconds:.1f} s", flush=True)
    return Row(name, outcome, seconds)


def _print_tail(log: Path) -> None:
    lines = log.read_text(errors="replace").splitlines()
    if len(lines) > TAIL_LINES:
        print(f"... {len(lines) - TAIL_LINES} lines before these are in {log.relative_to(ROOT)}")
    print("\n".join(lines[-TAIL_LINES:]))


def _close(rows: list[Row], seconds: float, options: Options) -> int:
    print(f"\n{'stage':<12}{'minutes':>8}{'passed':>8}{'failed':>8}{'skipped':>8}")
    for row in rows:
        counts = row.outcome.counts
        print(
            f"{row.name:<12}{row.seconds / 60:>8.2f}{counts.passed:>8}{counts.failed:>8}{len(counts.skipped):>8}"
            f"  {row.outcome.word}"
        )
    print(f"{'all':<12}{seconds / 60:>8.2f}   seed {options.seed}")
    total = _total(rows)
    refused = _refused(total.skipped) if options.full else []
    if total.skipped:
        print("\nskipped:")
        for skip in total.skipped:
            print(f"  {skip}{'  <- not allowed in CI' if skip in refused else ''}")
    if total.failures:
        print("\nfailed:")
        for failure in total.failures:
            print(f"  {failure}")
    failed = total.failed + len(refused)
    kept = len(total.skipped) - len(refused)
    print(f"\n{total.passed} passed, {failed} failed, {kept} skipped in {seconds:.1f}s")
    return 1 if failed else 0


def _total(rows: list[Row]) -> Counts:
    return Counts(
        passed=sum(row.outcome.counts.passed for row in rows),
        failed=sum(row.outcome.counts.failed for row in rows),
        skipped=[f"{row.name}: {skip}" for row in rows for skip in row.outcome.counts.skipped],
        failures=[f"{row.name}: {failure}" for row in rows for failure in row.outcome.counts.failures],
    )


def _refused(skips: list[str]) -> list[str]:
    allowed = [
        line.split("#")[0].strip()
        for line in (ALLOWED_SKIPS.read_text().splitlines() if ALLOWED_SKIPS.exists() else [])
        if line.split("#")[0].strip()
    ]
    return [skip for skip in skips if not any(part in skip for part in allowed)]


if __name__ == "__main__":
    sys.exit(main())
