"""An index made before the history, or before a device's life, is emptied, so that it is built again; what it belongs
to stays known.
"""

from __future__ import annotations

from pathlib import Path

import pytest
from sqlalchemy import text

from gridweave.store.database import Database, Kind
from gridweave.store.index import IndexedBlock, IndexStore
from gridweave.store.migrate import upgrade
from tests.support import stores


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


OF_ONE_HOME = {
    "blocks": "(7, '0x07', '0x06', 84)",
    "devices": "(7, 0, '0x01', '0xd', '0xmaker', '0xowner')",
    "device_keys": "(7, 1, '0x01', '0xd', 1, 2, '0x0a', '0x0b')",
    "device_statuses": "(7, 2, '0x01', '0xd', 2, '0xowner')",
    "skims": "(7, 3, '0x01', '0x02', '5')",
    "history": "(7, 0, '0x01', '0x02', 'DeviceEnrolled', '{}')",
    "history_subjects": "('device:0xd', 7, '0')",
    "facts": "('chain', '31337')",
}
"""A row of each table as it was before a device's life: without a model, keys by their version."""


@pytest.mark.asyncio
async def test_migrate__an_index_from_before_a_device_s_life__is_emptied_but_for_its_facts(tmp_path: Path) -> None:
    database = stores.database(Kind.INDEX, tmp_path)
    async with database.write() as connection:
        await connection.run_sync(lambda sync: upgrade(sync, "index", "0003"))
        for table, row in OF_ONE_HOME.items():
            await connection.execute(text(f"INSERT INTO {table} VALUES {row}"))
    await database.migrate()
    store = IndexStore(database)
    assert await store.head() is None
    assert set((await store.counts()).values()) == {0}
    async with database.read() as connection:
        assert (await connection.execute(text("SELECT value FROM facts"))).scalar() == "31337"
    key = {"block_number": 8, "log_index": 0, "tx_hash": "0x02", "device": "0xd"}
    enrolled = key | {"maker": "0xmaker", "owner": "0xowner", "model": 7, "batch": None}
    counted = key | {"log_index": 1, "key_kind": 1, "x": "0x0a", "y": "0x0b", "counts": True}
    await store.apply([IndexedBlock(8, "0x08", "0x07", 96)], {"devices": [enrolled], "device_keys": [counted]})
    assert (await store.counts())["devices"] == 1
    await database.close()


@pytest.mark.asyncio
async def test_migrate__an_index_from_before_firmware__is_emptied_but_for_its_facts(tmp_path: Path) -> None:
    database = stores.database(Kind.INDEX, tmp_path)
    async with database.write() as connection:
        await connection.run_sync(lambda sync: upgrade(sync, "index", "0005"))
        await connection.execute(text("INSERT INTO blocks VALUES (7, '0x07', '0x06', 84)"))
        await connection.execute(text("INSERT INTO history VALUES (7, 0, '0x01', '0x02', 'ModelOpened', '{}')"))
        await connection.execute(text("INSERT INTO facts VALUES ('chain', '31337')"))
    await database.migrate()
    store = IndexStore(database)
    assert await store.head() is None
    assert set((await store.counts()).values()) == {0}
    async with database.read() as connection:
        assert (await connection.execute(text("SELECT value FROM facts"))).scalar() == "31337"
    await database.close()
