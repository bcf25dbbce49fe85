"""A device's connection to its gateway over a message broker, by the session that the service gave it."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Protocol

import aiomqtt
import structlog

from gridweave.client.measuring.pump import Pump
from gridweave.domain.telemetry.gateway_errors import WordMalformed
from gridweave.together import together

__all__ = ["BrokerPass", "MqttLink", "Obeying"]

log = structlog.get_logger(__name__)

_PAUSE_S = 1.0
_KEEPALIVE_S = 15
_LOOK_S = 0.05
_AWAY = (aiomqtt.MqttError, OSError, TimeoutError)


@dataclass(frozen=True)
class BrokerPass:
    """How a device gets in: `DeviceToken.mqtt` says where, the token is the password."""

    host: str
    port: int
    device: str
    password: str = field(repr=False)
    tls: bool = False


class Obeying(Protocol):
    """What of a device does as it is told, without a wire."""

    def hear(self, raw: bytes) -> None:
        """A setpoint. Raises WordMalformed."""

    def due(self) -> Iterator[bytes]:
        """Answers to send now. One counts as sent when the next is asked for."""


class MqttLink:
    """Sends what `pumps` (a device's streams) have, and brings them what the gateway says; `obeying` get its setpoints.

    All over one connection, for a broker lets a device in once. `knock` gets a session; it is asked for whenever the
    broker does not let the device in any more. `is_connected`: whether the broker has let it in and still holds on.
    """

    def __init__(
        self, pumps: Sequence[Pump], knock: Callable[[], Awaitable[BrokerPass]], obeying: Sequence[Obeying] = ()
    ) -> None:
        self._pumps, self._knock, self._obeying = pumps, knock, obeying
        self.is_connected = False

    async def run(self) -> None:
        """Connects, again and again, until it is cancelled. Raises OtherHistory, and what `knock` raises for good."""
        while True:
            try:
                await together(self._connected(await self._knock()))
            except _AWAY as away:
                log.warning("the broker is away", reason=str(away))
            await asyncio.sleep(_PAUSE_S)

    async def _connected(self, way: BrokerPass) -> None:
        up, down = f"gridweave/{way.device}/up", f"gridweave/{way.device}/down"
        client = aiomqtt.Client(
            way.host,
            way.port,
            username=way.device,
            password=way.password,
            identifier=way.device,
            keepalive=_KEEPALIVE_S,
            tls_params=aiomqtt.TLSParameters() if way.tls else None,
        )
        async with client:
            await client.subscribe(f"{down}/#", qos=1)
            self.is_connected = True
            try:
                await together(self._listen(client, up), self._send(client, up))
            finally:
                self.is_connected = False

    async def _send(self, client: aiomqtt.Client, up: str) -> None:
        while True:
            for pump in self._pumps:
                for message in pump.due():
                    await client.publish(f"{up}/segments", message, qos=1)
            for agent in self._obeying:
                for answer in agent.due():
                    await client.publish(f"{up}/setpoints", answer, qos=1)
            await asyncio.sleep(_LOOK_S)

    async def _listen(self, client: aiomqtt.Client, up: str) -> None:
        async for message in client.messages:
            what, payload = str(message.topic).rpartition("/")[2], bytes(message.payload)
            try:
                if what == "setpoints":
                    for agent in self._obeying:
                        agent.hear(payload)
                for pump in self._pumps:
                    if what == "acks":
                        pump.hear_segments(payload)
                    elif what == "batches" and (answer := pump.hear_batches(payload)) is not None:
                        await client.publish(f"{up}/batches", answer, qos=1)
            except WordMalformed as fault:
                log.warning("the gateway's word is none", topic=str(message.topic), reason=str(fault))
