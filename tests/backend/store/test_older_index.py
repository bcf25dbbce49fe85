"""An index made before the history is emptied, so that it is built again; what it belongs to stays known."""

from __future__ import annotations

from pathlib import Path

import pytest
from sqlalchemy import text

from gridweave.store.database import Database, Kind
from gridweave.store.index import IndexStore
from gridweave.store.migrate import upgrade


@pytest.mark.asyncio
async def test_migrate__an_index_from_before_the_history__is_emptied_but_for_its_facts(tmp_path: Path) -> None:
    database = Database(Kind.INDEX, f"sqlite+aiosqlite:///{tmp_path}/index.db")
    async with database.write() as connection:
        await connection.run_sync(lambda sync: upgrade(sync, "index", "0002"))
        await connection.execute(text("INSERT INTO blocks VALUES (7, '0x07', '0x06', 84)"))
        await connection.execute(text("INSERT INTO skims VALUES (7, 0, '0x01', '0x02', '5')"))
        await connection.execute(text("INSERT INTO facts VALUES ('chain', '31337')"))
    await database.migrate()
    store = IndexStore(database)
    assert await store.head() is None
    assert set((await store.counts()).values()) == {0}
    async with database.read() as connection:
        assert (await connection.execute(text("SELECT value FROM facts"))).scalar() == "31337"
    await database.close()
