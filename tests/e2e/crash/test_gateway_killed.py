"""kill -9 of gateway, broker and devices at random while readings come in: none that was acknowledged is lost or twice.

A stand-in for the service anchors on a real chain. `test_telemetry_besieged` has the whole house, for thirty rounds.
GRIDWEAVE_SEED sets where it strikes.
"""

from __future__ import annotations

import asyncio
import random
from collections import Counter
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest
import pytest_asyncio

from gridweave.client.measuring.device import StreamDevice
from gridweave.client.measuring.mqtt_link import BrokerPass
from gridweave.domain.anchors import StreamMode
from tests.support.broker import needs_mosquitto
from tests.support.gateway.harbour import Harbour
from tests.support.gateway.living import Life
from tests.support.gateway.process import Broker, GatewayProcess
from tests.support.gateway.rest import served
from tests.support.gateway.scene import Scene, recent_ms, until
from tests.support.telemetry import SCHEMA
from tests.support.town import TestHome, Town, founded

pytestmark = [pytest.mark.asyncio(loop_scope="module"), pytest.mark.chain]

DEVICES = 4
ROUND_S = 1.5


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def town(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Town]:
    needs_mosquitto()
    async with founded(tmp_path_factory.mktemp("town") / "chain", homes=DEVICES) as found:
        yield found


@dataclass
class Siege:
    """Everything, and what strikes it."""

    scene: Scene
    gateway: GatewayProcess
    broker: Broker
    lives: dict[bytes, Life]
    owners: dict[bytes, TestHome]
    rng: random.Random
    done: Counter[str] = field(default_factory=Counter)

    async def strike(self) -> None:
        faults = {
            "gateway killed": self._kill_gateway,
            "broker killed": self._kill_broker,
            "both killed": self._kill_both,
            "device killed": self._kill_device,
            "service away": self._lose_service,
            "epoch begun": self._begin_epoch,
        }
        name = self.rng.choice(sorted(faults))
        self.done[name] += 1
        await faults[name]()

    async def _kill_gateway(self) -> None:
        self.gateway.must_run()
        self.gateway.kill()
        await asyncio.sleep(self.rng.uniform(0, 0.4))
        self.gateway.start()

    async def _kill_broker(self) -> None:
        self.broker.kill()
        await asyncio.sleep(self.rng.uniform(0, 0.4))
        await self.broker.start()

    async def _kill_both(self) -> None:
        self.broker.kill()
        self.gateway.kill()
        self.gateway.start()
        await self.broker.start()

    async def _kill_device(self) -> None:
        await self.rng.choice(list(self.lives.values())).kill()

    async def _lose_service(self) -> None:
        self.scene.harbour.away = True
        await asyncio.sleep(self.rng.uniform(0.2, 1.0))
        self.scene.harbour.away = False

    async def _begin_epoch(self) -> None:
        stream = self.rng.choice(list(self.lives))
        self.scene.give_keys(stream, self.scene.harbour.berths[stream].tip.span.epoch + 1)
        async with self.scene.harbour.turn:
            await self.scene.harbour.new_epoch(self.owners[stream], stream)


async def _besieged(town: Town, folder: Path, rng: random.Random, rounds: int) -> None:
    scene = Scene(Harbour(town, depth=3), folder, rng)
    homes = town.homes[:DEVICES]
    broker = Broker(folder / "broker")
    await broker.start()
    await broker.admit(*(home.key.device for home in homes))
    async with served(scene.harbour) as url:
        siege = Siege(scene, GatewayProcess(folder, url, broker=broker), broker, {}, {}, rng)
        for home, mode in zip(homes, [StreamMode.FULL, StreamMode.HASH] * 2, strict=True):
            await _begin(siege, home, mode)
        siege.gateway.start()
        beating = asyncio.create_task(_beat(scene.harbour))
        try:
            await _live(siege, rounds)
            await _settle(siege)
        finally:
            beating.cancel()
            await asyncio.gather(*(life.stop() for life in siege.lives.values()))
            siege.gateway.kill()
            broker.kill()
    _judge(siege)


async def _begin(siege: Siege, home: TestHome, mode: StreamMode) -> None:
    scene, device = siege.scene, home.key.device
    stream = await scene.harbour.open(home, SCHEMA, mode)
    scene.give_keys(stream, 1)

    def boot(every: int) -> StreamDevice:
        return scene.boot(home, mode, every)

    async def knock() -> BrokerPass:
        return BrokerPass("127.0.0.1", siege.broker.port, device, device)

    siege.owners[stream] = home
    siege.lives[stream] = Life(boot, knock, siege.rng, recent_ms() - 2_000_000_000)


async def _beat(harbour: Harbour) -> None:
    while True:
        async with harbour.turn:
            await harbour.town.chain.mine()
        await asyncio.sleep(0.2)


async def _live(siege: Siege, rounds: int) -> None:
    for life in siege.lives.values():
        life.start()
    measuring = [asyncio.create_task(life.measure()) for life in siege.lives.values()]
    for _ in range(rounds):
        await asyncio.sleep(siege.rng.uniform(0.1, ROUND_S))
        await siege.strike()
    for task in measuring:
        task.cancel()
    await asyncio.gather(*measuring, return_exceptions=True)


async def _settle(siege: Siege) -> None:
    """Waits until all that was signed is anchored for good."""

    def is_settled() -> bool:
        siege.gateway.must_run()
        return all(life.is_settled for life in siege.lives.values())

    try:
        await until(is_settled, within=90)
    except TimeoutError:
        memories = [life.device.memory for life in siege.lives.values()]
        told = [(memory.final[0], memory.tail.next_index) for memory in memories]
        pytest.fail(f"{told} after {dict(siege.done)}\n{siege.gateway.words()}")


def _judge(siege: Siege) -> None:
    berths = siege.scene.harbour.berths
    batches, readings = (sum(values) for values in zip(*(_size(berths[s].anchored) for s in berths), strict=True))
    refused = Counter(reason for berth in berths.values() for reason in berth.refused)
    print(f"{dict(siege.done)}: {readings} readings in {batches} batches; refused {dict(refused)}")
    for stream, life in siege.lives.items():
        life.must_be_whole(siege.scene.anchored(stream))  # opened, and its chain of heads followed
        epochs = [each.span.epoch for each in berths[stream].anchored]
        assert epochs == sorted(epochs)


def _size(anchored):
    return len(anchored), sum(each.span.count for each in anchored)


async def test_gateway__killed_at_random__loses_and_doubles_nothing(
    town: Town, tmp_path: Path, rng: random.Random
) -> None:
    await _besieged(town, tmp_path, rng, 6)
