"""Setpoints from a folder to devices: told until answered, dropped once expired, over a real broker as well."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path

import pytest

from gridweave.client.answering.agent import AnsweringAgent
from gridweave.client.answering.asset import Asset
from gridweave.client.answering.battery import Battery
from gridweave.client.answering.orders import Orders
from gridweave.client.answering.storage import Storage
from gridweave.client.measuring.mqtt_link import BrokerPass, MqttLink
from gridweave.domain.setpoints import OperatingState, Setpoint, SetpointAnswer
from gridweave.domain.telemetry.gateway_errors import WordMalformed
from gridweave.gateway import dispatch
from gridweave.gateway.dispatch import Command, Dispatcher
from gridweave.gateway.setpoint_folder import MOST_ANSWERED, SetpointFolder
from gridweave.timing import now_ms
from tests.support.broker import needs_mosquitto
from tests.support.gateway.process import Broker, GatewayProcess
from tests.support.gateway.scene import until

DEVICE = "0x00000000000000000000000000000000000000D7"
CALLED = 9
"""Slots until the event: time for a gateway and a device to be started again."""

NOBODY = "http://127.0.0.1:1"
SHED = Setpoint("peak-7", 1, 1_980_001, 2, -4_000, 10_000)
ANSWER = SetpointAnswer("peak-7", 1, OperatingState.RUNNING_NORMAL, -4_000)


@dataclass
class Desk:
    """A dispatcher over a folder; what it tells is kept, and nobody answers by itself."""

    folder: Path
    now_ms: int = 0
    told: list[tuple[str, Setpoint]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.handover = SetpointFolder(self.folder)
        self.restart()

    def restart(self) -> None:
        self.dispatcher = Dispatcher(self.handover, self._tell, lambda: self.now_ms)

    async def _tell(self, device: str, setpoint: Setpoint) -> None:
        self.told.append((device, setpoint))

    def files(self, folder: str) -> list[str]:
        return sorted(file.name for file in (self.folder / folder).glob("*"))


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    return Desk(tmp_path / "setpoints")


async def test_look__at_what_is_no_setpoint__sets_it_aside_and_goes_on(desk: Desk) -> None:
    desk.handover.put(Command(DEVICE, SHED))
    for name, text in (("0xD8.peak-7.1.json", b"{}"), ("0xD8.other.1.json", SHED.encode())):
        (desk.folder / "waiting" / name).write_bytes(text)
    await desk.dispatcher.look()
    assert desk.told == [(DEVICE, SHED)]
    assert desk.files("malformed") == ["0xD8.other.1.json", "0xD8.peak-7.1.json"]


async def test_look__until_it_is_answered__tells_it_again(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(dispatch, "_RESEND_S", 0.05)
    desk.handover.put(Command(DEVICE, SHED))
    await desk.dispatcher.look()
    await desk.dispatcher.look()
    assert len(desk.told) == 1
    await asyncio.sleep(0.06)
    await desk.dispatcher.look()
    assert len(desk.told) == 2
    await desk.dispatcher.hear(DEVICE, ANSWER.encode())
    await asyncio.sleep(0.06)
    await desk.dispatcher.look()
    assert len(desk.told) == 2
    assert desk.handover.answers(DEVICE) == [ANSWER]


async def test_look__after_a_restart__tells_what_was_not_answered(desk: Desk) -> None:
    desk.handover.put(Command(DEVICE, SHED))
    await desk.dispatcher.look()
    desk.restart()
    await desk.dispatcher.look()
    assert len(desk.told) == 2


async def test_look__once_it_has_expired__drops_it(desk: Desk) -> None:
    desk.handover.put(Command(DEVICE, SHED))
    desk.now_ms = SHED.expires_ms + 1
    await desk.dispatcher.look()
    assert (desk.told, desk.files("waiting"), desk.files("expired")) == ([], [], [f"{DEVICE}.peak-7.1.json"])


async def test_look__with_a_newer_one_of_the_event__tells_that_alone(desk: Desk) -> None:
    newer = replace(SHED, sequence=2, watts=0)
    for setpoint in (SHED, newer):
        desk.handover.put(Command(DEVICE, setpoint))
    await desk.dispatcher.look()
    assert (desk.told, desk.files("superseded")) == ([(DEVICE, newer)], [f"{DEVICE}.peak-7.1.json"])


async def test_hear__of_another_sequence__leaves_it_waiting(desk: Desk) -> None:
    desk.handover.put(Command(DEVICE, SHED))
    await desk.dispatcher.hear(DEVICE, replace(ANSWER, sequence=0).encode())
    await desk.dispatcher.hear("0xD8", ANSWER.encode())
    assert desk.files("waiting") == [f"{DEVICE}.peak-7.1.json"]


async def test_hear__with_answers_that_nobody_takes_away__keeps_no_more_and_tells_it_again(desk: Desk) -> None:
    desk.handover.put(Command(DEVICE, SHED))
    file = desk.folder / "answers" / f"{DEVICE}.ndjson"
    file.parent.mkdir()
    file.write_bytes(bytes(MOST_ANSWERED))
    await desk.dispatcher.hear(DEVICE, ANSWER.encode())
    assert (file.stat().st_size, desk.files("waiting")) == (MOST_ANSWERED, [f"{DEVICE}.peak-7.1.json"])
    file.unlink()
    await desk.dispatcher.hear(DEVICE, ANSWER.encode())
    assert (desk.handover.answers(DEVICE), desk.files("waiting")) == ([ANSWER], [])


async def test_hear__of_no_answer__refuses_it(desk: Desk) -> None:
    with pytest.raises(WordMalformed):
        await desk.dispatcher.hear(DEVICE, SHED.encode())


# over a real broker, the gateway a process of its own


@asynccontextmanager
async def house(folder: Path) -> AsyncIterator[tuple[Broker, GatewayProcess]]:
    needs_mosquitto()
    broker = Broker(folder / "broker")
    await broker.start()
    await broker.admit(DEVICE)
    gateway = GatewayProcess(folder / "gateway", NOBODY, broker=broker)
    gateway.start()
    try:
        yield broker, gateway
    finally:
        gateway.kill()
        broker.kill()


@asynccontextmanager
async def linked(agent: AnsweringAgent[Storage], broker: Broker) -> AsyncIterator[None]:
    async def knock() -> BrokerPass:
        return BrokerPass("127.0.0.1", broker.port, DEVICE, DEVICE)

    task = asyncio.create_task(MqttLink([], knock, [agent]).run())
    try:
        yield
    finally:
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task


@pytest.mark.slow
async def test_mqtt__from_hand_over_to_metered__though_gateway_and_device_were_killed(tmp_path: Path) -> None:
    """Slots of one second: a battery of 3.6 MW gives 1,000 Wh in each of two, and takes them back afterwards."""
    battery = Storage(Battery(10_000, 3_600_000, 1_000, 5_000), 1, 1_000)
    async with house(tmp_path) as (broker, gateway):
        handover, orders = SetpointFolder(gateway.folder / "setpoints"), tmp_path / "orders"
        handover.put(Command(DEVICE, replace(SHED, event="peak-6")))
        await until(lambda: "expired" in gateway.words())
        first = now_ms() // 1_000
        called = Setpoint("peak-7", 1, first + CALLED, 2, -3_600_000, (first + CALLED) * 1_000)
        handover.put(Command(DEVICE, called))
        gateway.kill()
        gateway.start()
        asset = Asset.begin(battery, (0,) * 60)
        async with linked(AnsweringAgent(asset, first, Orders(orders)), broker):
            await until(lambda: bool(handover.answers(DEVICE)) and not handover.waiting())
        agent = AnsweringAgent(asset, first, Orders(orders))
        async with linked(agent, broker):
            await until(lambda: len(agent.moved) >= CALLED + 5)
            await until(
                lambda: {called.first_slot, called.first_slot + 1} <= {a.slot for a in handover.answers(DEVICE)}
            )
        answers = handover.answers(DEVICE)
    metered = [moved.metered_wh for moved in agent.moved[: CALLED + 5]]
    assert metered == [*[0] * CALLED, -1_000, -1_000, 1_000, 1_000, 0]
    assert {answer.event for answer in answers} == {"peak-7"}
    assert next(answer.committed_w for answer in answers if answer.slot is None) == -3_600_000
    assert OperatingState.RUNNING_CURTAILED in {answer.state for answer in answers}
