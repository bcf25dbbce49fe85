"""kill -9 of the whole supervisor, in a process of its own, at random instants."""

from __future__ import annotations

import asyncio
import contextlib
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from gridweave.chain import ChainError, Node
from gridweave.deployment import Deployment, check
from gridweave.localnet import Home

pytestmark = [pytest.mark.chain, pytest.mark.slow]

RUN = "import sys; from gridweave.cli.localnet import register; import typer; app = typer.Typer(); register(app); app()"
ROUNDS = 6


async def _start(home: Path):
    options = ["--home", str(home), "--block-seconds", "0.05", "--snapshot-seconds", "0.1"]
    log = (home.parent / "supervisor.log").open("ab")
    return await asyncio.create_subprocess_exec(sys.executable, "-c", RUN, *options, stdout=log, stderr=log)


async def _is_up(home: Home, process) -> Deployment:
    async with asyncio.timeout(40):
        while True:
            assert process.returncode is None, (home.path.parent / "supervisor.log").read_text()
            info = home.info()
            if info and info.genesis_hash and home.deployment_file.exists():
                try:
                    async with Node(info.url) as node:
                        deployment = Deployment.load(home.deployment_file)
                        if deployment.complete and not await check(node, deployment):
                            return deployment
                except ChainError:
                    pass
            await asyncio.sleep(0.05)


async def test_localnet__when_killed_at_random_instants__goes_on_each_time(tmp_path, rng):
    home = Home(tmp_path / "chain")
    chains, finals = set(), [0]
    for _ in range(ROUNDS):
        process = await _start(home.path)
        early = rng.random() < 0.3
        if not early:
            await _is_up(home, process)
            await asyncio.sleep(rng.uniform(0.2, 1.5))
        else:
            await asyncio.sleep(rng.uniform(0.2, 1.2))
        pid = int(home.pid_file.read_text()) if home.pid_file.exists() else 0
        process.send_signal(signal.SIGKILL)
        await process.wait()
        assert await _ends(pid), "anvil outlived its supervisor"
        if home.info():
            chains.add(home.info().chain_id)
            finals.append(home.profile().final_block(10**9))
    assert len(chains) == 1
    assert finals == sorted(finals), f"a final block went back: {finals}"
    process = await _start(home.path)
    await _is_up(home, process)
    async with Node(home.info().url) as node:
        before = await node.block_number()
        assert before >= finals[-1]
        await asyncio.sleep(1.5)
        assert await node.block_number() > before
    process.send_signal(signal.SIGTERM)
    assert await process.wait() == 0


async def _ends(pid: int) -> bool:
    for _ in range(250):
        if not _runs(pid):
            return True
        await asyncio.sleep(0.02)
    return False


def _runs(pid: int) -> bool:
    """Whether the process is there and no zombie."""
    if sys.platform == "linux":
        with contextlib.suppress(OSError):
            state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
            return pid != 0 and state != "Z"
        return False
    answer = subprocess.run(["ps", "-o", "stat=", "-p", str(pid)], capture_output=True, text=True, check=False)
    return pid != 0 and answer.stdout.strip()[:1] not in ("", "Z")
