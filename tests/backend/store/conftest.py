"""Databases of a test's own, in a folder that goes with it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest_asyncio

from gridweave.store.database import Database, Kind
from gridweave.store.outbox import OutboxStore
from tests.support import stores


@pytest_asyncio.fixture
async def outbox_database(tmp_path: Path) -> AsyncIterator[Database]:
    database = stores.database(Kind.OUTBOX, tmp_path)
    await database.migrate()
    yield database
    await database.close()


@pytest_asyncio.fixture
async def outbox(outbox_database: Database) -> OutboxStore:
    return OutboxStore(outbox_database)
