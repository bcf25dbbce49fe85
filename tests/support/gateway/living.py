"""Devices that measure without end at a broker, are killed and started again, and remember what they were promised."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field

from gridweave.client.measuring.device import StreamDevice
from gridweave.client.measuring.mqtt_link import BrokerPass, MqttLink
from gridweave.client.measuring.pump import Patience, Pump
from gridweave.domain.telemetry.readings import Reading
from gridweave.domain.telemetry.words import SegmentAck


class Listening(Pump):
    """A device's pump that remembers all that it was promised."""

    promised = 0

    def hear_segments(self, raw: bytes) -> None:
        super().hear_segments(raw)
        ack = SegmentAck.decode(raw)
        if ack.stream == self.device.stream and ack.head:
            self.promised = max(self.promised, ack.next_index)


@dataclass
class Life:
    """One device's program: `boot` starts it from its memory, signing every so many readings."""

    boot: Callable[[int], StreamDevice]
    knock: Callable[[], Awaitable[BrokerPass]]
    rng: random.Random
    at_ms: int
    promised: int = 0
    measured: list[Reading] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._task: asyncio.Task[None] | None = None
        self.device = self.boot(5)

    @property
    def stream(self) -> bytes:
        return self.device.stream

    @property
    def is_settled(self) -> bool:
        """All that it signed is anchored for good, and it knows."""
        return self.device.memory.final[0] == self.device.memory.tail.next_index

    def start(self) -> None:
        self._pump = Listening(self.device, Patience(resend_s=0.5, pause_s=0.05, longest_pause_s=0.3))
        self._task = asyncio.create_task(MqttLink([self._pump], self.knock).run())

    async def stop(self) -> None:
        """Ends it between two instants; what it had not signed is gone."""
        if self._task is None:
            return
        self.promised = max(self.promised, self._pump.promised)
        self._task.cancel()
        (ended,) = await asyncio.gather(self._task, return_exceptions=True)
        assert isinstance(ended, asyncio.CancelledError), ended
        self.promised = max(self.promised, self._pump.promised)
        self.device.close()

    async def kill(self) -> None:
        """Stops it and starts it anew."""
        await self.stop()
        self.device = self.boot(self.rng.randrange(3, 12))
        del self.measured[self.device.memory.tail.next_index :]
        self.start()

    async def measure(self) -> None:
        """Readings without end, many a second and some far apart: it catches up with weeks that lie behind."""
        while True:
            step_ms = self.rng.choice((1_000, 1_000, 40_000))
            for _ in range(self.rng.randrange(1, 15)):
                values = self.rng.randrange(30_000), self.rng.randrange(2_200, 2_400), self.rng.randrange(2_500)
                index = self.device.record(self.at_ms, 3, values)
                self.measured.append(Reading(index, self.at_ms, 3, values))
                self.at_ms += step_ms
            self.device.sign()
            await asyncio.sleep(self.rng.uniform(0.02, 0.1))

    def must_be_whole(self, anchored: Sequence[Reading]) -> None:
        """What the chain has is what was measured, each reading once, in order, none left out."""
        assert [reading.index for reading in anchored] == list(range(len(anchored)))
        assert list(anchored) == self.measured
        assert 0 < self.promised <= len(anchored), "what was acknowledged is anchored"
