"""Setpoints on their way to devices: told until the device answers, at least once, and dropped when they have expired.

Whoever calls assets hands setpoints over; a hand-over keeps them until they are done with, so a gateway that is killed
tells them again. Devices know what they were told before by event and sequence.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Protocol

import structlog

from gridweave.domain.setpoints import Setpoint, SetpointAnswer

__all__ = ["Command", "Dispatcher", "Dropped", "Handover"]

log = structlog.get_logger(__name__)

_LOOK_S = 0.2
_RESEND_S = 2.0


class Dropped(Enum):
    """Why a setpoint is told no more, though nobody answered it."""

    EXPIRED = "expired"
    SUPERSEDED = "superseded"


@dataclass(frozen=True)
class Command:
    """A setpoint for a device."""

    device: str
    setpoint: Setpoint


class Handover(Protocol):
    """Where setpoints come from and answers go to. Calls may block, and are made one at a time.

    Raises OSError where it cannot be reached; it is asked again.
    """

    def waiting(self) -> Sequence[Command]:
        """What was handed over and neither answered nor dropped."""

    def answer(self, device: str, answer: SetpointAnswer) -> None:
        """A device's word; the setpoint of its event and sequence waits no longer. It may come again."""

    def drop(self, command: Command, why: Dropped) -> None:
        """It waits no longer, and was maybe never heard."""


class Dispatcher:
    """Brings what `handover` has to devices by `tell`, again every few seconds. `clock` is the gateway's, in ms."""

    def __init__(
        self, handover: Handover, tell: Callable[[str, Setpoint], Awaitable[None]], clock: Callable[[], int]
    ) -> None:
        self._handover, self._tell, self._clock = handover, tell, clock
        self._told_at: dict[Command, float] = {}
        self._turn = asyncio.Lock()

    async def run(self) -> None:
        """Goes on until it is cancelled."""
        while True:
            try:
                await self.look()
            except OSError as fault:
                log.warning("setpoints are not to be had", reason=str(fault))
            await asyncio.sleep(_LOOK_S)

    async def look(self) -> None:
        """Tells what is due. Raises OSError."""
        async with self._turn:
            waiting = await asyncio.to_thread(self._handover.waiting)
        self._told_at = {command: at for command, at in self._told_at.items() if command in waiting}
        newest: dict[tuple[str, str], int] = {}
        for command in waiting:
            place = command.device, command.setpoint.event
            newest[place] = max(newest.get(place, 0), command.setpoint.sequence)
        for command in waiting:
            if command.setpoint.sequence < newest[command.device, command.setpoint.event]:
                await self._drop(command, Dropped.SUPERSEDED)
            elif self._clock() > command.setpoint.expires_ms:
                await self._drop(command, Dropped.EXPIRED)
            elif time.monotonic() >= self._told_at.get(command, 0.0) + _RESEND_S:
                self._told_at[command] = time.monotonic()
                await self._tell(command.device, command.setpoint)

    async def hear(self, device: str, raw: bytes) -> None:
        """A device's answer. Raises WordMalformed."""
        answer = SetpointAnswer.decode(raw)
        try:
            async with self._turn:
                await asyncio.to_thread(self._handover.answer, device, answer)
        except OSError as fault:  # it is told again, and answers again
            log.warning("an answer was not kept", device=device, reason=str(fault))

    async def _drop(self, command: Command, why: Dropped) -> None:
        log.warning("a setpoint is dropped", device=command.device, of=command.setpoint.event, why=why.value)
        async with self._turn:
            await asyncio.to_thread(self._handover.drop, command, why)
