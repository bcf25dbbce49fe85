"""A device's connection to its gateway over HTTP, where there is no message broker."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

import httpx
import structlog

from gridweave.client.measuring.pump import Pump
from gridweave.domain.telemetry.gateway_errors import WordMalformed

__all__ = ["HttpLink"]

log = structlog.get_logger(__name__)

_PAUSE_S = 1.0
_LOOK_S = 0.05


class HttpLink:
    """Sends what `pumps` have to the gateway at `http`'s base URL, and asks every `ask_s` seconds what to sign."""

    def __init__(self, pumps: Sequence[Pump], http: httpx.AsyncClient, *, ask_s: float = 2.0) -> None:
        self._pumps, self._http, self._ask_s = pumps, http, ask_s

    async def run(self) -> None:
        """Goes on until it is cancelled. Raises OtherHistory."""
        loop = asyncio.get_running_loop()
        ask_at = loop.time()
        while True:
            try:
                for pump in self._pumps:
                    await self.send(pump)
                if loop.time() >= ask_at:
                    for pump in self._pumps:
                        await self.ask(pump)
                    ask_at = loop.time() + self._ask_s
                await asyncio.sleep(_LOOK_S)
            except (httpx.TransportError, WordMalformed) as fault:
                log.warning("the gateway does not answer", reason=str(fault) or type(fault).__name__)
                await asyncio.sleep(_PAUSE_S)

    async def send(self, pump: Pump) -> None:
        """Sends what is due. Raises TransportError, WordMalformed, OtherHistory."""
        for message in pump.due():
            answer = await self._http.post("/v1/segments", content=message)
            pump.hear_segments(answer.content)

    async def ask(self, pump: Pump) -> None:
        """Asks how batches stand, and signs what is to be signed. Raises TransportError, WordMalformed."""
        found = await self._http.get(f"/v1/streams/{pump.device.stream.hex()}/standing")
        if found.status_code != httpx.codes.OK:
            return  # not met yet
        answer = pump.hear_batches(found.content)
        if answer is not None:
            await self._http.post("/v1/signatures", content=answer)
