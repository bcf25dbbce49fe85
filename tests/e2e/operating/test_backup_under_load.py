"""A backup is taken while everybody trades; then the service and its disk are lost.

       backup          kill -9, outbox deleted   restored
start ----|-----------------|----------------------|------------>
      kept: all that      lost to the service:   what arrived is
      was acknowledged    what did not arrive    told as it is
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import random
import shutil
from pathlib import Path

import pytest

from tests.support.load import Load, acts_on_chain, mine_steadily, promised, settled_states
from tests.support.process import ServiceProcess
from tests.support.town import founded

pytestmark = [pytest.mark.chain, pytest.mark.slow]


async def test_backup__under_load__keeps_all_that_was_acknowledged_before_it(
    tmp_path: Path, rng: random.Random
) -> None:
    file = str(tmp_path / "town.backup")
    async with founded(tmp_path / "chain", homes=24) as town:
        service = ServiceProcess(town, tmp_path)
        first = await town.open_slot()
        load = Load(town, service.url, rng, slots=tuple(range(first + 4, first + 10)))
        mining = asyncio.create_task(mine_steadily(town))
        try:
            await service.start()
            trading = asyncio.create_task(load.run())
            await asyncio.sleep(3.0)
            before = dict(load.acknowledged)
            taken = await service.run("backup", file, "--key", "plain", "--json")
            assert taken.returncode == 0, taken.stderr
            await asyncio.sleep(3.0)
            service.kill()
            load.stop()
            await trading
            shutil.rmtree(tmp_path / "service")
            back = await service.run("restore", file, "--data-dir", str(tmp_path / "service"))
            assert back.returncode == 0, back.stderr
            await service.start()
            states = await settled_states(service.url, list(before))
        finally:
            mining.cancel()
            service.kill()
            with contextlib.suppress(asyncio.CancelledError):
                await mining
        effects, refusals = await acts_on_chain(town)

    manifest = json.loads(taken.stdout)
    after = len(load.acknowledged) - len(before)
    print(f"{len(before)} acknowledged before the backup ({manifest['pending']} not final), {after} since")
    assert len(before) > 50
    assert manifest["pending"] > 0
    assert after > 50
    assert all(promised(town, item) for item in before.values())
    assert max(effects.values()) == 1
    told = {id_ for id_, state in states.items() if state["status"] == "rejected" and state["reason"]}
    assert [id_ for id_ in before if not effects[id_] and not refusals[id_] and id_ not in told] == []
    assert [id_ for id_ in before if effects[id_] and id_ in told] == []
