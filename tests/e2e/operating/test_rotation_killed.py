"""The relayer's key is changed under orders that are on their way, and the change is killed again and again."""

from __future__ import annotations

import asyncio
import contextlib
import random
import subprocess
import sys
from pathlib import Path

import pytest

from gridweave.chain import Signer
from tests.support.load import Load, acts_on_chain, mine_steadily, promised, settled_states
from tests.support.process import ServiceProcess
from tests.support.town import founded

pytestmark = [pytest.mark.chain, pytest.mark.slow]

KILLS = 6
_ROTATE = "import sys; from gridweave.cli import main; main(['relayer', 'rotate', '--new-key-file', sys.argv[1]])"


async def killed_within(service: ServiceProcess, key: Path, seconds: float) -> bool:
    """Starts the change of keys and ends it with kill -9 after that time; whether it was still at work."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-c", _ROTATE, str(key), env=service.environment, stdout=subprocess.DEVNULL
    )
    try:
        await asyncio.wait_for(process.wait(), seconds)
    except TimeoutError:
        process.kill()
        await process.wait()
        return True
    assert process.returncode == 0
    return False


async def test_rotate__killed_again_and_again__ends_with_every_promise_kept(tmp_path: Path, rng: random.Random) -> None:
    new = Signer(rng.randbytes(32))
    key = tmp_path / "new.key"
    key.write_text(new.secret.hex())
    async with founded(tmp_path / "chain", homes=16) as town:
        service = ServiceProcess(town, tmp_path, finality_depth=12)
        first = await town.open_slot()
        load = Load(town, service.url, rng, slots=tuple(range(first + 4, first + 10)))
        mining = asyncio.create_task(mine_steadily(town, 0.25))
        try:
            await service.start()
            trading = asyncio.create_task(load.run())
            await asyncio.sleep(2.0)
            service.kill()
            load.stop()
            await trading
            kills = [await killed_within(service, key, rng.uniform(0.5, 3.0)) for _ in range(KILLS)]
            done = await service.run("relayer", "rotate", "--new-key-file", str(key), "--json")
            assert done.returncode == 0, done.stderr
            service.environment["GRIDWEAVE_RELAYER_KEY_FILE"] = str(key)
            await service.start()
            states = await settled_states(service.url, list(load.acknowledged))
        finally:
            mining.cancel()
            service.kill()
            with contextlib.suppress(asyncio.CancelledError):
                await mining
        effects, refusals = await acts_on_chain(town)
        assert await town.chain.node.balance(new.address) > 10**23
        assert await town.chain.node.balance(town.keys["relayer"].address) < 10**18

    print(f"{len(load.acknowledged)} acknowledged, {sum(effects.values())} took effect, {sum(kills)} kills")
    assert any(kills)
    assert all(promised(town, item) for item in load.acknowledged.values())
    assert max(effects.values()) == 1
    told = {id_ for id_, state in states.items() if state["status"] == "rejected" and state["reason"]}
    assert [id_ for id_ in load.acknowledged if not effects[id_] and not refusals[id_] and id_ not in told] == []
