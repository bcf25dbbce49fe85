"""A gateway and devices that measure, in one process, with a harbour on a real chain."""

from __future__ import annotations

import asyncio
import contextlib
import random
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric import ec

from gridweave.client.device_key import DeviceKey
from gridweave.client.measuring.device import SigningPace, StreamDevice
from gridweave.client.measuring.pump import Patience, Pump
from gridweave.client.telemetry.private_files import replace_private
from gridweave.domain.acts import KeyKind
from gridweave.domain.anchors import StreamMode
from gridweave.domain.setpoints import Setpoint
from gridweave.domain.telemetry.batches import BatchHeader, SealedBatch
from gridweave.domain.telemetry.keytree import WindowKeys
from gridweave.domain.telemetry.opening import OpenedSection, open_batch
from gridweave.domain.telemetry.readings import Reading
from gridweave.domain.telemetry.segments import StreamTail
from gridweave.domain.telemetry.words import BatchStanding
from gridweave.gateway.keeper import SealingPace
from gridweave.gateway.program import Door, Gateway, Inside, Paces
from gridweave.timing import now_ms
from tests.support.gateway.harbour import Harbour
from tests.support.telemetry import SCHEMA
from tests.support.town import GENESIS, DeviceKeyPair, TestHome

QUICK = SealingPace(readings=20, seconds=0.3, poll_s=0.02, final_s=0.05, ask_again_s=0.1, longest_pause_s=0.2)


def device_key(pair: DeviceKeyPair) -> DeviceKey:
    """The key as a device's program holds it."""
    curve: ec.EllipticCurve = ec.SECP256R1() if pair.kind is KeyKind.P256 else ec.SECP256K1()
    return DeviceKey(ec.derive_private_key(pair.secret, curve))


@dataclass
class Meter:
    """A device's program in a test: it measures when it is told to, and remembers what it measured."""

    device: StreamDevice
    rng: random.Random
    pump: Pump = field(init=False)
    measured: list[Reading] = field(default_factory=list)

    def __post_init__(self) -> None:
        patience = Patience(resend_s=0.3, pause_s=0.05, longest_pause_s=0.2)
        self.pump = Pump(self.device, patience)

    def measure(self, count: int, at_ms: int, step_ms: int = 1_000) -> int:
        """Measures and signs; the time of the next reading."""
        for _ in range(count):
            values = self.rng.randrange(30_000), self.rng.randrange(2_200, 2_400), self.rng.randrange(1_500, 2_500)
            index = self.device.record(at_ms, 3, values)
            self.measured.append(Reading(index, at_ms, 3, values))
            at_ms += step_ms
        self.device.sign()
        return at_ms


class Direct:
    """A door for meters of the same process."""

    def __init__(self) -> None:
        self.meters: dict[bytes, Meter] = {}
        self.is_deaf = False
        self.inside: Inside | None = None

    async def run(self, inside: Inside) -> None:
        self.inside = inside
        while True:
            for meter in list(self.meters.values()):
                for raw in meter.pump.due():
                    ack = await inside.take_segment(meter.device.device, raw)
                    meter.pump.hear_segments(ack.encode())
            await asyncio.sleep(0.01)

    async def tell(self, device: str, standing: BatchStanding) -> None:
        meter = self.meters.get(standing.stream)
        if meter is None or self.is_deaf or self.inside is None:
            return
        answer = meter.pump.hear_batches(standing.encode())
        if answer is not None:
            await self.inside.take_signature(device, answer)

    async def command(self, device: str, setpoint: Setpoint) -> None:
        """Meters obey nobody."""


@dataclass
class Scene:
    """What a test works with. Window keys are the owner's, by stream and epoch."""

    harbour: Harbour
    folder: Path
    rng: random.Random
    door: Direct = field(default_factory=Direct)
    keys: dict[tuple[bytes, int], WindowKeys] = field(default_factory=dict)
    paces: Paces = field(default_factory=lambda: Paces(sealing=QUICK, refresh_s=0.05))
    gateway: Gateway | None = None

    def give_keys(self, stream: bytes, epoch: int) -> None:
        """The owner gives the gateway keys of an epoch."""
        self.keys[stream, epoch] = WindowKeys.fresh(epoch)
        keep_keys(self.folder / "keys", stream, self.keys[stream, epoch])

    def give_part(self, stream: bytes, keys: WindowKeys) -> None:
        """The gateway has just these keys of the epoch."""
        keep_keys(self.folder / "keys", stream, keys)

    async def home(self, kind: KeyKind = KeyKind.SECP256K1) -> TestHome:
        """A new home with a device on that curve."""
        homes = await self.harbour.town.settle_in(2)
        return next(home for home in homes if home.key.kind is kind)

    async def meter(self, home: TestHome, mode: StreamMode = StreamMode.FULL, every: int = 10) -> Meter:
        """A stream of the home's device, opened, with keys given and a meter at the door."""
        stream = await self.harbour.open(home, SCHEMA, mode)
        self.give_keys(stream, 1)
        meter = Meter(self.boot(home, mode, every), self.rng)
        self.door.meters[stream] = meter
        return meter

    def boot(self, home: TestHome, mode: StreamMode = StreamMode.FULL, every: int = 10) -> StreamDevice:
        """The device's program, from its memory."""
        domain = self.harbour.town.domain("TelemetryAnchor")
        pace = SigningPace(readings=every)
        return StreamDevice(device_key(home.key), domain, SCHEMA, mode, self.folder / "devices", pace=pace)

    @asynccontextmanager
    async def running(self, *doors: Door) -> AsyncIterator[Gateway]:
        """The gateway, for the length of a block, at these doors; by default at that of this process."""
        folder = self.folder / "gateway"
        gateway = Gateway(folder, self.folder / "keys", self.harbour, doors or (self.door,), self.paces)
        running = asyncio.create_task(gateway.run())
        try:
            yield gateway
        finally:
            running.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await running

    def opened(self, stream: bytes) -> list[OpenedSection]:
        """All that the chain has of a stream, opened with the owner's keys, and its chain of heads checked."""
        berth, sections, tail = self.harbour.berths[stream], [], StreamTail.start(stream)
        for each in berth.anchored:
            batch = each.batch
            header = BatchHeader(
                stream,
                berth.schema.hash,
                batch.epoch,
                batch.first_index,
                batch.count,
                batch.first_ms,
                batch.last_ms,
                batch.root,
            )
            for section in open_batch(self.keys[stream, batch.epoch], berth.schema, SealedBatch(header, each.body)):
                tail = section.follow(tail)
                sections.append(section)
        return sections

    def anchored(self, stream: bytes) -> list[Reading]:
        """Every reading of a stream that the chain has, in order."""
        return [reading for section in self.opened(stream) for reading in section.run]


def keep_keys(folder: Path, stream: bytes, keys: WindowKeys) -> None:
    """As the owner gives them to a gateway."""
    replace_private(folder / f"{stream.hex()}.{keys.epoch}.keys", keys.encode())


def recent_ms() -> int:
    """A time that neither a gateway on this machine nor the town's chain takes for the future."""
    return min(now_ms(), GENESIS * 1_000)


async def until(holds: Callable[[], bool | Awaitable[bool]], within: float = 20.0) -> None:
    """Waits until it holds."""
    async with asyncio.timeout(within):
        while True:
            found = holds()
            if await found if isinstance(found, Awaitable) else found:
                return
            await asyncio.sleep(0.02)
