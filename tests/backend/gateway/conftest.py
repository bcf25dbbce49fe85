"""A town on a chain for all tests of a module, and a scene of its own for each."""

from __future__ import annotations

import random
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from tests.support.gateway.harbour import Harbour
from tests.support.gateway.scene import Scene
from tests.support.town import Town, founded


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def town(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Town]:
    async with founded(tmp_path_factory.mktemp("town") / "chain", homes=2) as found:
        yield found


@pytest.fixture
def scene(town: Town, tmp_path: Path, rng: random.Random) -> Scene:
    return Scene(Harbour(town), tmp_path, rng)
