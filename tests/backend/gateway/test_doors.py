"""The same words over every door: HTTP, where there is no broker, and a real Mosquitto."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import httpx
import pytest

from gridweave.client.measuring.http_link import HttpLink
from gridweave.client.measuring.mqtt_link import BrokerPass, MqttLink
from gridweave.domain.telemetry.words import SegmentAck
from gridweave.gateway.http_door import MOST_BYTES, HttpDoor, application
from gridweave.gateway.mqtt_door import BrokerWay, MqttDoor
from gridweave.localnet import free_port
from tests.support.broker import needs_mosquitto
from tests.support.gateway.process import PASSWORD, Broker
from tests.support.gateway.scene import Meter, Scene, recent_ms, until

pytestmark = [pytest.mark.asyncio(loop_scope="module"), pytest.mark.chain]


@asynccontextmanager
async def going(link: HttpLink | MqttLink) -> AsyncIterator[None]:
    """A device's connection, for the length of a block."""
    task = asyncio.create_task(link.run())
    try:
        yield
    finally:
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task


async def anchors_all(scene: Scene, meter: Meter) -> None:
    """Measures on both sides of a window's end, until all of it is anchored for good."""
    meter.measure(40, recent_ms() - 2_000_000, 30_000)
    await until(lambda: meter.device.memory.final[0] == 40)
    assert scene.anchored(meter.device.stream) == meter.measured


# HTTP


async def test_http__from_reading_to_chain(scene: Scene) -> None:
    meter = await scene.meter(await scene.home())
    port = free_port()
    async with (
        scene.running(HttpDoor("127.0.0.1", port)),
        httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}", trust_env=False) as http,
        going(HttpLink([meter.pump], http, ask_s=0.1)),
    ):
        await anchors_all(scene, meter)


async def test_http__of_what_is_no_word__refuses_it(scene: Scene) -> None:
    async with scene.running() as gateway:
        transport = httpx.ASGITransport(application(gateway))
        async with httpx.AsyncClient(transport=transport, base_url="http://gateway") as http:
            refused = await http.post("/v1/segments", content=b"nothing")
            assert refused.status_code == 409
            ack = SegmentAck.decode(refused.content)
            assert ack.refused is not None
            assert ack.refused.name == "MessageMalformed"
            assert (await http.post("/v1/signatures", content=b"{}")).json()["error"]["name"] == "WordMalformed"
            assert (await http.post("/v1/segments", content=bytes(MOST_BYTES + 1))).status_code == 413
            for stream in ("00", "x" * 64, "00" * 32):
                assert (await http.get(f"/v1/streams/{stream}/standing")).status_code == 404


async def test_http__of_a_body_that_trickles__waits_no_longer_and_ends_the_connection(scene: Scene) -> None:
    async def trickled() -> AsyncIterator[bytes]:
        while True:
            yield b"."
            await asyncio.sleep(0.02)

    async with scene.running() as gateway:
        transport = httpx.ASGITransport(application(gateway, within_s=0.2))
        async with httpx.AsyncClient(transport=transport, base_url="http://gateway") as http, asyncio.timeout(5):
            for path in ("/v1/segments", "/v1/signatures"):
                late = await http.post(path, content=trickled())
                assert (late.status_code, late.headers["connection"]) == (408, "close")


# MQTT


@asynccontextmanager
async def at_broker(scene: Scene, folder: Path, meter: Meter) -> AsyncIterator[Broker]:
    """A broker that lets the meter and the gateway in, both of them connected to it."""
    needs_mosquitto()
    broker = Broker(folder / "broker")
    await broker.start()
    (folder / "password").write_text(PASSWORD)
    device = meter.device.device
    await broker.admit(device)

    async def knock() -> BrokerPass:
        return BrokerPass("127.0.0.1", broker.port, device, device)

    door = MqttDoor(BrokerWay("127.0.0.1", broker.port, password_file=folder / "password"))
    try:
        async with scene.running(door), going(MqttLink([meter.pump], knock)):
            yield broker
    finally:
        broker.kill()


async def test_mqtt__from_reading_to_chain(scene: Scene, tmp_path: Path) -> None:
    meter = await scene.meter(await scene.home())
    async with at_broker(scene, tmp_path, meter):
        await anchors_all(scene, meter)


async def test_mqtt__when_the_broker_is_killed__goes_on_once_it_is_back(scene: Scene, tmp_path: Path) -> None:
    meter = await scene.meter(await scene.home())
    async with at_broker(scene, tmp_path, meter) as broker:
        meter.measure(20, recent_ms() - 5_000_000)
        await until(lambda: meter.device.memory.acknowledged[0] == 20)
        broker.kill()
        meter.measure(20, recent_ms() - 4_000_000)
        await asyncio.sleep(0.5)
        assert meter.device.memory.acknowledged[0] == 20
        await broker.start()
        await until(lambda: meter.device.memory.final[0] == 40)
        assert scene.anchored(meter.device.stream) == meter.measured
