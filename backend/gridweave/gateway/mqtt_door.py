"""Devices at a message broker: their segments and signatures come below `up`, what they are told goes below `down`.

Nothing rests on the broker: what is lost there is sent again. The gateway's own memory is bounded: what it has no room
for is dropped here, and the device, which hears no acknowledgement, sends it again.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from pathlib import Path

import aiomqtt
import structlog

from gridweave.domain.errors import DomainError
from gridweave.domain.setpoints import Setpoint
from gridweave.domain.telemetry.words import BatchStanding
from gridweave.gateway.program import Inside
from gridweave.together import together

__all__ = ["BrokerWay", "MqttDoor"]

log = structlog.get_logger(__name__)

_PAUSE_S = 1.0
_KEEPALIVE_S = 15
_AT_ONCE = 64
_MOST_QUEUED = 256
_SEGMENTS, _BATCHES, _SETPOINTS = "up/segments", "up/batches", "up/setpoints"
_AWAY = (aiomqtt.MqttError, OSError, TimeoutError)
_REFUSED = 128


@dataclass(frozen=True)
class BrokerWay:
    """Where the broker is, and who the gateway is there."""

    host: str
    port: int = 1_883
    user: str = "gateway"
    password_file: Path | None = None
    tls: bool = False

    def client(self) -> aiomqtt.Client:
        """A connection still to be made. Raises OSError when the password's file cannot be read."""
        client = aiomqtt.Client(
            self.host,
            self.port,
            username=self.user,
            password=self.password_file.read_text().strip() if self.password_file else None,
            tls_params=aiomqtt.TLSParameters() if self.tls else None,
            identifier=self.user,
            keepalive=_KEEPALIVE_S,
            max_queued_incoming_messages=_MOST_QUEUED,
        )
        client.pending_calls_threshold = _AT_ONCE  # words under way at once are no reason to warn
        return client


class MqttDoor:
    """Keeps a connection to the broker, again and again."""

    def __init__(self, way: BrokerWay) -> None:
        self._way = way
        self._client: aiomqtt.Client | None = None

    async def run(self, inside: Inside) -> None:
        while True:
            try:
                await together(self._connected(inside))
            except _AWAY as away:
                log.warning("the broker is away", host=self._way.host, port=self._way.port, reason=str(away))
            self._client = None
            await asyncio.sleep(_PAUSE_S)

    async def tell(self, device: str, standing: BatchStanding) -> None:
        await self._say(device, "batches", standing.encode())

    async def command(self, device: str, setpoint: Setpoint) -> None:
        await self._say(device, "setpoints", setpoint.encode(), qos=1)

    async def _connected(self, inside: Inside) -> None:
        async with self._way.client() as client:
            await _subscribe(client)
            self._client = client
            log.info("the broker is reached", host=self._way.host, port=self._way.port)
            # many at once, so that they come to the disk together
            await together(*(self._listen(inside, client) for _ in range(_AT_ONCE)))

    async def _listen(self, inside: Inside, client: aiomqtt.Client) -> None:
        async for message in client.messages:
            await self._take(inside, str(message.topic), bytes(message.payload))

    async def _take(self, inside: Inside, topic: str, payload: bytes) -> None:
        _, device, what = topic.split("/", 2)
        if what == _SEGMENTS:
            ack = await inside.take_segment(device, payload)
            await self._say(device, "acks", ack.encode())
            return
        try:
            if what == _SETPOINTS:
                await inside.take_answer(device, payload)
            else:
                await inside.take_signature(device, payload)
        except DomainError as refused:
            log.warning("a device's answer was not taken", device=device, reason=str(refused))

    async def _say(self, device: str, what: str, word: bytes, qos: int = 0) -> None:
        client = self._client
        if client is None:
            return
        try:
            await client.publish(f"gridweave/{device}/down/{what}", word, qos=qos)
        except _AWAY as away:
            log.warning("the broker did not take a word", device=device, reason=str(away))


async def _subscribe(client: aiomqtt.Client) -> None:
    """Raises MqttError when the broker grants less than is needed."""
    for what in (_SEGMENTS, _BATCHES, _SETPOINTS):
        for granted in await client.subscribe(f"gridweave/+/{what}", qos=1):
            if (granted if isinstance(granted, int) else granted.value) >= _REFUSED:
                raise aiomqtt.MqttError(f"the broker does not let the gateway read gridweave/+/{what}")
