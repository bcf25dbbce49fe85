"""From a reading to the chain: a device measures, the gateway keeps, seals, has it signed, anchors, and forgets."""

from __future__ import annotations

import pytest

from gridweave.domain.acts import KeyKind
from gridweave.domain.anchors import StreamMode
from tests.support.gateway.scene import Scene, recent_ms, until

pytestmark = [pytest.mark.asyncio(loop_scope="module"), pytest.mark.chain]


@pytest.mark.parametrize("kind", KeyKind)
@pytest.mark.parametrize("mode", StreamMode)
async def test_gateway__given_readings_of_several_windows__anchors_each_once_and_forgets_them(
    scene: Scene, mode: StreamMode, kind: KeyKind
) -> None:
    meter = await scene.meter(await scene.home(kind), mode)
    stream, memory = meter.device.stream, meter.device.memory
    async with scene.running() as gateway:
        at_ms = recent_ms() - 3_000_000
        for _ in range(4):
            at_ms = meter.measure(37, at_ms, 17_000)
        await until(lambda: len(scene.anchored(stream)) == 148)
        await until(lambda: memory.final[0] == 148)
        (standing,) = gateway.spool.standings()
        assert (standing.taken, standing.anchored, standing.spooled, standing.trouble) == (148, 148, 0, "")
        assert gateway.spool.bytes_kept == 0
    assert scene.anchored(stream) == meter.measured
    assert (memory.acknowledged[0], memory.within(0, 1_000), memory.signed()) == (148, [], [])
