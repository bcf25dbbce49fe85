"""Mosquitto's dynamic-security plugin, spoken to over MQTT: who may connect, and which topics are whose.

Each device is a client whose user name and client id are its id, with a role of its own, since roles know no patterns
in Mosquitto 2.0. Source: mosquitto.org, "Dynamic Security Plugin".
"""

from __future__ import annotations

import asyncio
import itertools
import json
from collections.abc import Sequence
from typing import Any

import aiomqtt

__all__ = ["ANSWERS", "GATEWAY", "Dynsec", "DynsecRefused", "is_device", "topics_of"]

_COMMANDS = "$CONTROL/dynamic-security/v1"
ANSWERS = "$CONTROL/dynamic-security/v1/response"
_WITHIN_S = 5.0
_ROLE = "device-"
GATEWAY = "gateway"
"""The gateway's user, client id and role."""

_UP = ("segments", "batches", "setpoints")
"""What a device says. Any topic more would be room at the broker, which keeps a retained message for each."""

ALL_UP, ALL_DOWN = "gridweave/+/up", "gridweave/+/down"

Json = dict[str, Any]


class DynsecRefused(Exception):
    """The plugin refused a command; the message is its own."""


def topics_of(device: str) -> tuple[str, str]:
    """Below which topics a device publishes, and below which it is told."""
    return f"gridweave/{device}/up", f"gridweave/{device}/down"


def is_device(client: str) -> bool:
    """Whether the name of a client is one that we gave."""
    return client.startswith("0x") and len(client) == 42


class Dynsec:
    """Commands over an open connection; whoever reads it passes what comes on `ANSWERS` to `hear`."""

    def __init__(self, client: aiomqtt.Client) -> None:
        self._client = client
        self._numbers = itertools.count(1)
        self._waiting: dict[str, asyncio.Future[Json]] = {}

    def hear(self, payload: bytes) -> None:
        """Takes what the plugin answered."""
        for answer in json.loads(payload).get("responses", []):
            waiting = self._waiting.pop(str(answer.get("correlationData", "")), None)
            if waiting is not None and not waiting.done():
                waiting.set_result(answer)

    async def let_in(self, device: str, password: str) -> None:
        """The device may connect with this password, and whoever is connected in its name is put out first.

        Raises DynsecRefused, TimeoutError, aiomqtt.MqttError.
        """
        up, down = topics_of(device)
        acls = [
            *(_acl("publishClientSend", f"{up}/{word}") for word in _UP),
            _acl("subscribePattern", f"{down}/#"),
            _acl("publishClientReceive", f"{down}/#"),
        ]
        role = _ROLE + device
        await self.put_out([device])
        created = {"username": device, "clientid": device, "password": password, "roles": [{"rolename": role}]}
        answers = await self._ask(
            {"command": "createRole", "rolename": role, "acls": acls}, {"command": "createClient", **created}
        )
        _must_be_done(answers)

    async def let_gateway_in(self, password: str) -> None:
        """The gateway may connect with this password: it hears all devices, and speaks to them. One that was
        connected with another password is put out.

        Raises DynsecRefused, TimeoutError, aiomqtt.MqttError.
        """
        acls = [
            _acl("subscribePattern", f"{ALL_UP}/#"),
            _acl("publishClientReceive", f"{ALL_UP}/#"),
            _acl("publishClientSend", f"{ALL_DOWN}/#"),
        ]
        role, client = {"rolename": GATEWAY, "acls": acls}, {"username": GATEWAY, "clientid": GATEWAY}
        has_role = GATEWAY in await self._names("Roles")  # the broker may have been killed between role and client
        commands: list[Json] = [{"command": "modifyRole" if has_role else "createRole", **role}]
        if GATEWAY in await self._names("Clients"):
            commands.append({"command": "setClientPassword", "username": GATEWAY, "password": password})
        else:
            commands.append(
                {"command": "createClient", **client, "password": password, "roles": [{"rolename": GATEWAY}]}
            )
        _must_be_done(await self._ask(*commands))

    async def put_out(self, devices: Sequence[str]) -> None:
        """These devices are disconnected and may not connect, whether they were known or not.

        Raises TimeoutError, aiomqtt.MqttError.
        """
        forget = [
            [{"command": "deleteClient", "username": device}, {"command": "deleteRole", "rolename": _ROLE + device}]
            for device in devices
        ]
        if forget:
            await self._ask(*itertools.chain.from_iterable(forget))

    async def devices(self) -> list[str]:
        """Every device that may connect. Raises TimeoutError, aiomqtt.MqttError."""
        return [name for name in await self._names("Clients") if is_device(name)]

    async def _names(self, of: str) -> list[str]:
        (answer,) = await self._ask({"command": f"list{of}"})
        return list(answer["data"][of.lower()])

    async def _ask(self, *commands: Json) -> list[Json]:
        numbered = [command | {"correlationData": str(next(self._numbers))} for command in commands]
        loop = asyncio.get_running_loop()
        futures = [loop.create_future() for _ in numbered]
        self._waiting |= {command["correlationData"]: future for command, future in zip(numbered, futures, strict=True)}
        try:
            await self._client.publish(_COMMANDS, json.dumps({"commands": numbered}), qos=1)
            async with asyncio.timeout(_WITHIN_S):
                return list(await asyncio.gather(*futures))
        finally:
            for command in numbered:
                self._waiting.pop(command["correlationData"], None)


def _must_be_done(answers: Sequence[Json]) -> None:
    for answer in answers:
        if "error" in answer:
            raise DynsecRefused(f"{answer['command']}: {answer['error']}")


def _acl(kind: str, topic: str) -> Json:
    return {"acltype": kind, "topic": topic, "allow": True}
