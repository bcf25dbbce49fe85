"""docs/benchmarks.md: words by hand, tables by the tool, each between two marks."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from benchmark.figures import Figure
from benchmark.rivals import Rival
from benchmark.tables import gas_grid, markdown, rivals_grids, speed_grid
from layout import ROOT

__all__ = ["PAGE", "with_tables"]

PAGE = ROOT / "docs" / "benchmarks.md"


def with_tables(page: str, figures: Mapping[str, Figure], rivals: Sequence[Rival]) -> str:
    """The page with its tables made anew. ValueError if a mark is missing."""
    grids = {**rivals_grids(figures, rivals), "gas": gas_grid(figures), "speed": speed_grid(figures)}
    for name, grid in grids.items():
        block = re.compile(rf"(<!-- {name}: made by make bench -->\n).*?(\n<!-- end -->)", re.DOTALL)
        page, found = block.subn(lambda marks, grid=grid: f"{marks[1]}{markdown(grid)}{marks[2]}", page)  # type: ignore[misc]
        if found != 1:
            raise ValueError(f"the page has {found} places for {name}, not one")
    return page
