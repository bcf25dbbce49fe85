from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from gridweave.localnet import Clock, localnet

from .street import Street, live, open_street

GENESIS = 1_780_000_000 // 900 * 900


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def day(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Street]:
    """A whole day of the small street; tests must leave its chain as it is."""
    path = tmp_path_factory.mktemp("street")
    async with localnet(path, clock=Clock.MANUAL, genesis_time=GENESIS, snapshot_seconds=3600) as chain:
        street = await open_street(chain)
        await live(street)
        yield street
