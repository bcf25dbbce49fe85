"""Migrations and table declarations say the same."""

from __future__ import annotations

from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import Connection, MetaData

from gridweave.store import index_tables, vtn_tables
from gridweave.store.database import Database, Kind

TABLES = {Kind.OUTBOX: vtn_tables.metadata, Kind.INDEX: index_tables.metadata}


@pytest.mark.asyncio
@pytest.mark.parametrize("kind", list(Kind))
async def test_migrate__on_an_empty_database__gives_the_declared_tables(kind: Kind, tmp_path: Path) -> None:
    database = Database(kind, f"sqlite+aiosqlite:///{tmp_path}/{kind}.db")
    await database.migrate()
    async with database.read() as connection:
        differences = await connection.run_sync(_differences, TABLES[kind])
    await database.close()
    assert differences == []


@pytest.mark.asyncio
async def test_migrate__twice__changes_nothing(tmp_path: Path) -> None:
    database = Database(Kind.OUTBOX, f"sqlite+aiosqlite:///{tmp_path}/outbox.db")
    await database.migrate()
    await database.migrate()
    async with database.read() as connection:
        assert await connection.run_sync(_differences, TABLES[Kind.OUTBOX]) == []
        assert (await connection.exec_driver_sql("PRAGMA synchronous")).scalar() == 2
        assert (await connection.exec_driver_sql("PRAGMA journal_mode")).scalar() == "wal"
    await database.close()


def _differences(connection: Connection, metadata: MetaData) -> list[object]:
    return list(compare_metadata(MigrationContext.configure(connection), metadata))
