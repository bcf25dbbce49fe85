"""The gateway and the devices' connections to it, in an event loop beside the thread that lives the day."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Coroutine, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Any, Self, TypeVar

import httpx

from gridweave.client import GridweaveClient
from gridweave.client.device_life import DeviceToken, OwnDevice
from gridweave.client.measuring.device import StreamDevice
from gridweave.client.measuring.http_link import HttpLink
from gridweave.client.measuring.mqtt_link import BrokerPass, MqttLink
from gridweave.client.measuring.pump import Pump
from gridweave.client.wallet import write_private
from gridweave.domain.telemetry.keytree import WindowKeys
from gridweave.domain.telemetry.words import SegmentAck
from gridweave.gateway.http_door import HttpDoor
from gridweave.gateway.keeper import SealingPace
from gridweave.gateway.mqtt_door import BrokerWay, MqttDoor
from gridweave.gateway.program import Gateway, Paces
from gridweave.gateway.service import RestService

__all__ = ["Air", "Meter", "Ways"]

T = TypeVar("T")

_ASK_S = 0.5
_PACE = SealingPace(readings=600, seconds=86_400.0, poll_s=0.3, final_s=60.0, ask_again_s=2.0, longest_pause_s=1.0)
_PACES = Paces(sealing=_PACE, refresh_s=60.0)


@dataclass(frozen=True)
class Ways:
    """How devices reach the gateway: a broker, where the gateway has a password, or else HTTP at a port."""

    http_port: int
    broker_port: int | None = None
    password_file: Path | None = None

    @property
    def name(self) -> str:
        """As it is told."""
        return "MQTT" if self.broker_port else "HTTP"


@dataclass
class Meter:
    """A device that is live: what it measures with, and what it runs."""

    own: OwnDevice
    device: StreamDevice
    firmware: int = 1
    token: str | None = field(default=None, repr=False)
    mqtt: MqttLink | None = field(default=None, repr=False)
    ended: BaseException | None = None
    link: asyncio.Task[None] | None = field(default=None, repr=False)

    @property
    def is_connected(self) -> bool:
        """To the broker."""
        return self.mqtt is not None and self.mqtt.is_connected


class Air:
    """A gateway in `folder` with its doors open, and a connection for each meter that is brought up. Use as a context.

    `clock` is the gateway's, in milliseconds.
    """

    def __init__(self, url: str, folder: Path, ways: Ways, clock: Callable[[], int]) -> None:
        self._url, self._folder, self.ways, self._clock = url, folder, ways, clock
        self._keys = folder / "keys"
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="air", daemon=True)
        self._client = GridweaveClient(url)
        self._http = httpx.AsyncClient(base_url=f"http://127.0.0.1:{ways.http_port}", trust_env=False, timeout=30)
        self._gateway: Gateway | None = None
        self._running: asyncio.Task[None] | None = None
        self.meters: list[Meter] = []

    def __enter__(self) -> Self:
        self._thread.start()
        self.do(self._open())
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.do(self._close())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._client.close()

    def give(self, stream: bytes, keys: WindowKeys) -> None:
        """Puts an owner's window keys where the gateway finds them."""
        write_private(self._keys / f"{stream.hex()}.{keys.epoch}.keys", keys.encode())

    def bring_up(self, meters: Sequence[Meter]) -> None:
        """Lets each knock at the service and connect, and keeps it connected."""
        self.do(self._bring_up(meters))

    def measure(self, meter: Meter, readings: Sequence[tuple[int, tuple[int, ...]]]) -> None:
        """The meter takes readings: (milliseconds UTC, values) each."""
        self.do(self._measure(meter, readings))

    def send(self, device: str, message: bytes) -> SegmentAck:
        """What the gateway says to a message that comes in a device's name."""
        assert self._gateway is not None
        return self.do(self._gateway.take_segment(device, message))

    def seal_now(self, meters: Sequence[Meter]) -> None:
        """Has the gateway seal what it has of these."""

        async def seal() -> None:
            assert self._gateway is not None
            for meter in meters:
                self._gateway.seal_now(meter.device.stream)

        self.do(seal())

    def all_kept(self, meters: Sequence[Meter]) -> bool:
        """Whether the gateway has on its disk all that these meters signed. Raises what ended a connection."""
        return all(self._kept(meter) for meter in meters)

    def do(self, work: Coroutine[Any, Any, T]) -> T:
        """Its result, from the loop."""
        return asyncio.run_coroutine_threadsafe(work, self._loop).result()

    def _kept(self, meter: Meter) -> bool:
        if meter.ended is not None:
            raise meter.ended
        index, _ = meter.device.memory.acknowledged
        return index == meter.device.memory.tail.next_index

    async def _open(self) -> None:
        self._keys.mkdir(parents=True, exist_ok=True)
        ways = self.ways
        door = (
            MqttDoor(BrokerWay("127.0.0.1", ways.broker_port, password_file=ways.password_file))
            if ways.broker_port
            else HttpDoor("127.0.0.1", ways.http_port)
        )
        service = RestService(self._client)
        self._gateway = Gateway(self._folder / "spool", self._keys, service, [door], _PACES, self._clock)
        self._running = asyncio.create_task(self._gateway.run())

    async def _close(self) -> None:
        links = [meter.link for meter in self.meters if meter.link is not None]
        tasks = [task for task in (*links, self._running) if task is not None]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await self._http.aclose()
        for meter in self.meters:
            meter.device.close()

    async def _bring_up(self, meters: Sequence[Meter]) -> None:
        for meter in meters:
            self.meters.append(meter)
            meter.link = asyncio.create_task(self._link(meter))

    async def _link(self, meter: Meter) -> None:
        try:
            if self.ways.broker_port:
                meter.mqtt = MqttLink([Pump(meter.device)], lambda: self._knock(meter))
                await meter.mqtt.run()
            else:
                await self._knock_once(meter)
                await HttpLink([Pump(meter.device)], self._http, ask_s=_ASK_S).run()
        except asyncio.CancelledError:
            raise
        except BaseException as end:  # noqa: BLE001 - whoever asks after the meter hears it
            meter.ended = end

    async def _knock(self, meter: Meter) -> BrokerPass:
        token = await self._knock_once(meter)
        if token.mqtt is None:
            raise OSError("the service does not reach its broker yet")
        return BrokerPass(token.mqtt["host"], int(token.mqtt["port"]), meter.own.device, token.token)

    async def _knock_once(self, meter: Meter) -> DeviceToken:
        token = await asyncio.to_thread(meter.own.knock)
        meter.token = token.token
        return token

    async def _measure(self, meter: Meter, readings: Sequence[tuple[int, tuple[int, ...]]]) -> None:
        for at_ms, values in readings:
            meter.device.record(at_ms, meter.firmware, values)
        meter.device.sign()
