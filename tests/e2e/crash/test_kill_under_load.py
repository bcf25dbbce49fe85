"""Acknowledged means kept: the service is killed at random instants while everybody trades.

Whatever was acknowledged has one effect on chain, or a refusal that its sender can read. Nothing has two.
"""

from __future__ import annotations

import asyncio
import contextlib
import random
from pathlib import Path

import pytest

from tests.support.load import Load, acts_on_chain, mine_steadily, promised, settled_states
from tests.support.process import ServiceProcess
from tests.support.town import founded

ROUNDS = 10

pytestmark = [pytest.mark.chain, pytest.mark.slow]


async def test_service__killed_ten_times_under_load__keeps_every_promise(tmp_path: Path, rng: random.Random) -> None:
    async with founded(tmp_path / "chain", homes=24) as town:
        service = ServiceProcess(town, tmp_path)
        first = await town.open_slot()
        load = Load(town, service.url, rng, slots=tuple(range(first + 4, first + 10)))
        mining = asyncio.create_task(mine_steadily(town))
        try:
            for _ in range(ROUNDS):
                await service.start()
                trading = asyncio.create_task(load.run())
                await asyncio.sleep(rng.uniform(0.1, 1.5))
                service.kill()
                load.stop()
                await trading
            await service.start()
            states = await settled_states(service.url, list(load.acknowledged))
        finally:
            mining.cancel()
            service.kill()
            with contextlib.suppress(asyncio.CancelledError):
                await mining
        effects, refusals = await acts_on_chain(town)

    print(f"{len(load.acknowledged)} acknowledged, {sum(effects.values())} took effect, {service.starts} starts")
    assert len(load.acknowledged) > 50 * ROUNDS / 10
    assert load.unanswered > 0
    assert all(promised(town, item) for item in load.acknowledged.values())
    assert max(effects.values()) == 1
    lost = [id_ for id_ in load.acknowledged if not effects[id_] and not (refusals[id_] or _refused(states[id_]))]
    assert lost == []
    told_wrongly = [id_ for id_ in load.acknowledged if bool(effects[id_]) == (states[id_]["status"] == "rejected")]
    assert told_wrongly == []


def _refused(state: dict[str, object]) -> bool:
    return state["status"] == "rejected" and bool(state["reason"])
