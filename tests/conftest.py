"""What every test has: the run's seed in its header, a generator of its own, and no way out of this machine."""

from __future__ import annotations

import random
from collections.abc import Iterator

import pytest

from tests.support import stores
from tests.support.network import only_this_machine
from tests.support.postgres import PostgresServer
from tests.support.seed import run_seed, seeded

collect_ignore = ["contracts", "foundry"]


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--store", choices=stores.KINDS, default="sqlite", help="what services keep their rows in")


def pytest_report_header() -> str:
    return f"seed: {run_seed()} (GRIDWEAVE_SEED)"


@pytest.fixture(autouse=True, scope="session")
def offline() -> Iterator[None]:
    """No test reaches another machine."""
    with only_this_machine():
        yield


@pytest.fixture(autouse=True, scope="session")
def store_server(request: pytest.FixtureRequest) -> Iterator[None]:
    """The database server that `--store` asks for."""
    if request.config.getoption("--store") == "sqlite":
        yield
        return
    with PostgresServer() as server:
        stores.use(stores.TestStores(server))
        yield
        stores.use(stores.TestStores())


@pytest.fixture
def rng(request: pytest.FixtureRequest) -> random.Random:
    """A seeded generator of this test's own."""
    return seeded(request.node.nodeid)
