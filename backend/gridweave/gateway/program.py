"""The gateway as a whole: doors for devices, the intake, and a keeper for every stream."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

import structlog

from gridweave.domain.setpoints import Setpoint
from gridweave.domain.telemetry.words import BatchSignature, BatchStanding, SegmentAck
from gridweave.gateway.anchorage import Anchorage
from gridweave.gateway.desks import Desk, Desks, Disk
from gridweave.gateway.dispatch import Dispatcher, Handover
from gridweave.gateway.intake import Intake, IntakeLimits, must_be_own
from gridweave.gateway.keeper import Keeper, SealingPace
from gridweave.gateway.keyring import KeyRing
from gridweave.gateway.spool import Spool
from gridweave.timing import now_ms

__all__ = ["Door", "Gateway", "Inside", "Paces"]

log = structlog.get_logger(__name__)


class Inside(Protocol):
    """What a door opens to. `device` is who sends, None where a door cannot tell."""

    async def take_segment(self, device: str | None, raw: bytes) -> SegmentAck:
        """Acknowledges a segment once it is on disk, or refuses it by name."""

    async def take_signature(self, device: str | None, raw: bytes) -> None:
        """Takes a device's answer to a batch. Raises WordMalformed, SegmentOfOtherDevice."""

    async def take_answer(self, device: str, raw: bytes) -> None:
        """Takes a device's answer to a setpoint. Raises WordMalformed."""

    async def standing(self, stream: bytes) -> BatchStanding | None:
        """How the stream's batches stand, None if it was never met."""


class Door(Protocol):
    """A way for devices to reach the gateway."""

    async def run(self, inside: Inside) -> None:
        """Lets devices in until it is cancelled."""

    async def tell(self, device: str, standing: BatchStanding) -> None:
        """Tells a device how its batches stand, if it can; it will be told again."""

    async def command(self, device: str, setpoint: Setpoint) -> None:
        """Tells a device a setpoint, if it can; it will be told again until it answers."""


@dataclass(frozen=True)
class Paces:
    """How the gateway goes about it."""

    limits: IntakeLimits = field(default_factory=IntakeLimits)
    sealing: SealingPace = field(default_factory=SealingPace)
    refresh_s: float = 10.0


class Gateway:
    """A gateway whose spool lies in `folder` and whose keys in `keys`; nothing runs before `run`."""

    def __init__(
        self,
        folder: Path,
        keys: Path,
        service: Anchorage,
        doors: Sequence[Door],
        paces: Paces | None = None,
        clock: Callable[[], int] = now_ms,
        setpoints: Handover | None = None,
    ) -> None:
        self._paces, self._clock = paces or Paces(), clock
        self.spool = Spool(folder)
        self._service, self._doors = service, doors
        self._ring = KeyRing(keys)
        self.disk = Disk(self.spool)
        self._desks = Desks(self.disk, service, self._ring, self._paces.refresh_s)
        self._intake = Intake(self._desks, self.disk, self._paces.limits, clock)
        self._keepers: dict[bytes, Keeper] = {}
        self._dispatcher = Dispatcher(setpoints, self.command, clock) if setpoints else None

    async def run(self) -> None:
        """Goes on where an earlier run was, until it is cancelled. The spool is closed then."""
        try:
            async with asyncio.TaskGroup() as tasks:
                self._desks.changed = lambda desk: self._keep(desk, tasks)
                await self._desks.load()
                tasks.create_task(self._intake.run())
                for door in self._doors:
                    tasks.create_task(door.run(self))
                if self._dispatcher:
                    tasks.create_task(self._dispatcher.run())
        finally:
            self.disk.close()

    async def take_segment(self, device: str | None, raw: bytes) -> SegmentAck:
        return await self._intake.take(device, raw)

    async def take_signature(self, device: str | None, raw: bytes) -> None:
        word = BatchSignature.decode(raw)
        must_be_own(device, word.stream)
        keeper = self._keepers.get(word.stream)
        if keeper is not None:
            await keeper.hear(word)

    async def take_answer(self, device: str, raw: bytes) -> None:
        if self._dispatcher:
            await self._dispatcher.hear(device, raw)

    def seal_now(self, stream: bytes) -> None:
        """Seals what the gateway has of a stream, as before its device is sold: the next owner's keys open no more."""
        if (keeper := self._keepers.get(stream)) is not None:
            keeper.seal_now()

    async def standing(self, stream: bytes) -> BatchStanding | None:
        keeper = self._keepers.get(stream)
        return None if keeper is None else await keeper.standing()

    async def tell(self, device: str, standing: BatchStanding) -> None:
        """Says it at every door."""
        for door in self._doors:
            await door.tell(device, standing)

    async def command(self, device: str, setpoint: Setpoint) -> None:
        """Says it at every door."""
        for door in self._doors:
            await door.command(device, setpoint)

    def _keep(self, desk: Desk, tasks: asyncio.TaskGroup) -> None:
        keys, pace = self._ring, self._paces.sealing
        keeper = Keeper(desk, self._desks, self.disk, self._service, keys, self.tell, pace, self._clock)
        self._keepers[desk.facts.stream] = keeper
        tasks.create_task(keeper.run())
