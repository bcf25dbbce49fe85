"""No page walks through a whole table: what it costs does not grow with the chain."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import event, text

from gridweave.store.database import Database, Kind
from gridweave.store.history import AnyOf, HistoryReads, Wanted
from gridweave.store.index import IndexedBlock, IndexStore

METER, SLOTS = AnyOf(("meter:1", "meter:2")), AnyOf(between=("slot:0000000001", "slot:0000000009"))


def row(block: int, log: int) -> dict[str, Any]:
    place = {"block_number": block, "log_index": log, "tx_hash": f"0x{block:064x}"}
    return place | {"contract": "0x" + "aa" * 20, "event": "Settled", "args": "{}"}


@pytest.mark.parametrize("groups", [(), (METER,), (METER, SLOTS)])
@pytest.mark.asyncio
async def test_stretch__whatever_is_asked__scans_no_table(groups: tuple[AnyOf, ...], tmp_path: Path) -> None:
    database = Database(Kind.INDEX, f"sqlite+aiosqlite:///{tmp_path}/index.db")
    await database.migrate()
    blocks = [IndexedBlock(number, f"0x{number:064x}", "0x", number) for number in range(100)]
    named = [
        {"subject": s, "block_number": n, "logs": "0,2"} for s in ("meter:1", "slot:0000000001") for n in range(100)
    ]
    rows = {"history": [row(n, log) for n in range(100) for log in range(3)], "history_subjects": named}
    await IndexStore(database).apply(blocks, rows)
    asked: list[tuple[str, Any]] = []
    async with database.read() as connection:
        engine = connection.engine.sync_engine

    @event.listens_for(engine, "before_cursor_execute")
    def _asked(_c: Any, _cursor: Any, statement: str, parameters: Any, _context: Any, _many: bool) -> None:
        asked.append((statement, parameters))

    found = await HistoryReads(database).stretch(Wanted(0, 99, groups), (10, 0), 50)
    assert len(found.rows) == 50
    event.remove(engine, "before_cursor_execute", _asked)
    for statement, parameters in [each for each in asked if "history" in each[0]]:
        async with database.read() as connection:
            plan = await connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}", parameters)
            steps = [str(step[-1]) for step in plan]
        assert not [step for step in steps if step.startswith("SCAN") and "history" in step.split()[1]], steps
    async with database.read() as connection:
        assert (await connection.execute(text("SELECT count(*) FROM history"))).scalar() == 300
    await database.close()
