"""A device's way into its broker: it knocks at the service whenever the broker does not let it in any more."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

from gridweave.client.device_life import OwnDevice
from gridweave.client.errors import ServiceUnavailable
from gridweave.client.measuring.mqtt_link import BrokerPass

__all__ = ["by_session"]


def by_session(own: OwnDevice, *, tls: bool = False) -> Callable[[], Awaitable[BrokerPass]]:
    """What `MqttLink` asks for a way in: a session of `own` at its service. `tls` as the broker wants it.

    Raises, when called, OSError while the service does not answer or names no broker, for the link to ask again, and
    ServiceError when it does not let the device in, which ends the link.
    """

    async def knock() -> BrokerPass:
        try:
            token = await asyncio.to_thread(own.knock)
        except ServiceUnavailable as away:
            raise OSError(str(away)) from away
        if token.mqtt is None:
            raise OSError("the service names no broker: it has none, or does not reach it yet")
        return BrokerPass(str(token.mqtt["host"]), int(token.mqtt["port"]), own.device, token.token, tls)

    return knock
