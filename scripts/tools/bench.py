"""Measure gas and speed, print them beside other systems and beside their limits, and keep them.

    bench.py                     measure all; write benchmarks/results.json and the tables of docs/benchmarks.md
    bench.py --only gas,readings what begins with these names only; the other figures stay as they were
    bench.py --quick             short runs, printed and not kept
    bench.py --check             fail unless results, docs and gas snapshot agree; measures nothing (CI)

Gas is exact and comes from the gas tests. Speed is this machine's, load generator included.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Mapping

from rich.console import Console

import gas
from benchmark.figures import NAMES, RESULTS, Figure, load, save
from benchmark.gas import gas_figures
from benchmark.page import PAGE, with_tables
from benchmark.rivals import read_rivals
from benchmark.tables import gas_grid, rich_table, rivals_grids, speed_grid
from layout import ROOT

EXACT = ("gas.", "homes.")
GENERATED = ("history.", "indexer.1m.")  # measured without a chain
ALONE = ("gateway.", "telemetry.")  # without a chain and without a service
VTN = ("vtn.",)  # a service that serves nothing else meanwhile
WIDTH = 170  # columns of a table that goes to a file


def main() -> int:
    """Entry point of the command line: 0 when measured, or when nothing differs."""
    arguments = _arguments()
    if arguments.check:
        return _check()
    wanted = _wanted(arguments.only)
    measured = {name: figure for name, figure in _measured(wanted, quick=arguments.quick).items() if name in wanted}
    _print(measured)
    if not arguments.quick:
        _keep(load() | measured)
    return 0


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--only", metavar="NAME,...", help="figures whose names begin so, as in gas or orders.accepted")
    parser.add_argument("--quick", action="store_true", help="short runs, printed and not kept")
    parser.add_argument("--check", action="store_true", help="compare what is kept, measure nothing")
    return parser.parse_args()


def _wanted(only: str | None) -> list[str]:
    if not only:
        return list(NAMES)
    starts = only.split(",")
    unknown = [start for start in starts if not any(name.startswith(start) for name in NAMES)]
    if unknown:
        raise SystemExit(f"no figure begins with {', '.join(unknown)}; there are {', '.join(NAMES)}")
    return [name for name in NAMES if name.startswith(tuple(starts))]


def _measured(wanted: list[str], *, quick: bool) -> dict[str, Figure]:
    """The wanted figures, and whatever is measured with them."""
    figures: dict[str, Figure] = {}
    if any(name.startswith(EXACT) for name in wanted):
        print("gas: running the gas tests ...", flush=True)
        figures |= gas_figures(gas.measure_gas())
    if any(name.startswith(GENERATED) for name in wanted):
        print("speed: a history of generated events ...", flush=True)
        sys.path.append(str(ROOT))
        from benchmark.speed.run import history_figures

        figures |= history_figures(quick=quick)
    if any(name.startswith(ALONE) for name in wanted):
        print("speed: telemetry, taken in, sealed, proved and shared ...", flush=True)
        sys.path.append(str(ROOT))
        from benchmark.speed.telemetry import telemetry_figures

        figures |= telemetry_figures(quick=quick)
    if any(name.startswith("telemetry.mqtt.") for name in wanted):
        print("speed: a gateway at a real broker ...", flush=True)
        from benchmark.speed.mqtt import mqtt_figures

        figures |= mqtt_figures(quick=quick)
    if any(name.startswith(VTN) for name in wanted):
        print("speed: the VTN, polled ...", flush=True)
        sys.path.append(str(ROOT))
        from benchmark.speed.vtn import vtn_figures

        figures |= vtn_figures(quick=quick)
    if not all(name.startswith((*EXACT, *GENERATED, *ALONE, *VTN)) for name in wanted):
        print("speed: a town, its service and its chain ...", flush=True)
        sys.path.append(str(ROOT))  # the town is that of tests/support
        from benchmark.speed.run import speed_figures

        figures |= speed_figures(quick=quick)
    return figures


def _print(figures: Mapping[str, Figure]) -> None:
    console = Console(width=None if sys.stdout.isatty() else WIDTH)
    for grid in (*rivals_grids(figures, read_rivals()).values(), gas_grid(figures), speed_grid(figures)):
        if grid.rows:
            console.print(rich_table(grid))


def _keep(figures: Mapping[str, Figure]) -> None:
    save(figures)
    PAGE.write_text(with_tables(PAGE.read_text(), figures, read_rivals()))
    print(f"{RESULTS.relative_to(ROOT)}, {PAGE.relative_to(ROOT)}: {len(figures)} figures")


def _check() -> int:
    snapshot = json.loads((gas.SNAPSHOTS / "gas.json").read_text())
    figures = load()
    found = faults(figures, snapshot, PAGE.read_text())
    print("\n".join(found) or f"benchmarks: {len(figures)} figures agree with snapshot and docs")
    if found:
        print("run `make bench`, or `python scripts/tools/bench.py --only gas,homes` for gas alone, and commit")
    return 1 if found else 0


def faults(figures: Mapping[str, Figure], snapshot: Mapping[str, int], page: str) -> list[str]:
    """Where kept figures, gas snapshot and docs do not agree."""
    exact = gas_figures(snapshot)
    found = [f"{RESULTS.name} lacks {name}" for name in NAMES if name not in figures]
    found += [
        f"{RESULTS.name}: {name} is {figures[name].value}, the gas snapshot says {figure.value}"
        for name, figure in exact.items()
        if name in figures and figures[name] != figure
    ]
    if page != with_tables(page, figures, read_rivals()):
        found.append(f"{PAGE.relative_to(ROOT)} shows other figures than {RESULTS.name}")
    return found


if __name__ == "__main__":
    raise SystemExit(main())
