"""A database that is away is said to be away; one of another chain is refused."""

from __future__ import annotations

import asyncio
import threading
from pathlib import Path

import pytest

from gridweave.store.database import Database, Kind
from gridweave.store.errors import StoreMismatch, StoreUnavailable
from gridweave.store.outbox import OutboxStore


async def test_migrate__a_file_that_cannot_be_opened__store_unavailable(tmp_path: Path) -> None:
    (tmp_path / "outbox.db").mkdir()
    database = Database(Kind.OUTBOX, f"sqlite+aiosqlite:///{tmp_path}/outbox.db")
    with pytest.raises(StoreUnavailable):
        await database.migrate()
    await database.close()
    # A connection that failed to open tells its thread to end without waiting for it, and the thread answers this loop.
    for thread in threading.enumerate():
        if "_connection_worker_thread" in thread.name:
            await asyncio.to_thread(thread.join, 10)


async def test_write__an_exception_inside__leaves_nothing_behind(outbox_database: Database) -> None:
    async def fail_midway() -> None:
        async with outbox_database.write() as connection:
            await connection.exec_driver_sql("INSERT INTO facts VALUES ('chain', '1')")
            raise RuntimeError("midway")

    with pytest.raises(RuntimeError, match="midway"):
        await fail_midway()
    async with outbox_database.read() as connection:
        assert (await connection.exec_driver_sql("SELECT count(*) FROM facts")).scalar() == 0


async def test_write__an_exception_after_a_table_was_made__leaves_no_table_behind(outbox_database: Database) -> None:
    async def fail_midway() -> None:
        async with outbox_database.write() as connection:
            await connection.exec_driver_sql("CREATE TABLE half (x INTEGER)")
            raise RuntimeError("midway")

    with pytest.raises(RuntimeError, match="midway"):
        await fail_midway()
    async with outbox_database.write() as connection:
        await connection.exec_driver_sql("CREATE TABLE half (x INTEGER)")


async def test_read__while_another_writes__sees_one_state(outbox_database: Database) -> None:
    async with outbox_database.read() as reader:
        assert (await reader.exec_driver_sql("SELECT count(*) FROM facts")).scalar() == 0
        async with outbox_database.write() as writer:
            await writer.exec_driver_sql("INSERT INTO facts VALUES ('chain', '1')")
        assert (await reader.exec_driver_sql("SELECT count(*) FROM facts")).scalar() == 0
    async with outbox_database.read() as reader:
        assert (await reader.exec_driver_sql("SELECT count(*) FROM facts")).scalar() == 1


async def test_belongs_to__another_chain__is_a_mismatch(outbox: OutboxStore) -> None:
    await outbox.belongs_to({"chain": "1"})
    await outbox.belongs_to({"chain": "1", "relayer": "0x1"})
    with pytest.raises(StoreMismatch, match="belongs to relayer 0x1, not 0x2"):
        await outbox.belongs_to({"chain": "1", "relayer": "0x2"})
