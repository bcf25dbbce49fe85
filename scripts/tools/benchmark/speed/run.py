"""One scene, measured in turn: orders, readings, indexing, the audit."""

from __future__ import annotations

import asyncio
import tempfile
from pathlib import Path

from benchmark.figures import Figure
from benchmark.speed.audit import measure_audit
from benchmark.speed.history import measure_history
from benchmark.speed.indexer import measure_indexer
from benchmark.speed.orders import measure_orders
from benchmark.speed.readings import measure_readings
from benchmark.speed.scene import Size, opened
from benchmark.speed.waiting import measure_waiting

__all__ = ["history_figures", "speed_figures"]

FULL = Size(homes=200, singles=4_000, slots=100, read_slots=28)
QUICK = Size(homes=100, singles=300, slots=8, read_slots=4)
SEED = 20_160_621
HISTORY = 1_000_000


def speed_figures(*, quick: bool) -> dict[str, Figure]:
    """Figures by name. RuntimeError when the chain does not hold what the service promised."""
    return asyncio.run(_measured(QUICK if quick else FULL))


def history_figures(*, quick: bool) -> dict[str, Figure]:
    """Those of a long history, which needs no chain."""
    with tempfile.TemporaryDirectory(prefix="gridweave-bench-") as name:
        return asyncio.run(measure_history(Path(name), HISTORY // 10 if quick else HISTORY))


async def _measured(size: Size) -> dict[str, Figure]:
    with tempfile.TemporaryDirectory(prefix="gridweave-bench-") as name:
        folder = Path(name)
        async with opened(folder, size, SEED) as scene:
            orders = await measure_orders(scene)
            committed = await measure_waiting(scene)
            readings = await measure_readings(scene)
            indexed = await measure_indexer(scene, folder)
            return orders | committed | readings | indexed | await measure_audit(scene)
