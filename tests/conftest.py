"""What every test has: the run's seed in its header, a generator of its own, and no way out of this machine."""

from __future__ import annotations

import random
from collections.abc import Iterator

import pytest

from tests.support.network import only_this_machine
from tests.support.seed import run_seed, seeded

collect_ignore = ["contracts", "foundry"]


def pytest_report_header() -> str:
    return f"seed: {run_seed()} (GRIDWEAVE_SEED)"


@pytest.fixture(autouse=True, scope="session")
def offline() -> Iterator[None]:
    """No test reaches another machine."""
    with only_this_machine():
        yield


@pytest.fixture
def rng(request: pytest.FixtureRequest) -> random.Random:
    """A seeded generator of this test's own."""
    return seeded(request.node.nodeid)
