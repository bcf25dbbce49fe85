"""Devices at a real Mosquitto: in with a session, at their own topics alone, and out within two blocks."""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import aiomqtt
import httpx
import pytest
import pytest_asyncio

from gridweave.api import create_app
from gridweave.bridge.mqtt_door import mqtt_door
from gridweave.domain.acts import DeviceStatus
from gridweave.localnet import free_port
from gridweave.localnet.mosquitto import Mosquitto
from tests.support.acts import Acts, Party
from tests.support.admission import answer_to
from tests.support.broker import needs_mosquitto
from tests.support.service import Service, settings_of
from tests.support.town import DeviceKeyPair, draw_home, founded

pytestmark = [pytest.mark.asyncio(loop_scope="module"), pytest.mark.chain]

Json = dict[str, Any]
QUICK_S = 5.0
GATEWAYS = "the gateway's own"


@dataclass
class Scene:
    """A service with a broker beside it."""

    service: Service
    broker: Mosquitto
    inside: asyncio.Event = field(default_factory=asyncio.Event)

    async def enrolled(self, number: int) -> DeviceKeyPair:
        secret, key = draw_home(number)
        await self.service.town.send([self.service.town.enrol_call(key, Party("owner", secret).account)])
        await self.service.caught_up()
        return key

    async def opened(self, key: DeviceKeyPair) -> Json:
        given = (await self.service.post("device-challenges", {"device": key.device})).json()
        body = answer_to(given, self.service.town.domain("DeviceRegistry"), key.sign)
        response = await self.service.post("device-sessions", body)
        assert response.status_code == 200, response.text
        found: Json = response.json()
        return found

    def at_the_door(self, device: str, password: str, client: str | None = None) -> aiomqtt.Client:
        return aiomqtt.Client(
            "127.0.0.1", self.broker.port, username=device, password=password, identifier=client or device
        )

    async def is_let_in(self, device: str, password: str, client: str | None = None) -> bool:
        with contextlib.suppress(aiomqtt.MqttError):
            async with self.at_the_door(device, password, client):
                return True
        return False

    async def is_dropped(self, device: str, password: str) -> bool:
        """Connects, and waits until the broker ends that."""
        try:
            async with self.at_the_door(device, password) as client, asyncio.timeout(QUICK_S):
                self.inside.set()
                async for _ in client.messages:
                    pass
        except aiomqtt.MqttError:
            return True
        return False


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def scene(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Scene]:
    needs_mosquitto()
    folder = tmp_path_factory.mktemp("broker")
    broker = Mosquitto(folder / "mosquitto", free_port())
    await broker.start()
    try:
        async with founded(folder / "chain", homes=1) as town:
            changes = {
                "mqtt_host": "127.0.0.1",
                "mqtt_port": broker.port,
                "mqtt_user": broker.user,
                "mqtt_password_file": broker.password_file,
                "mqtt_gateway_password_file": _written(folder / "gateway.password"),
            }
            app = create_app(settings_of(town, folder / "service", **changes), bridge=mqtt_door)
            async with app.router.lifespan_context(app):
                transport = httpx.ASGITransport(app, raise_app_exceptions=False)
                async with httpx.AsyncClient(transport=transport, base_url="http://service") as http:
                    service = Service(town, http, app.state.runtime, app.openapi())
                    await service.caught_up()
                    found = Scene(service, broker)
                    await _reached(found, 500)
                    yield found
    finally:
        broker.stop()


def _written(file: Path) -> Path:
    file.write_text(GATEWAYS + "\n")
    return file


async def _reached(scene: Scene, number: int) -> None:
    """Waits until the service and the broker have found each other."""
    key = await scene.enrolled(number)

    async def has_way() -> bool:
        return (await scene.opened(key))["mqtt"] is not None

    await scene.service.until(has_way)


async def test_door__with_a_session__lets_the_device_in_at_its_own_topics(scene: Scene) -> None:
    key, other = await scene.enrolled(502), await scene.enrolled(503)
    session, others = await scene.opened(key), await scene.opened(other)
    way = session["mqtt"]
    assert (way["host"], way["port"]) == ("127.0.0.1", scene.broker.port)
    async with (
        scene.at_the_door(key.device, session["token"]) as mine,
        scene.at_the_door(other.device, others["token"]) as theirs,
    ):
        await theirs.subscribe(f"{others['mqtt']['subscribe']}/#", qos=1)
        await mine.subscribe(f"{way['subscribe']}/#", qos=1)
        await mine.publish(f"{way['publish']}/segments", b"mine", qos=1)
        to_others = [f"{others['mqtt'][way]}/x" for way in ("publish", "subscribe")]
        for topic in (*to_others, "$CONTROL/dynamic-security/v1"):
            with contextlib.suppress(aiomqtt.MqttError):
                await mine.publish(topic, b'{"commands":[{"command":"listClients"}]}', qos=1)
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.5):
                await anext(aiter(theirs.messages))


async def test_door__for_another_subscription__refuses_it(scene: Scene) -> None:
    key, other = await scene.enrolled(504), await scene.enrolled(505)
    session, others = await scene.opened(key), await scene.opened(other)
    async with scene.at_the_door(key.device, session["token"]) as client:
        for topic in ("#", "gridweave/#", f"{others['mqtt']['publish']}/#", f"{others['mqtt']['subscribe']}/#"):
            granted = await client.subscribe(topic, qos=1)
            assert all(int(getattr(code, "value", code)) >= 128 for code in granted), topic


async def test_door__for_other_words_or_words_to_be_kept__takes_none(scene: Scene) -> None:
    """Each topic more, and each message kept, would be room at the broker that a device fills for nothing."""
    key = await scene.enrolled(550)
    session = await scene.opened(key)
    up = session["mqtt"]["publish"]
    async with scene.at_the_door("gateway", GATEWAYS) as gateway:
        await gateway.subscribe("gridweave/+/up/#", qos=1)
        for topic, is_kept in ((f"{up}/other", False), (f"{up}/segments/deeper", False), (f"{up}/segments", True)):
            with contextlib.suppress(aiomqtt.MqttError):
                async with scene.at_the_door(key.device, session["token"]) as device:
                    await device.publish(topic, b"for nothing", qos=1, retain=is_kept)
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.5):
                await anext(aiter(gateway.messages))


async def test_door__without_a_session_or_with_anothers__stays_shut(scene: Scene) -> None:
    key, other = await scene.enrolled(506), await scene.enrolled(507)
    token = (await scene.opened(key))["token"]
    await scene.opened(other)
    assert await scene.is_let_in(key.device, token)
    assert not await scene.is_let_in(key.device, token + "x")
    assert not await scene.is_let_in(other.device, token)
    assert not await scene.is_let_in(draw_home(508)[1].device, token)
    assert not await scene.is_let_in(key.device, token, client="another-name")


async def test_door__for_a_second_session__drops_the_first_connection(scene: Scene) -> None:
    key = await scene.enrolled(510)
    first = await scene.opened(key)
    scene.inside.clear()
    dropped = asyncio.create_task(scene.is_dropped(key.device, first["token"]))
    await scene.inside.wait()
    await scene.opened(key)
    assert await dropped
    assert not await scene.is_let_in(key.device, first["token"])


@pytest.mark.parametrize("status", [DeviceStatus.SUSPENDED, DeviceStatus.REVOKED])
async def test_door__of_a_device_that_is_put_out__drops_it_within_two_blocks(
    scene: Scene, status: DeviceStatus
) -> None:
    key = await scene.enrolled(512 + status)
    session = await scene.opened(key)
    operator = Party("operator", scene.service.town.keys["operator"].secret)
    call = Acts(scene.service.town).status(key.device, operator, status).call
    assert call is not None
    scene.inside.clear()
    dropped = asyncio.create_task(scene.is_dropped(key.device, session["token"]))
    await scene.inside.wait()
    await scene.service.town.send([call])
    before = await scene.service.town.chain.node.head()
    assert await dropped
    after = await scene.service.town.chain.node.head()
    assert after.number - before.number <= 2
    assert not await scene.is_let_in(key.device, session["token"])


async def test_door__after_the_broker_was_killed__opens_again_for_new_sessions_alone(scene: Scene) -> None:
    stays, leaves = await scene.enrolled(520), await scene.enrolled(521)
    kept, former = await scene.opened(stays), await scene.opened(leaves)
    scene.broker.kill()
    scene.service.runtime.world.sessions.end(leaves.device)
    assert (await scene.opened(await scene.enrolled(522)))["mqtt"] is None
    await scene.broker.start()

    async def is_shut() -> bool:
        return not await scene.is_let_in(leaves.device, former["token"])

    await scene.service.until(is_shut)
    assert await scene.is_let_in(stays.device, kept["token"]), "whose session still stands is not put out"
    await _reached(scene, 524)


async def test_door__for_the_gateway__lets_it_hear_every_device_and_speak_to_each(scene: Scene) -> None:
    key = await scene.enrolled(530)
    session = await scene.opened(key)
    async with (
        scene.at_the_door("gateway", GATEWAYS) as gateway,
        scene.at_the_door(key.device, session["token"]) as device,
    ):
        await gateway.subscribe("gridweave/+/up/#", qos=1)
        await device.subscribe(f"{session['mqtt']['subscribe']}/#", qos=1)
        await device.publish(f"{session['mqtt']['publish']}/segments", b"measured", qos=1)
        await gateway.publish(f"gridweave/{key.device}/down/acks", b"kept", qos=1)
        async with asyncio.timeout(QUICK_S):
            assert bytes((await anext(aiter(gateway.messages))).payload) == b"measured"
            assert bytes((await anext(aiter(device.messages))).payload) == b"kept"


async def test_door__for_the_gateway__is_no_door_to_anything_else(scene: Scene) -> None:
    key = await scene.enrolled(532)
    session = await scene.opened(key)
    assert not await scene.is_let_in("gateway", GATEWAYS + "x")
    async with scene.at_the_door("gateway", GATEWAYS) as gateway:
        for topic in ("#", "gridweave/+/down/#", "$CONTROL/dynamic-security/v1/response"):
            granted = await gateway.subscribe(topic, qos=1)
            assert all(int(getattr(code, "value", code)) >= 128 for code in granted), topic
        await gateway.subscribe("gridweave/+/up/#", qos=1)
        await gateway.publish(f"{session['mqtt']['publish']}/segments", b"in a device's name")
        await gateway.publish("$CONTROL/dynamic-security/v1", b'{"commands":[{"command":"listClients"}]}')
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.5):
                await anext(aiter(gateway.messages))


def _nothing(rights: str) -> str:
    return ""


def _half(rights: str) -> str:
    return rights[: len(rights) // 2]


def _role_alone(rights: str) -> str:
    known = json.loads(rights)
    known["clients"] = [client for client in known["clients"] if client["username"] != "gateway"]
    return json.dumps(known)


@pytest.mark.parametrize(("number", "left"), [(540, str), (541, _nothing), (542, _half), (543, _role_alone)])
async def test_door__after_the_broker_was_killed__lets_the_gateway_in_again(
    scene: Scene, number: int, left: Callable[[str], str]
) -> None:
    """Mosquitto writes what it knows in place, so a kill may leave any part of it."""
    scene.broker.kill()
    rights = scene.broker.home / "dynamic-security.json"
    rights.write_text(left(rights.read_text()))
    await scene.broker.start()

    async def is_in() -> bool:
        return await scene.is_let_in("gateway", GATEWAYS)

    await scene.service.until(is_in)
    await _reached(scene, number)
