"""A database that is away is said to be away; one of another chain is refused."""

from __future__ import annotations

import asyncio
import contextlib
import threading
from collections.abc import Callable
from pathlib import Path

import pytest
from sqlalchemy import Connection

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


async def test_read__more_at_once_than_there_are_connections__store_unavailable(tmp_path: Path) -> None:
    """Whoever waits too long for a connection is told to come again."""
    database = Database(Kind.OUTBOX, f"sqlite:///{tmp_path}/outbox.db")
    await database.migrate()
    async with contextlib.AsyncExitStack() as stack:
        for _ in range(12):
            await stack.enter_async_context(database.read())
        with pytest.raises(StoreUnavailable):
            await database.ping()
    await database.ping()
    await database.close()


async def test_write__an_exception_inside__leaves_nothing_behind(outbox_database: Database) -> None:
    async def fail_midway() -> None:
        async with outbox_database.write() as connection:
            await connection.exec_driver_sql("INSERT INTO facts VALUES ('chain', '1')")
            raise RuntimeError("midway")

    with pytest.raises(RuntimeError, match="midway"):
        await fail_midway()
    async with outbox_database.read() as connection:
        assert (await connection.exec_driver_sql("SELECT count(*) FROM facts WHERE name = 'chain'")).scalar() == 0


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
        assert (await reader.exec_driver_sql("SELECT count(*) FROM facts WHERE name = 'chain'")).scalar() == 0
        async with outbox_database.write() as writer:
            await writer.exec_driver_sql("INSERT INTO facts VALUES ('chain', '1')")
        assert (await reader.exec_driver_sql("SELECT count(*) FROM facts WHERE name = 'chain'")).scalar() == 0
    async with outbox_database.read() as reader:
        assert (await reader.exec_driver_sql("SELECT count(*) FROM facts WHERE name = 'chain'")).scalar() == 1


async def test_belongs_to__another_chain__is_a_mismatch(outbox: OutboxStore) -> None:
    await outbox.belongs_to({"chain": "1"})
    await outbox.belongs_to({"chain": "1", "relayer": "0x1"})
    with pytest.raises(StoreMismatch, match="belongs to relayer 0x1, not 0x2"):
        await outbox.belongs_to({"chain": "1", "relayer": "0x2"})


async def test_writing__an_exception_inside__leaves_nothing_behind(outbox_database: Database) -> None:
    def fail_midway(connection: Connection) -> None:
        connection.exec_driver_sql("INSERT INTO facts VALUES ('chain', '1')")
        raise RuntimeError("midway")

    with pytest.raises(RuntimeError, match="midway"):
        await outbox_database.writing(fail_midway)
    assert await outbox_database.reading(_count_of_facts) == 0


async def test_writing__from_both_doors_at_once__is_in_turn(outbox_database: Database) -> None:
    async def by_statement(number: int) -> None:
        async with outbox_database.write() as connection:
            await connection.exec_driver_sql(f"INSERT INTO facts VALUES ('a{number}', '1')")

    def insert(number: int) -> Callable[[Connection], object]:
        return lambda connection: connection.exec_driver_sql(f"INSERT INTO facts VALUES ('b{number}', '1')")

    await asyncio.gather(*(w for n in range(10) for w in (by_statement(n), outbox_database.writing(insert(n)))))
    assert await outbox_database.reading(_count_of_facts) == 20


async def test_writing__a_caller_that_gives_up__ends_whole_before_the_next(outbox_database: Database) -> None:
    begun = threading.Event()

    def slowly(connection: Connection) -> None:
        begun.set()
        for name in ("chain", "genesis"):
            connection.exec_driver_sql(f"INSERT INTO facts VALUES ('{name}', '1')")

    writing = asyncio.create_task(outbox_database.writing(slowly))
    await asyncio.to_thread(begun.wait, 10)
    writing.cancel()
    await asyncio.gather(writing, return_exceptions=True)
    assert await outbox_database.writing(_count_of_facts) in (0, 2)


def _count_of_facts(connection: Connection) -> int:
    """Facts but for who holds a PostgreSQL outbox."""
    query = "SELECT count(*) FROM facts WHERE name <> 'holder'"
    return int(connection.exec_driver_sql(query).scalar() or 0)
