"""The figures as tables: on the terminal, and as the Markdown that docs/benchmarks.md carries."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from rich.table import Table

from benchmark.figures import NAMES, Figure
from benchmark.rivals import DEVICES, MARKET, Act, Rival

__all__ = ["Grid", "gas_grid", "markdown", "rich_table", "rivals_grids", "speed_grid"]

OURS: dict[Act, str] = {
    Act.PLACE: "gas.place.batch100",
    Act.PLACE_REUSED: "gas.place.batch100.reused",
    Act.CLEAR_10: "gas.clear.10",
    Act.CLEAR_100: "gas.clear.100",
    Act.CLEAR_200: "gas.clear.200",
    Act.CLEAR_1000: "gas.clear.1000",
    Act.CLEAR_10000: "gas.clear.10000",
    Act.SETTLE: "gas.settle.secp256k1.batch100",
    Act.READING: "gas.settle.secp256k1.batch100",
    Act.LIFE: "gas.life.n100",
    Act.CLAIM: "gas.claim",
    Act.ROTATE: "gas.rotate",
    Act.REVOKE: "gas.revoke",
    Act.ANCHOR: "gas.anchor.head",
    Act.FULL: "gas.anchor.full.per_reading",
    Act.VERIFY: "gas.verify.reading",
    Act.RELEASE: "gas.firmware.release.3of5",
}
"""Our figure for each act. Recording a reading is part of settling it."""


@dataclass(frozen=True)
class Grid:
    """A title, headings and rows of words. Every column but the first and the last `notes` holds numbers."""

    title: str
    headings: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    notes: int = 0

    def is_number(self, column: int) -> bool:
        """Whether the column is set to the right."""
        return 0 < column < len(self.headings) - self.notes


def rivals_grids(figures: Mapping[str, Figure], rivals: Sequence[Rival]) -> dict[str, Grid]:
    """Of the market and of devices, each under the name of its place on the page."""
    return {
        "rivals": _rivals_grid("Gas beside other markets", MARKET, figures, rivals),
        "rivals of devices": _rivals_grid("Gas beside other registries of devices and data", DEVICES, figures, rivals),
    }


def _rivals_grid(title: str, about: Sequence[Act], figures: Mapping[str, Figure], rivals: Sequence[Rival]) -> Grid:
    """A row a system, ours first; behind each of their figures how many times ours it is."""
    acts = [act for act in about if OURS[act] in figures]
    known = {(_label(rival), rival.act): rival for rival in rivals if rival.act in about}
    ours = ("Gridweave", *("in settle" if act is Act.READING else _short(figures[OURS[act]].value) for act in acts))
    theirs = [
        (label, *(_beside(known.get((label, act)), figures) for act in acts))
        for label in dict.fromkeys(label for label, _ in known)
    ]
    return Grid(title, ("system", *(act.value.replace(".", " ") for act in acts)), (ours, *theirs) if acts else ())


def gas_grid(figures: Mapping[str, Figure]) -> Grid:
    """What does not depend on the machine."""
    rows = [(name, _number(f.value), f.unit, f.note) for name, f in _of(figures, speed=False)]
    return Grid("Gas, exact", ("figure", "value", "unit", "what"), tuple(rows), notes=2)


def speed_grid(figures: Mapping[str, Figure]) -> Grid:
    """What does, beside what the same machine allowed in the same run."""
    rows = [
        (name, _number(f.value), _number(f.limit), "" if f.ratio is None else f"{f.ratio:.2f}", f.unit, f.note)
        for name, f in _of(figures, speed=True)
    ]
    headings = ("figure", "value", "limit", "ratio", "unit", "what")
    return Grid("Speed, beside its limit in the same run", headings, tuple(rows), notes=2)


def rich_table(grid: Grid) -> Table:
    """For the terminal."""
    table = Table(title=grid.title, title_justify="left", title_style="bold")
    for column, heading in enumerate(grid.headings):
        table.add_column(heading, justify="right" if grid.is_number(column) else "left", no_wrap=column == 0)
    for row in grid.rows:
        table.add_row(*row)
    return table


def markdown(grid: Grid) -> str:
    """For the docs."""
    rule = ["---:" if grid.is_number(column) else "---" for column in range(len(grid.headings))]
    return "\n".join(_line(row) for row in (grid.headings, rule, *grid.rows))


def _line(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cells)} |"


def _of(figures: Mapping[str, Figure], *, speed: bool) -> list[tuple[str, Figure]]:
    return [(name, figures[name]) for name in NAMES if name in figures and name.startswith(("gas.", "homes.")) != speed]


def _label(rival: Rival) -> str:
    return f"{rival.system} ({rival.version})"


def _beside(rival: Rival | None, figures: Mapping[str, Figure]) -> str:
    if rival is None:
        return ""
    words = _range(_short(rival.low), _short(rival.high))
    if rival.basis == "published":
        words += " published"
    if rival.act is Act.READING:
        return words
    ours = figures[OURS[rival.act]].value
    return f"{words} ({_range(*(_times(value / ours) for value in (rival.low, rival.high)))}x)"


def _range(low: str, high: str) -> str:
    return low if low == high else f"{low}-{high}"


def _times(ratio: float) -> str:
    return f"{ratio:,.0f}" if ratio >= 10 else f"{ratio:.2g}"


def _short(value: float) -> str:
    return f"{value / 1e6:.3g}M" if value >= 1e6 else f"{value / 1e3:.3g}k" if value >= 1e3 else f"{value:.0f}"


def _number(value: float | None) -> str:
    if value is None:
        return ""
    return f"{value:.2g}" if 0 < abs(value) < 1 else f"{value:,.0f}"
