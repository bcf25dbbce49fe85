"""Roles and words of the contract tests. Every test starts from the same chain and leaves no trace."""

from __future__ import annotations

import random

import pytest

from tests.support.reverts import reverts_with
from tests.support.seed import run_seed, seeded


def pytest_report_header() -> str:
    return f"seed: {run_seed()} (GRIDWEAVE_SEED)"


@pytest.fixture(autouse=True)
def isolation(fn_isolation):
    """Each test runs on a snapshot that is reverted after it."""


@pytest.fixture
def rng(request) -> random.Random:
    """A seeded generator of this test's own."""
    return seeded(request.node.nodeid)


@pytest.fixture(scope="session")
def deployer(accounts):
    """Deploys and administers."""
    return accounts[0]


@pytest.fixture(scope="session")
def operator(accounts):
    """The grid operator."""
    return accounts[1]


@pytest.fixture(scope="session")
def utility(accounts):
    """The other side of every deviation."""
    return accounts[2]


@pytest.fixture(scope="session")
def prosumer(accounts):
    """A home with a meter."""
    return accounts[3]


@pytest.fixture(scope="session")
def stranger(accounts):
    """Holds no role and no meter."""
    return accounts[9]


@pytest.fixture(scope="session")
def reverts():
    """`with reverts("InsufficientFunds", ...)`: see tests.support.reverts."""
    return reverts_with
