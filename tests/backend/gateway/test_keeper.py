"""A stream's way to the chain with something in the way: epochs, absences, restarts, undone blocks, other gateways."""

from __future__ import annotations

import asyncio
from dataclasses import replace

import pytest
import pytest_asyncio

from gridweave.domain.anchors import Batch, StreamMode
from gridweave.gateway.anchorage import SubmissionRefused
from gridweave.gateway.program import Gateway
from gridweave.gateway.spool import Standing
from tests.support.gateway.scene import Meter, Scene, recent_ms, until
from tests.support.town import TestHome

pytestmark = [pytest.mark.asyncio(loop_scope="module"), pytest.mark.chain]


def standing_of(gateway: Gateway) -> Standing:
    """The stream's, blank before anything came."""
    return next(iter(gateway.spool.standings()), Standing(b"", 0, 0, 0, 0, 0, "", 0, 0, 0, ""))


async def anchored(scene: Scene, meter: Meter, count: int) -> None:
    """Waits until all is on the chain for good, and compares it with what was measured."""
    await until(lambda: meter.device.memory.final[0] == count)
    assert scene.anchored(meter.device.stream) == meter.measured
    assert len(meter.measured) == count


@pytest_asyncio.fixture(loop_scope="module")
async def home(scene: Scene) -> TestHome:
    return await scene.home()


async def test_keeper__with_little__waits_for_more_or_for_its_time(scene: Scene, home: TestHome) -> None:
    meter = await scene.meter(home)
    async with scene.running():
        meter.measure(5, recent_ms())
        await asyncio.sleep(0.15)
        assert scene.harbour.berths[meter.device.stream].anchored == []
        await anchored(scene, meter, 5)


async def test_keeper__when_the_owner_begins_an_epoch__seals_anew_what_was_signed(scene: Scene, home: TestHome) -> None:
    meter = await scene.meter(home)
    stream = meter.device.stream
    async with scene.running() as gateway:
        meter.measure(25, recent_ms() - 100_000)
        await until(lambda: meter.device.memory.final[0] == 25)
        scene.harbour.away = True
        meter.measure(25, recent_ms() - 50_000)
        await until(lambda: standing_of(gateway).batch == "signed")
        await scene.harbour.new_epoch(home, stream)
        scene.harbour.away = False
        await until(lambda: standing_of(gateway).trouble == "EpochKeysMissing")
        scene.give_keys(stream, 2)
        await anchored(scene, meter, 50)
    epochs = [each.batch.epoch for each in scene.harbour.berths[stream].anchored]
    assert (epochs, epochs[0], epochs[-1]) == (sorted(epochs), 1, 2)
    assert scene.harbour.berths[stream].refused == ["EpochRunsBack"]


async def test_keeper__with_keys_of_some_windows__seals_up_to_them_and_waits(scene: Scene, home: TestHome) -> None:
    meter = await scene.meter(home)
    stream, keys = meter.device.stream, scene.keys[meter.device.stream, 1]
    start_ms = recent_ms() // 900_000 * 900_000 - 9_000_000
    first = start_ms // 900_000
    scene.give_part(stream, keys.covering(first, first + 2))
    async with scene.running() as gateway:
        meter.measure(40, start_ms, 90_000)
        await until(lambda: meter.device.memory.final[0] == 20)
        await until(lambda: standing_of(gateway).trouble == "WindowClosed")
        scene.give_part(stream, keys)
        await anchored(scene, meter, 40)


async def test_keeper__while_the_service_is_away__stores_and_then_forwards(scene: Scene, home: TestHome) -> None:
    meter = await scene.meter(home, StreamMode.HASH)
    async with scene.running() as gateway:
        at_ms = meter.measure(30, recent_ms() - 2_000_000)
        await until(lambda: meter.device.memory.final[0] == 30)
        scene.harbour.away = True
        for _ in range(10):
            at_ms = meter.measure(30, at_ms)
        await until(lambda: meter.device.memory.acknowledged[0] == 330)
        assert meter.device.memory.final[0] == 30, "on disk is enough to be acknowledged"
        scene.harbour.away = False
        await anchored(scene, meter, 330)
        assert standing_of(gateway).bytes_kept == 0


async def test_keeper__while_the_device_is_deaf__asks_again(scene: Scene, home: TestHome) -> None:
    meter = await scene.meter(home)
    async with scene.running() as gateway:
        scene.door.is_deaf = True
        meter.measure(30, recent_ms() - 60_000)
        await until(lambda: standing_of(gateway).batch == "sealed")
        await asyncio.sleep(0.3)
        assert standing_of(gateway).batch == "sealed"
        scene.door.is_deaf = False
        await anchored(scene, meter, 30)


@pytest.mark.parametrize("state", ["sealed", "signed", "sent", "committed"])
async def test_keeper__started_again_at_any_step__goes_on_there(scene: Scene, home: TestHome, state: str) -> None:
    meter = await scene.meter(home)
    scene.harbour.depth, scene.door.is_deaf = 1_000, state == "sealed"
    scene.harbour.is_slow = state == "sent"
    async with scene.running() as gateway:
        scene.harbour.takes_none = state == "signed"
        meter.measure(30, recent_ms() - 60_000)
        await until(lambda: standing_of(gateway).batch == state)
    scene.harbour.depth, scene.door.is_deaf = 0, False
    scene.harbour.is_slow = scene.harbour.takes_none = False
    async with scene.running():
        await anchored(scene, meter, 30)


async def test_keeper__of_a_batch_that_the_service_forgot__brings_it_again(scene: Scene, home: TestHome) -> None:
    meter = await scene.meter(home)
    scene.harbour.is_slow = True
    async with scene.running() as gateway:
        meter.measure(30, recent_ms() - 60_000)
        await until(lambda: standing_of(gateway).batch == "sent")
        scene.harbour.forget()
        scene.harbour.is_slow = False
        await anchored(scene, meter, 30)


async def test_keeper__of_a_batch_whose_block_was_undone__keeps_its_readings_until_it_is_final(
    scene: Scene, home: TestHome
) -> None:
    meter = await scene.meter(home)
    scene.harbour.depth = 1_000
    async with scene.running() as gateway:
        meter.measure(30, recent_ms() - 60_000)
        await until(lambda: standing_of(gateway).batch == "committed")
        scene.harbour.undone = True
        await until(lambda: standing_of(gateway).batch == "sent")
        assert standing_of(gateway).spooled == 30
        scene.harbour.undone, scene.harbour.depth = False, 0
        await anchored(scene, meter, 30)


async def test_keeper__of_a_batch_that_somebody_else_brought__takes_it_for_anchored(
    scene: Scene, home: TestHome
) -> None:
    meter = await scene.meter(home)
    harbour = scene.harbour
    submit = harbour.submit

    async def after_another(batch: Batch, body: bytes, signature: bytes) -> str:
        await submit(batch, body, signature)
        harbour.forget()
        raise SubmissionRefused("TipDiffers")

    harbour.submit = after_another  # type: ignore[method-assign]
    async with scene.running():
        meter.measure(30, recent_ms() - 60_000)
        await anchored(scene, meter, 30)


async def test_keeper__behind_what_another_gateway_anchored__goes_on_from_there(scene: Scene, home: TestHome) -> None:
    meter = await scene.meter(home)
    stream = meter.device.stream
    async with scene.running() as gateway:
        meter.measure(20, recent_ms() - 500_000)
        await until(lambda: meter.device.memory.final[0] == 20)
        scene.harbour.away = True
        meter.measure(20, recent_ms() - 400_000)
        await until(lambda: standing_of(gateway).batch == "signed")
        (row,) = gateway.spool.batches(stream)
        assert row.signature is not None
        await scene.harbour.anchor(row.batch, gateway.spool.body(row), row.signature)
        await gateway.disk.do(lambda spool: spool.shelve(stream, 0))  # as if it had been the other one's
        scene.harbour.away = False
        meter.measure(20, recent_ms() - 300_000)
        await until(lambda: len(scene.anchored(stream)) == 60)
        await anchored(scene, meter, 60)
        assert standing_of(gateway).trouble == ""


async def test_keeper__when_an_epoch_was_undone__takes_up_the_batch_before_it(scene: Scene, home: TestHome) -> None:
    meter = await scene.meter(home)
    stream = meter.device.stream
    berth = scene.harbour.berths[stream]
    async with scene.running() as gateway:
        scene.harbour.takes_none = True
        meter.measure(25, recent_ms() - 600_000)
        await until(lambda: standing_of(gateway).batch == "signed")
        (first,) = gateway.spool.batches(stream)
        tip = berth.tip
        scene.give_keys(stream, 2)
        berth.tip = replace(tip, span=replace(tip.span, epoch=2))  # told, and undone again
        scene.harbour.refuses = "EpochRunsBack"
        scene.harbour.takes_none = False
        await until(lambda: [row.batch.epoch for row in gateway.spool.batches(stream)] == [2])
        await until(lambda: len(meter.device.memory.signed()) == 2)
        meter.measure(25, recent_ms() - 500_000)
        berth.tip = tip
        scene.harbour.refuses = "EpochNotBegun"
        await until(lambda: [row.batch for row in gateway.spool.batches(stream)] == [first.batch])
        scene.harbour.refuses = ""
        await anchored(scene, meter, 50)
    assert berth.anchored[0].batch == first.batch
