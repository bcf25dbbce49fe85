"""One factory for all that is tried here."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from gridweave.client.firmware import Bundle
from tests.e2e.differential.chain import Chain
from tests.e2e.firmware.factory import Factory


@pytest.fixture(scope="session")
def factory() -> Iterator[Factory]:
    """Release 5 is full; 6 is a canary. What a test changes of it, it takes back."""
    with Chain(1_800_000_000) as chain:
        made = Factory(chain)
        made.full(4)
        made.full(5)
        made.release(6)
        made.begin(6)
        yield made


@pytest.fixture(scope="session")
def bundle(factory: Factory) -> Bundle:
    return factory.bundle(5)


@pytest.fixture
def passing(factory: Factory) -> Iterator[Factory]:
    """The factory, and a chain that forgets what the test does with it."""
    kept = factory.chain.rpc("evm_snapshot"), factory.chain._nonce, factory.chain.now
    memory = list(factory.signers), factory.fleet.keys, dict(factory.releases), dict(factory.envelopes)
    yield factory
    assert factory.chain.rpc("evm_revert", kept[0])
    factory.chain._nonce, factory.chain.now = kept[1:]
    factory.signers, factory.fleet.keys, factory.releases, factory.envelopes = memory
