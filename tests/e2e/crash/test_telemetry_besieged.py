"""The whole house of telemetry under siege: gateway, broker, service, node, devices and the chain's last blocks.

Devices get in by their sessions, the real service anchors, and whatever runs is killed or undone at random
moments. In the end the chain alone is asked: each reading that a device signed stands there once, and none is missing.
GRIDWEAVE_KILL_ROUNDS asks for more rounds, GRIDWEAVE_SEED for others.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import random
from collections import Counter
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from pathlib import Path

import httpx
import pytest

from gridweave.chain.errors import ChainError
from gridweave.chain.events import BatchAnchored, BodyAnchored, decode_logs
from gridweave.client.device_life import OwnDevice
from gridweave.client.errors import ServiceError, ServiceUnavailable
from gridweave.client.measuring.device import SigningPace, StreamDevice
from gridweave.client.measuring.mqtt_link import BrokerPass
from gridweave.client.service import GridweaveClient
from gridweave.client.wire import SignedAct
from gridweave.domain.anchors import Span, StreamMode, stream_id
from gridweave.domain.stream_acts import NewEpoch, OpenStream
from gridweave.domain.telemetry.batches import BatchHeader, SealedBatch
from gridweave.domain.telemetry.keytree import WindowKeys
from gridweave.domain.telemetry.opening import open_batch
from gridweave.domain.telemetry.readings import Reading
from gridweave.domain.telemetry.segments import StreamTail
from gridweave.localnet import Clock, localnet
from tests.support.broker import needs_mosquitto
from tests.support.gateway.living import Life
from tests.support.gateway.process import PASSWORD, Broker, GatewayProcess
from tests.support.gateway.scene import device_key, keep_keys, recent_ms
from tests.support.havoc import BreakableAnvil
from tests.support.process import ServiceProcess, until
from tests.support.telemetry import SCHEMA
from tests.support.town import FOREVER, GENESIS, TestHome, Town, found

pytestmark = [pytest.mark.chain, pytest.mark.slow, pytest.mark.timeout(900)]

ROUNDS = int(os.environ.get("GRIDWEAVE_KILL_ROUNDS", "30"))
MODES = (StreamMode.FULL, StreamMode.HASH, StreamMode.FULL)
_SETTLED_WITHIN = 240.0
_AWAY = (ServiceUnavailable, ServiceError, ChainError, httpx.TransportError, OSError)


@dataclass
class House:
    """Everything that runs, and what strikes it."""

    town: Town
    node: BreakableAnvil
    service: ServiceProcess
    broker: Broker
    gateway: GatewayProcess
    client: GridweaveClient
    rng: random.Random
    keys: dict[tuple[bytes, int], WindowKeys] = field(default_factory=dict)
    lives: dict[bytes, Life] = field(default_factory=dict)
    homes: dict[bytes, TestHome] = field(default_factory=dict)
    done: Counter[str] = field(default_factory=Counter)
    nonce: int = 10_000

    # streams

    async def begin(self, home: TestHome, mode: StreamMode) -> None:
        """Opens a stream of the home's device over REST, and starts the device's program."""
        self.nonce += 1
        said = OpenStream(home.key.device, SCHEMA.hash, mode, self.nonce, FOREVER)
        body = {"device": home.key.device, "schema": "0x" + SCHEMA.encode().hex(), "mode": mode.name.lower()}
        await self.post("/v1/streams", body | {"owner": self.consent(home, said)})
        stream = stream_id(home.key.device, mode, SCHEMA.hash)
        await until(lambda: self.is_there(f"/v1/streams/0x{stream.hex()}"))
        self.give_keys(stream, 1)
        domain, folder, key = self.town.domain("TelemetryAnchor"), self.gateway.folder / "devices", device_key(home.key)

        def boot(every: int) -> StreamDevice:
            return StreamDevice(key, domain, SCHEMA, mode, folder, pace=SigningPace(every))

        async def knock() -> BrokerPass:
            return await self.session(OwnDevice(self.client, key))

        self.homes[stream] = home
        self.lives[stream] = Life(boot, knock, self.rng, recent_ms() - 2_000_000_000)

    async def session(self, device: OwnDevice) -> BrokerPass:
        """Knocks until the service opens and the broker is there."""
        while True:
            with contextlib.suppress(*_AWAY):
                token = await asyncio.to_thread(device.knock)
                if token.mqtt is not None:
                    return BrokerPass(token.mqtt["host"], int(token.mqtt["port"]), device.device, token.token)
            await asyncio.sleep(0.3)

    def give_keys(self, stream: bytes, epoch: int) -> None:
        self.keys[stream, epoch] = WindowKeys.fresh(epoch)
        keep_keys(self.gateway.folder / "keys", stream, self.keys[stream, epoch])

    def consent(self, home: TestHome, said: OpenStream | NewEpoch) -> dict[str, object]:
        act = self.town.act(home.secret, "TelemetryAnchor", said)
        return SignedAct(act.signer, act.nonce, act.deadline, act.signature).to_json()

    async def post(self, path: str, body: dict[str, object]) -> None:
        await asyncio.to_thread(self.client.post_plain, path, body)

    async def is_there(self, path: str) -> bool:
        with contextlib.suppress(*_AWAY):
            await asyncio.to_thread(self.client.get, path)
            return True
        return False

    # faults

    async def beat(self) -> None:
        """Blocks without end, as far as there is a node to make them."""
        while True:
            with contextlib.suppress(*_AWAY):
                await self.town.chain.mine()
            await asyncio.sleep(0.15)

    async def strike(self) -> None:
        """One fault, drawn, and what it takes to live on."""
        faults: dict[str, Callable[[], Awaitable[None]]] = {
            "gateway killed": self._kill_gateway,
            "broker killed": self._kill_broker,
            "service killed": self._kill_service,
            "node killed": self.node.kill,
            "blocks undone": self._reorganise,
            "device killed": self._kill_device,
            "epoch begun": self._begin_epoch,
            "all killed": self._kill_all,
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

    async def _kill_service(self) -> None:
        self.service.kill()
        await asyncio.sleep(self.rng.uniform(0, 0.4))
        await self.service.start()

    async def _kill_all(self) -> None:
        self.service.kill()
        self.broker.kill()
        self.gateway.kill()
        self.gateway.start()
        await self.broker.start()
        await self.service.start()

    async def _reorganise(self) -> None:
        with contextlib.suppress(*_AWAY):
            await self.node.reorganise(self.rng)

    async def _kill_device(self) -> None:
        await self.rng.choice(list(self.lives.values())).kill()

    async def _begin_epoch(self) -> None:
        """An owner begins the next epoch, and gives the gateway its keys first."""
        stream = self.rng.choice(list(self.lives))
        epoch = 1 + max(known for of, known in self.keys if of == stream)
        self.give_keys(stream, epoch)
        self.nonce += 1
        act = self.consent(self.homes[stream], NewEpoch(stream, epoch, self.nonce, FOREVER))
        with contextlib.suppress(*_AWAY):
            await self.post(f"/v1/streams/0x{stream.hex()}/epochs", {"epoch": epoch, "owner": act})

    # what the chain has

    async def anchored(self, stream: bytes) -> list[Reading]:
        """Every reading of a stream, from the logs and the keys of its owner; in mode hash the service has bodies."""
        address = self.town.contracts.anchors.address
        logs = await self.town.chain.node.logs(0, await self.town.chain.node.block_number(), [address])
        told = [event for event in decode_logs(logs) if getattr(event, "stream", None) == stream]
        bodies = {event.number: event.body for event in told if isinstance(event, BodyAnchored)}
        readings, tail = [], StreamTail.start(stream)
        for event in told:
            if not isinstance(event, BatchAnchored):
                continue
            span = Span.unpack(event.span.to_bytes(32, "big"))
            body = bodies.get(span.number) or self.client.content(f"/v1/bodies/0x{event.body_hash.hex()}")
            places = span.epoch, span.first_index, span.count, span.first_ms, span.last_ms
            header = BatchHeader(stream, SCHEMA.hash, *places, event.root)
            for section in open_batch(self.keys[stream, span.epoch], SCHEMA, SealedBatch(header, body)):
                tail = section.follow(tail)
                readings += list(section.run)
        return readings


async def test_telemetry__besieged__loses_and_doubles_nothing(tmp_path: Path, rng: random.Random) -> None:
    needs_mosquitto()
    async with AsyncExitStack() as stack:
        chain = await stack.enter_async_context(
            localnet(tmp_path / "chain", clock=Clock.MANUAL, genesis_time=GENESIS, snapshot_seconds=1.0)
        )
        house = await _built(stack, await found(chain, len(MODES)), BreakableAnvil(chain), tmp_path, rng)
        beating = asyncio.create_task(house.beat())
        stack.callback(beating.cancel)
        for home, mode in zip(house.town.homes, MODES, strict=True):
            await house.begin(home, mode)
        house.gateway.start()
        await _live(house)
        await _settle(house)
        for life in house.lives.values():
            await life.stop()
        anchored = {stream: await house.anchored(stream) for stream in house.lives}
    print(f"{dict(house.done)}: {[len(readings) for readings in anchored.values()]} readings")
    for stream, life in house.lives.items():
        life.must_be_whole(anchored[stream])


async def _built(stack: AsyncExitStack, town: Town, node: BreakableAnvil, folder: Path, rng: random.Random) -> House:
    broker = Broker(folder / "broker")
    await broker.start()
    stack.callback(broker.kill)
    password = folder / "gateway.password"
    password.write_text(PASSWORD)
    settings = {
        "network": "anvil",
        "finality_depth": "",
        "finality_file": town.chain.home.final_file,
        "mqtt_host": "127.0.0.1",
        "mqtt_port": broker.port,
        "mqtt_password_file": broker.password_file,
        "mqtt_gateway_password_file": password,
        "rate_limit_per_s": 0,
        "read_limit_per_s": 0,
    }
    service = stack.enter_context(ServiceProcess(town, folder, **settings))
    await service.start()
    gateway = GatewayProcess(folder / "gateway", service.url, broker=broker)
    stack.callback(gateway.kill)
    client = stack.enter_context(GridweaveClient(service.url, attempts=2))
    return House(town, node, service, broker, gateway, client, rng)


async def _live(house: House) -> None:
    for life in house.lives.values():
        life.start()
    measuring = [asyncio.create_task(life.measure()) for life in house.lives.values()]
    for _ in range(ROUNDS):
        await asyncio.sleep(house.rng.uniform(0.2, 1.5))
        await house.strike()
    for task in measuring:
        task.cancel()
    await asyncio.gather(*measuring, return_exceptions=True)


async def _settle(house: House) -> None:
    """Waits until all that was signed is anchored for good."""

    async def is_settled() -> bool:
        house.gateway.must_run()
        return all(life.is_settled for life in house.lives.values())

    try:
        await until(is_settled, within=_SETTLED_WITHIN)
    except TimeoutError:
        memories = [life.device.memory for life in house.lives.values()]
        told = [(memory.final[0], memory.acknowledged[0], memory.tail.next_index) for memory in memories]
        pytest.fail(f"{told} after {dict(house.done)}\n{house.gateway.words()}\n{house.service.words()}")
