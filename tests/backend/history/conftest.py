"""One slot lived through, for all tests of the folder: they leave its chain as it is."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from tests.support.service import Service, served
from tests.support.told import Told, read_chain
from tests.support.town import founded

from .life import live


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def service(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Service]:
    folder = tmp_path_factory.mktemp("history")
    async with founded(folder / "chain", homes=4) as town, served(town, folder / "service") as running:
        await live(running)
        yield running


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def told(service: Service) -> list[Told]:
    return await read_chain(service.town)
