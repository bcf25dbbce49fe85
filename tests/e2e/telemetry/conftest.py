"""One street for all that is tried here; what a test changes of the chain or of key files it takes back."""

from __future__ import annotations

import random
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from gridweave.cli.telemetry_chain import ChainSource
from gridweave.domain.acts import KeyKind
from gridweave.domain.anchors import StreamMode
from tests.e2e.differential.chain import Chain
from tests.e2e.telemetry.world import NOW, START_MS, WINDOW_MS, Meter, World
from tests.support.seed import run_seed

PARTIES = ("utility", "maker", "city")


@dataclass
class Street:
    """The world, its two streams, and what was granted of them.

    `full` is a P-256 meter in mode full: quarters 0 to 7 in epoch 1, 8 and 9 in epoch 2, 10 and 11 in epoch 3, the
    buyer's. `kept` is a secp256k1 meter in mode hash: quarters 0 to 7, two to a batch, epoch 1.
    """

    world: World
    full: Meter
    kept: Meter

    @property
    def streams(self) -> dict[str, Meter]:
        return {"full": self.full, "kept": self.kept}


def grant(world: World, meter: Meter, party: str, quarters: tuple[int, int], *way: object, keys: str = "owner") -> None:
    first, end = (START_MS + at * WINDOW_MS for at in quarters)
    words = "grant", world.home / f"{party}.json", "--stream", meter.name, "--from", first, "--until", end, *way
    if "--on-chain" in way:
        world.act_by(*words, key="owner" if keys == "owner" else keys, keys=keys)
    else:
        world.must(*words, keys=keys)


def found(world: World) -> Street:
    for party in PARTIES:
        world.must("party-key", party, "--out", world.home / f"{party}.json")
    full = world.open(world.enrol(KeyKind.P256), StreamMode.FULL)
    kept = world.open(world.enrol(KeyKind.SECP256K1), StreamMode.HASH)
    world.give_keys(full, (0, 8))
    world.measure(full, range(4), firmware=3)
    world.measure(full, range(4, 8), firmware=4)
    world.give_keys(kept, (0, 8))
    for quarter in range(0, 8, 2):
        sent = [world.segment(kept, START_MS + at * WINDOW_MS, 9, 20) for at in (quarter, quarter + 1)]
        world.anchor(kept, sent)
    grant(world, full, "utility", (0, 4), "--on-chain")
    grant(world, full, "city", (2, 8), "--on-chain")
    grant(world, kept, "maker", (0, 2), "--on-chain")
    grant(world, full, "maker", (4, 6), "--out", world.home / "maker.grant")
    world.begin_epoch(full, 2)
    world.give_keys(full, (8, 10))
    world.measure(full, (8, 9), firmware=4)
    world.sell(full, "owner", "buyer")
    world.begin_epoch(full, 3, owner="buyer")
    world.give_keys(full, (10, 12), owner="buyer")
    world.measure(full, (10, 11), firmware=5)
    return Street(world, full, kept)


@pytest.fixture(scope="session")
def founded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Street]:
    with Chain(NOW) as chain:
        home = tmp_path_factory.mktemp("street")
        yield found(World(chain, random.Random(f"street {run_seed()}"), home))


@pytest.fixture
def street(founded: Street) -> Street:
    """To be read only."""
    return founded


@pytest.fixture(scope="session")
def source(founded: Street) -> Iterator[ChainSource]:
    """The chain's logs as of the founding."""
    world = founded.world
    with ChainSource(world.url, world.home / "deployment.json", world.home / "bodies") as asked:
        yield asked


@pytest.fixture
def passing(founded: Street, tmp_path: Path) -> Iterator[Street]:
    """The street, and a world that forgets what the test does with it."""
    world, chain = founded.world, founded.world.chain
    kept = chain.rpc("evm_snapshot"), chain._nonce, chain.now
    memory = [(m, m.tail, m.tip, m.gateway, len(m.measured), len(m.sealed)) for m in founded.streams.values()]
    shutil.copytree(world.home, tmp_path / "home")
    before = world.home
    world.home = tmp_path / "home"
    yield founded
    world.home = before
    assert chain.rpc("evm_revert", kept[0])
    chain._nonce, chain.now = kept[1:]
    for meter, tail, tip, gateway, measured, sealed in memory:
        meter.tail, meter.tip, meter.gateway = tail, tip, gateway
        del meter.measured[measured:], meter.sealed[sealed:], meter.signatures[sealed:]
