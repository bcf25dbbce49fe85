"""Taking segments in: acknowledged once they are on disk, refused by name; what was acknowledged is not lost."""

from __future__ import annotations

import asyncio
import contextlib
import os
import random
import threading
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path

import pytest

from gridweave.client.device_key import DeviceKey
from gridweave.client.measuring.device import SigningPace, StreamDevice
from gridweave.domain.acts import KeyKind
from gridweave.domain.anchors import NO_HEAD, Batch, StreamMode
from gridweave.domain.telemetry.keytree import WindowKeys
from gridweave.domain.telemetry.messages import decode_message, encode_message
from gridweave.domain.telemetry.salts import SaltedRun
from gridweave.domain.telemetry.segments import SignedRun, StreamTail
from gridweave.domain.telemetry.verifying import DeviceKey as PublicKey
from gridweave.domain.telemetry.words import SegmentAck
from gridweave.gateway.desks import Desks, Disk
from gridweave.gateway.intake import Intake, IntakeLimits
from gridweave.gateway.keyring import KeyRing
from gridweave.gateway.spool import Spool
from gridweave.locking import Taken
from tests.support.disks import small_disk
from tests.support.gateway.quay import Quay
from tests.support.gateway.scene import keep_keys
from tests.support.telemetry import DOMAIN, SCHEMA, START_MS, home_seconds

NOW_MS = START_MS + 60_000


class Bench:
    """A device, and an intake that can be started again from its folder."""

    def __init__(self, folder: Path, *, limits: IntakeLimits | None = None, mode: StreamMode = StreamMode.FULL) -> None:
        self.folder, self.quay, self.limits = folder, Quay(), limits or IntakeLimits()
        self.mode, self.now_ms = mode, NOW_MS
        self.device = self.boot("device", DeviceKey.create(KeyKind.SECP256K1))
        self.tell()
        keep_keys(folder / "keys", self.stream, WindowKeys.fresh(1))

    @property
    def stream(self) -> bytes:
        return self.device.stream

    def boot(self, name: str, key: DeviceKey, device: str | None = None) -> StreamDevice:
        pace = SigningPace(readings=10)
        return StreamDevice(key, DOMAIN, SCHEMA, self.mode, self.folder / name, device=device, pace=pace)

    def tell(self, key: DeviceKey | None = None, next_index: int = 0) -> None:
        key = key or self.device.key
        public = PublicKey(key.kind, key.x, key.y)
        self.quay.tell(self.stream, self.device.device, self.mode, public, next_index)

    def measured(self, count: int, start_ms: int = START_MS, rng: random.Random | None = None) -> list[bytes]:
        """Messages of so many readings."""
        draw = rng or random.Random(1)
        for place in range(count):
            values = draw.randrange(30_000), 2_314, 2_080
            self.device.record(start_ms + place * 1_000, 3, values)
        self.device.sign()
        return [message for _, _, message in self.device.unacknowledged(0, 10_000)]

    @asynccontextmanager
    async def running(self, spool_folder: Path | None = None) -> AsyncIterator[Intake]:
        self.spool = Spool(spool_folder or self.folder / "spool")
        self.disk = Disk(self.spool)
        self.desks = Desks(self.disk, self.quay, KeyRing(self.folder / "keys"), 0.1)
        await self.desks.load()
        intake = Intake(self.desks, self.disk, self.limits, lambda: self.now_ms)
        running = asyncio.create_task(intake.run())
        try:
            yield intake
        finally:
            running.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await running
            self.disk.close()

    async def give(self, intake: Intake, raw: bytes, device: str | None = None) -> SegmentAck:
        return await intake.take(device or self.device.device, raw)

    def kept(self) -> list[bytes]:
        return self.spool.messages(self.stream, 0, 1 << 30, 1 << 30)


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    return Bench(tmp_path)


@asynccontextmanager
async def busy(disk: Disk) -> AsyncIterator[None]:
    """A disk that takes its time."""
    done = threading.Event()
    waiting = asyncio.create_task(disk.do(lambda _: done.wait(10)))
    await asyncio.sleep(0)
    try:
        yield
    finally:
        done.set()
        await waiting


def refusal(ack: SegmentAck) -> str:
    return ack.refused.name if ack.refused else ""


# refused


async def test_take__of_another_device__refuses_it(bench: Bench) -> None:
    (message,) = bench.measured(10)
    async with bench.running() as intake:
        assert refusal(await bench.give(intake, message, "0x" + "12" * 20)) == "SegmentOfOtherDevice"
        assert bench.quay.asked == 0
        assert bench.kept() == []


async def test_take__of_what_is_no_message__refuses_it(bench: Bench, rng: random.Random) -> None:
    (message,) = bench.measured(10)
    async with bench.running() as intake:
        await bench.give(intake, message)
        for _ in range(200):
            raw = bytearray(message)
            for _ in range(rng.randrange(1, 3)):
                at = rng.randrange(len(raw))
                raw[at : at + rng.randrange(2)] = rng.randbytes(rng.randrange(1, 3))
            ack = await bench.give(intake, bytes(raw))
            assert ack.refused is not None or bytes(raw) == message or ack.next_index == 10
        assert bench.kept() == [message]


async def test_take__of_a_stream_that_nobody_opened__refuses_it_and_asks_once(bench: Bench) -> None:
    bench.quay.known.clear()
    (message,) = bench.measured(10)
    async with bench.running() as intake:
        for _ in range(5):
            assert refusal(await bench.give(intake, message)) == "StreamNotOpen"
        assert bench.quay.asked == 1
        bench.tell()
        await asyncio.sleep(0.15)
        assert refusal(await bench.give(intake, message)) == ""


async def test_take__of_a_stream_without_keys__refuses_it(bench: Bench) -> None:
    (message,) = bench.measured(10)
    for file in (bench.folder / "keys").iterdir():
        file.unlink()
    async with bench.running() as intake:
        assert refusal(await bench.give(intake, message)) == "KeysNotGiven"


async def test_take__signed_by_another_key__refuses_it_until_the_service_knows_the_key(bench: Bench) -> None:
    first, _ = bench.measured(20)
    async with bench.running() as intake:
        await bench.give(intake, first)
        following = DeviceKey.create(KeyKind.P256)
        bench.device.close()
        bench.device = bench.boot("device", following, bench.device.device)
        second = bench.device.unacknowledged(10)[0][2]
        assert refusal(await bench.give(intake, second)) == "SegmentSignatureInvalid"
        bench.tell()
        bench.desks.find(bench.stream).asked_at = float("-inf")  # type: ignore[union-attr]
        ack = await bench.give(intake, second)
        assert (refusal(ack), ack.next_index) == ("", 20)


async def test_take__of_a_device_that_was_revoked__refuses_it(bench: Bench) -> None:
    first, second = bench.measured(20)
    async with bench.running() as intake:
        await bench.give(intake, first)
        desk = bench.desks.find(bench.stream)
        assert desk is not None
        bench.quay.known[bench.stream] = replace(desk.facts, status="revoked")
        desk.asked_at = float("-inf")
        await bench.desks.keep_fresh(desk)
        ack = await bench.give(intake, second)
        assert (refusal(ack), ack.next_index) == ("DeviceNotActive", 10)


async def test_take__out_of_order__refuses_the_gap_and_says_from_where_on(bench: Bench) -> None:
    first, second, third = bench.measured(30)
    async with bench.running() as intake:
        await bench.give(intake, first)
        ack = await bench.give(intake, third)
        assert (refusal(ack), ack.next_index) == ("SegmentGap", 10)
        assert (await bench.give(intake, second)).next_index == 20


async def test_take__of_a_twins_segment__refuses_it(bench: Bench) -> None:
    (first,) = bench.measured(10)
    twin = bench.boot("twin", bench.device.key)
    for place in range(10):
        twin.record(START_MS + place * 1_000, 3, (7, 7, 7))
    other = twin.unacknowledged()[0][2]
    async with bench.running() as intake:
        await bench.give(intake, first)
        assert refusal(await bench.give(intake, other)) == "SegmentConflicts"
        for place in range(10):
            twin.record(START_MS + (10 + place) * 1_000, 3, (7, 7, 7))
        assert refusal(await bench.give(intake, twin.unacknowledged(10)[0][2])) == "WrongPreviousHead"
        assert bench.kept() == [first]


async def test_take__of_a_clock_that_is_ahead__refuses_it_and_of_one_that_is_late_counts_it(bench: Bench) -> None:
    (message,) = bench.measured(10)
    last_ms = START_MS + 9_000
    async with bench.running() as intake:
        bench.now_ms = last_ms - 30_001
        assert refusal(await bench.give(intake, message)) == "ClockAhead"
        bench.now_ms = last_ms + 900_001
        ack = await bench.give(intake, message)
        assert (refusal(ack), ack.late_ms, ack.next_index) == ("", 900_001, 10)
        (standing,) = bench.spool.standings()
        assert (standing.taken, standing.late) == (10, 10)
        assert decode_message(bench.kept()[0]).run == decode_message(message).run, "no time was changed"


async def test_take__of_more_than_a_batch_can_hold__refuses_it(bench: Bench, rng: random.Random) -> None:
    salted = SaltedRun(home_seconds(rng, 2_300, 0, START_MS, 100), rng.randbytes(32))
    segment = StreamTail.start(bench.stream).segment(salted)
    sent = SignedRun(salted, segment, bench.device.key.sign(DOMAIN, segment))
    bench.now_ms = segment.last_ms
    async with bench.running() as intake:
        assert refusal(await bench.give(intake, encode_message(sent))) == "SegmentTooLarge"
    bench.quay.known[bench.stream] = replace(bench.quay.known[bench.stream], mode=StreamMode.HASH)
    async with bench.running() as intake:
        desk = bench.desks.find(bench.stream)
        assert desk is not None
        await bench.desks.refresh(desk)
        assert (await bench.give(intake, encode_message(sent))).next_index == 2_300


# bounded


async def test_take__once_the_spool_has_reached_its_limit__refuses_it_until_there_is_room(tmp_path: Path) -> None:
    bench = Bench(tmp_path, limits=IntakeLimits(most_kept=2_000))
    messages = bench.measured(40)
    async with bench.running() as intake:
        acks = [await bench.give(intake, message) for message in messages]
        taken = sum(1 for ack in acks if not ack.refused)
        assert 0 < taken < 4
        assert {refusal(ack) for ack in acks[taken:]} <= {"SpoolFull", "SegmentGap"}
        assert refusal(acks[taken]) == "SpoolFull"
        assert bench.spool.bytes_kept <= 2_000
        _finish(bench, taken * 10)
        assert (await bench.give(intake, messages[taken])).next_index == taken * 10 + 10


def _finish(bench: Bench, end: int) -> None:
    """As if a batch up to there were final."""
    batch = Batch(bench.stream, 0, end, START_MS, START_MS, 1, NO_HEAD, bytes(32), bytes(32))
    bench.spool.keep(batch, b"body")
    bench.spool.finish(bench.spool.batches(bench.stream)[0])


async def test_take__of_more_at_once_than_memory_may_hold__refuses_the_rest(tmp_path: Path) -> None:
    bench = Bench(tmp_path, limits=IntakeLimits(most_pending=2_000))
    messages = bench.measured(60)
    async with bench.running() as intake, busy(bench.disk):
        taking = [asyncio.create_task(bench.give(intake, message)) for message in messages]
        await asyncio.sleep(0.2)
        assert not any(task.done() and not task.result().refused for task in taking), "nothing is on disk yet"
        done = {refusal(task.result()) for task in taking if task.done()}
        assert done <= {"IntakeBusy", "SegmentGap"}


# kept


async def test_take__given_twice__acknowledges_twice_and_keeps_it_once(bench: Bench) -> None:
    (message,) = bench.measured(10)
    async with bench.running() as intake:
        first, second = await asyncio.gather(bench.give(intake, message), bench.give(intake, message))
        assert first == second == await bench.give(intake, message)
        assert (first.next_index, first.head) == (10, bench.device.memory.tail.head)
        assert bench.kept() == [message]


async def test_take__before_it_is_on_disk__says_nothing(bench: Bench) -> None:
    first, second = bench.measured(20)
    async with bench.running() as intake:
        await bench.give(intake, first)
        async with busy(bench.disk):
            taking = asyncio.create_task(bench.give(intake, second))
            await asyncio.sleep(0.2)
            assert not taking.done()
        assert (await taking).next_index == 20


async def test_take__while_the_disk_is_full__acknowledges_nothing_and_goes_on_when_there_is_room(
    tmp_path: Path, rng: random.Random
) -> None:
    with small_disk(tmp_path / "disk") as disk:
        bench = Bench(tmp_path)
        messages = bench.measured(300, rng=rng)
        bench.now_ms = START_MS + 300_000
        async with bench.running(disk.path / "spool") as intake:
            promised = (await bench.give(intake, messages[0])).next_index
            disk.fill(os.getpid())
            try:
                refused = await _until_refused(bench, intake, messages)
            finally:
                disk.free(os.getpid())
            assert refusal(refused) == "SpoolUnwritable"
            promised = max(promised, refused.next_index)
            at = promised // 10
            for message in messages[at:]:
                assert refusal(await bench.give(intake, message)) == ""
        async with bench.running(disk.path / "spool"):
            assert bench.kept() == messages


async def _until_refused(bench: Bench, intake: Intake, messages: list[bytes]) -> SegmentAck:
    ack = await bench.give(intake, messages[1])
    for message in messages[2:]:
        if ack.refused:
            break
        ack = await bench.give(intake, message)
    return ack


async def test_intake__started_again_while_the_service_is_away__goes_on(bench: Bench) -> None:
    first, second = bench.measured(20)
    async with bench.running() as intake:
        await bench.give(intake, first)
    bench.quay.away = True
    async with bench.running() as intake:
        assert (await bench.give(intake, first)).next_index == 10
        assert (await bench.give(intake, second)).next_index == 20
        assert bench.kept() == [first, second]


async def test_intake__while_the_service_is_away__refuses_a_stream_that_it_never_met(bench: Bench) -> None:
    bench.quay.away = True
    (message,) = bench.measured(10)
    async with bench.running() as intake:
        assert refusal(await bench.give(intake, message)) == "ServiceAway"


async def test_intake__new_to_a_stream_that_another_gateway_began__continues_it(bench: Bench) -> None:
    _, second, third = bench.measured(30)
    bench.tell(next_index=10)
    async with bench.running() as intake:
        assert refusal(await bench.give(intake, third)) == "SegmentGap"
        assert (await bench.give(intake, second)).next_index == 20
        assert (await bench.give(intake, third)).next_index == 30


async def test_intake__new_to_a_stream_whose_acknowledgement_was_lost__lets_the_device_go_on(bench: Bench) -> None:
    first, second, third = bench.measured(30)
    bench.tell(next_index=20)
    async with bench.running() as intake:
        assert refusal(await bench.give(intake, first)) == "SegmentOverlap"
        ack = await bench.give(intake, second)
        assert (ack.next_index, ack.head) == (20, decode_message(second).segment.head)
        bench.device.hear_ack(ack)
        assert (await bench.give(intake, third)).next_index == 30
        assert bench.kept() == [third]


async def test_intake__new_to_a_stream_of_a_suspended_device__lets_its_key_name_no_head(bench: Bench) -> None:
    """Whoever stole the key would have the gateway refuse the device's own history ever after."""
    _, second = bench.measured(20)
    bench.tell(next_index=10)
    active = bench.quay.known[bench.stream]
    async with bench.running() as intake:
        bench.quay.known[bench.stream] = replace(active, status="suspended")
        thief = Bench(bench.folder / "thief")
        thief.device = StreamDevice(
            bench.device.key, DOMAIN, SCHEMA, bench.mode, bench.folder / "twin", pace=SigningPace(readings=10)
        )
        (forged,) = thief.measured(10, rng=random.Random(2))
        assert refusal(await bench.give(intake, forged)) == "DeviceNotActive"
        bench.quay.known[bench.stream] = active
        desk = bench.desks.find(bench.stream)
        assert desk is not None
        await bench.desks.refresh(desk)
        assert (await bench.give(intake, second)).next_index == 20


async def test_intake__of_two_in_one_folder__refuses_the_second(bench: Bench) -> None:
    async with bench.running():
        with pytest.raises(Taken):
            Spool(bench.folder / "spool")
