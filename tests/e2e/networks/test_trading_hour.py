"""The same trading hour on two nodes that share no code, Anvil and Ganache: one scenario, one outcome."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from tests.support.ganache import ganache
from tests.support.town import GENESIS, Town, found, founded
from tests.support.trading_hour import BY_THE_NETWORK, HOMES, as_computed, trading_hour

pytestmark = [pytest.mark.chain, pytest.mark.slow]


@asynccontextmanager
async def _town(node: str, path: Path) -> AsyncIterator[Town]:
    if node == "anvil":
        async with founded(path, HOMES) as town:
            yield town
    else:
        async with ganache(path, GENESIS) as chain:
            yield await found(chain, HOMES)


@pytest.mark.parametrize(("node", "p256_in_code"), [("anvil", False), ("ganache", True)])
async def test_trading_hour__on_either_node__comes_out_the_same(tmp_path: Path, node: str, p256_in_code: bool) -> None:
    async with _town(node, tmp_path / "chain") as town:
        hour = await trading_hour(town, tmp_path, network=node, **BY_THE_NETWORK)
    as_computed(hour)
    assert hour.p256_in_code is p256_in_code, (
        "without the precompile readings of P-256 devices are batched by their gas"
    )
