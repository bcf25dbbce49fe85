"""A history of a million events: what it costs to grow, a page of it, and all of it as a stream."""

from __future__ import annotations

import os
import statistics
import time
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from sqlalchemy import text

from benchmark.figures import Figure
from benchmark.speed.chronicle import NAMES, events_of, indexed
from gridweave.indexer.projections import project
from gridweave.services.export import open_export
from gridweave.services.history import Filters, page
from gridweave.services.writing import Format
from gridweave.store.database import Database, Kind
from gridweave.store.history import HistoryReads
from gridweave.store.index import IndexStore

__all__ = ["measure_history"]

_PAGES = 50
_PAGE = 1_000
_STRIDE = 40  # blocks written in one transaction, 250 events each on average
_RAW = (
    "SELECT history.*, blocks.hash, blocks.timestamp FROM history JOIN blocks ON blocks.number = history.block_number "
    "ORDER BY history.block_number, history.log_index"
)


async def measure_history(folder: Path, events: int) -> dict[str, Figure]:
    """Figures over an index of `events` generated events, in this process, without HTTP."""
    database = Database(Kind.INDEX, f"sqlite+aiosqlite:///{folder}/history.db")
    try:
        await database.migrate()
        grown, blocks = await _grown(IndexStore(database), events)
        world = _world(database, blocks)
        return grown | await _paged(world, blocks, events) | await _exported(database, world)
    finally:
        await database.close()


async def _grown(store: IndexStore, events: int) -> tuple[dict[str, Figure], int]:
    """Ten parts, each timed without the making of its events."""
    speeds: list[float] = []
    resident: list[float] = []
    block = 0
    for _ in range(10):
        spent, written = 0.0, 0
        while written < events // 10:
            made = [event for number in range(block, block + _STRIDE) for event in events_of(number)]
            started = time.perf_counter()
            await store.apply([indexed(number) for number in range(block, block + _STRIDE)], project(made))
            spent += time.perf_counter() - started
            block, written = block + _STRIDE, written + len(made)
        speeds.append(written / spent)
        resident.append(_resident_mib())
    work = f"{events:,} generated events of real shape, projected and written, nothing fetched"
    return {
        "indexer.1m.rss_growth_mib": Figure(
            value=round(resident[-1] - resident[0], 1), unit="MiB", note=f"from a tenth to the whole of {work}"
        ),
        "indexer.1m.last_over_first": Figure(
            value=round(speeds[-1] / speeds[0], 2), unit="x", note=f"events/s of the last tenth over the first; {work}"
        ),
    }, block


async def _paged(world: Any, blocks: int, events: int) -> dict[str, Figure]:
    """Pages of one meter from places all over the history."""
    spent: list[float] = []
    for at in range(_PAGES):
        filters = Filters(meters=(1 + at % 200,), blocks=(at * blocks // (2 * _PAGES), None))
        started = time.perf_counter()
        await page(world, filters, None, _PAGE)
        spent.append((time.perf_counter() - started) * 1_000)
    note = f"median of {_PAGES} pages of up to {_PAGE:,} rows of one meter, anywhere in {events:,} events"
    return {"history.page_ms": Figure(value=round(statistics.median(spent), 1), unit="ms", note=note)}


async def _exported(database: Database, world: Any) -> dict[str, Figure]:
    before, most, rows, started = _resident_mib(), 0.0, 0, time.perf_counter()
    async for part in (await open_export(world, Filters(), Format.NDJSON, None)).body:
        rows += part.count(b"\n")
        most = max(most, _resident_mib())
    spent = time.perf_counter() - started
    started = time.perf_counter()
    async with database.read() as connection:
        result = await connection.stream(text(_RAW))
        selected = 0
        async for stretch in result.partitions(2_000):
            selected += len(stretch)
    bare = time.perf_counter() - started
    if rows != selected:
        raise RuntimeError(f"{rows} rows exported, {selected} there")
    note = f"{rows:,} rows as NDJSON, without HTTP; limit: SELECT of the same rows by the same driver"
    return {
        "history.export_rows_per_s": Figure.beside(rows / spent, "rows/s", selected / bare, note),
        "history.export_memory_mib": Figure(
            value=round(max(0.0, most - before), 1), unit="MiB", note=f"most that an export of {rows:,} rows adds"
        ),
    }


def _world(database: Database, blocks: int) -> Any:
    """What pages and exports ask of a running service."""
    heads = SimpleNamespace(number=blocks - 1, final=blocks - 31, block=indexed(blocks - 1))
    return SimpleNamespace(
        heads=heads,
        deployment=SimpleNamespace(every_address=NAMES),
        reads=SimpleNamespace(history=HistoryReads(database)),
    )


def _resident_mib() -> float:
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 2**20
