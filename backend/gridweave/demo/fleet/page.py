"""The fleet's day as one HTML file: no script, style, font or picture from anywhere else."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from gridweave.demo import charts
from gridweave.demo.fleet.outcome import FleetOutcome
from gridweave.demo.fleet.rollout import BAD, FIRST, MENDED
from gridweave.demo.fleet.table import way_name
from gridweave.demo.report import pages, put
from gridweave.domain.anchors import StreamMode

__all__ = ["render", "write"]

_W_PER_KW = 1_000


def write(outcome: FleetOutcome, path: Path, more: tuple[str, str] | None = None) -> Path:
    """Writes the page to `path`, whole or not at all, and returns it. It leads to `more` (address, title)."""
    return put(path, render(outcome, more))


def render(outcome: FleetOutcome, more: tuple[str, str] | None = None) -> str:
    """The page. Every string of `outcome` is escaped."""
    back = outcome.reread
    full = [way for way in back.ways if way.mode == StreamMode.FULL]
    cheapest = min(full, key=lambda way: way.gas / way.readings)
    return (
        pages()
        .get_template("fleet.html.j2")
        .render(
            outcome=outcome,
            back=back,
            more=more,
            way_name=way_name,
            cheapest=f"{cheapest.gas / cheapest.readings:,.0f}",
            cheapest_bytes=f"{cheapest.sealed_bytes / cheapest.readings:.1f}",
            power=_power(back.power_w),
            running=_running(outcome.running),
        )
    )


def _power(watts: Sequence[int]) -> dict[str, object]:
    axis = charts.nice_axis(min([*watts, 0]), max([*watts, 0]), 4)
    return {
        "area": charts.area(watts, axis),
        "line": charts.steps(watts, axis),
        "marks": [(axis.y(mark), f"{mark // _W_PER_KW}") for mark in axis.marks],
        "zero": axis.y(0),
    }


def _running(slots: Sequence[dict[int, int]]) -> dict[str, object]:
    """Devices by release, one layer upon the other: the newest at the bottom."""
    axis = charts.nice_axis(0, max(sum(each.values()) for each in slots), 4)
    layers = []
    for name, counters in (("r1", (FIRST, BAD, MENDED)), ("r2", (BAD, MENDED)), ("r3", (MENDED,))):
        layers.append((name, charts.area([sum(each.get(counter, 0) for counter in counters) for each in slots], axis)))
    return {"layers": layers, "marks": [(axis.y(mark), f"{mark}") for mark in axis.marks]}
