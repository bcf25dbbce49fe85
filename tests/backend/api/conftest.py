"""One town and one service for all tests of a module: each test takes slots or homes of its own."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from tests.support.service import Service, served
from tests.support.town import founded


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def service(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Service]:
    folder = tmp_path_factory.mktemp("town")
    async with founded(folder / "chain", homes=6) as town, served(town, folder / "service") as running:
        yield running
