"""Devices at a Mosquitto broker: let in with their session, put out with it.

The registry decides through the session: it ends in the block that suspends or revokes the device, and the broker drops
the connection. What the broker remembers of an earlier run is put out when it is reached again, since no session of
that run is left.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Any

import aiomqtt
import structlog

from gridweave.bridge.dynsec import ANSWERS, Dynsec, DynsecRefused, topics_of
from gridweave.services.sessions import Sessions
from gridweave.services.settings import Settings
from gridweave.together import together

__all__ = ["MqttDoor", "mqtt_door"]

log = structlog.get_logger(__name__)

_PAUSE_S = 1.0
_AWAY = (aiomqtt.MqttError, DynsecRefused, TimeoutError, OSError)


class MqttDoor:
    """The broker's door. `run` keeps the connection; nobody is let in while it is away. Raises SettingsInvalid."""

    name = "mqtt"

    def __init__(self, settings: Settings, sessions: Sessions) -> None:
        self._settings, self._sessions = settings, sessions
        self._password = settings.mqtt_password()
        self._gateway_password = settings.mqtt_gateway_password()
        self._dynsec: Dynsec | None = None
        self._leaving: asyncio.Queue[str] = asyncio.Queue()

    async def let_in(self, device: str, token: str) -> Mapping[str, Any] | None:
        """Where the device connects, None while the broker is away."""
        dynsec = self._dynsec
        if dynsec is None:
            return None
        try:
            await dynsec.let_in(device, token)
        except _AWAY as away:
            log.warning("the broker did not let a device in", device=device, reason=str(away))
            return None
        up, down = topics_of(device)
        host, port = self._settings.mqtt_public_host or self._settings.mqtt_host, self._settings.mqtt_port
        return {"host": host, "port": port, "publish": up, "subscribe": down}

    def shut(self, device: str) -> None:
        """Puts the device out as soon as the broker hears of it."""
        self._leaving.put_nowait(device)

    async def run(self) -> None:
        """Connects, again and again."""
        while True:
            try:
                await together(self._connected())
            except _AWAY as away:
                log.warning("the broker is away", reason=str(away))
            self._dynsec = None
            await asyncio.sleep(_PAUSE_S)

    async def _connected(self) -> None:
        settings = self._settings
        client = aiomqtt.Client(
            settings.mqtt_host,
            settings.mqtt_port,
            username=settings.mqtt_user,
            password=self._password,
            tls_params=aiomqtt.TLSParameters() if settings.mqtt_tls else None,
            identifier="gridweave-admission",
        )
        async with client:
            dynsec = Dynsec(client)
            await client.subscribe(ANSWERS, qos=1)
            await together(_listen(client, dynsec), self._serve(dynsec))

    async def _serve(self, dynsec: Dynsec) -> None:
        strangers = [device for device in await dynsec.devices() if device not in self._sessions.devices]
        await dynsec.put_out(strangers)
        if self._gateway_password is not None:
            await dynsec.let_gateway_in(self._gateway_password)
        self._dynsec = dynsec
        log.info("the broker is reached", put_out=len(strangers))
        while True:
            device = await self._leaving.get()
            if device not in self._sessions.devices:  # else it has answered again meanwhile
                await dynsec.put_out([device])


async def _listen(client: aiomqtt.Client, dynsec: Dynsec) -> None:
    async for message in client.messages:
        dynsec.hear(bytes(message.payload))


@asynccontextmanager
async def mqtt_door(settings: Settings, sessions: Sessions) -> AsyncIterator[None]:
    """The door, if a broker is set, for as long as the service runs."""
    if not settings.mqtt_host:
        yield
        return
    door = MqttDoor(settings, sessions)
    sessions.add_door(door)
    running = asyncio.create_task(door.run())
    try:
        yield
    finally:
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)
