from __future__ import annotations

from collections.abc import Iterator

import pytest

from gridweave.client import GridweaveClient, Prosumer, Wallet
from tests.backend.client.simulator import Simulator

METER = 3


@pytest.fixture
def wallet() -> Wallet:
    return Wallet(b"\x11" * 32)


@pytest.fixture
def service(wallet: Wallet) -> Simulator:
    return Simulator(accounts={METER: wallet.address})


@pytest.fixture
def client(service: Simulator) -> Iterator[GridweaveClient]:
    pauses: list[float] = []
    with GridweaveClient("http://service", http=service.client(), sleep=pauses.append) as made:
        yield made


@pytest.fixture
def prosumer(client: GridweaveClient, wallet: Wallet) -> Prosumer:
    return Prosumer(client, wallet, market=1)
