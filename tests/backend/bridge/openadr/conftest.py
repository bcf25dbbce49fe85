"""A VTN of the test's own."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest_asyncio

from tests.support.vtn import TestVtn, running_vtn


@pytest_asyncio.fixture
async def vtn(tmp_path: Path) -> AsyncIterator[TestVtn]:
    async with running_vtn(tmp_path / "vtn") as found:
        yield found
