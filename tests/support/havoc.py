"""What can be killed, paused and undone around a service: itself, a keeper, the node, and the chain's last blocks."""

from __future__ import annotations

import asyncio
import contextlib
import os
import random
import signal
import subprocess
import sys
from collections import Counter
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Any, Protocol, Self

from gridweave.chain import NodeError, NodeUnavailable
from gridweave.localnet import DevKeys, Localnet
from tests.support import stores
from tests.support.ganache import Ganache
from tests.support.process import ServiceProcess
from tests.support.town import Town

_KEEP = "import sys; from gridweave.cli import main; main(sys.argv[1:])"
_BEAT_S = 0.15
_AWAY = (NodeUnavailable, NodeError)


class Breakable(Protocol):
    """A node under attack."""

    @property
    def pid(self) -> int: ...

    async def kill(self) -> None:
        """kill -9, and it comes back as it would at its owner's."""

    async def reorganise(self, rng: random.Random) -> None:
        """Takes some of its last blocks back."""


class BreakableAnvil:
    """The supervised Anvil: its supervisor starts it again, from its newest snapshot."""

    def __init__(self, chain: Localnet) -> None:
        self._chain = chain

    @property
    def pid(self) -> int:
        return self._chain.anvil_pid

    async def kill(self) -> None:
        if self.pid:
            os.kill(self.pid, signal.SIGKILL)
        async with asyncio.timeout(60):
            while not await _answers(self._chain):  # noqa: ASYNC110 - the node is another process
                await asyncio.sleep(0.05)

    async def reorganise(self, rng: random.Random) -> None:
        """Never below what is final here: that is on disk. Its owner alone knows that while snapshots are taken."""
        depth = rng.randint(1, 20)
        (first,) = await self._chain.node.blocks([await self._chain.node.block_number() - depth + 1])
        if first is not None:
            await self._chain.reorganise(first.timestamp)


class BreakableGanache:
    """Ganache with its database: what it mined is on disk, what it was sent is lost."""

    def __init__(self, chain: Ganache) -> None:
        self._chain = chain

    @property
    def pid(self) -> int:
        return self._chain.pid

    async def kill(self) -> None:
        await self._chain.kill()
        await self._chain.start()

    async def reorganise(self, rng: random.Random) -> None:
        mark = await self._chain.node.request("evm_snapshot")
        await asyncio.sleep(rng.uniform(0.2, 1.5))
        await self._chain.node.request("evm_revert", mark)


class KeeperProcess:
    """`gridweave keep` over a town, with the operator's key; its outbox and index lie in `folder`."""

    def __init__(self, town: Town, folder: Path, **variables: Any) -> None:
        self.folder = folder
        self._process: subprocess.Popen[bytes] | None = None
        settings = {"PRIORITY_FEE_WEI": 0, "POLL_MS": 50, "BATCH_WINDOW_MS": 50, "RESEND_MS": 1_000}
        settings |= {name.upper(): value for name, value in variables.items()}
        clean = {name: value for name, value in os.environ.items() if not name.startswith("GRIDWEAVE_")}
        self._environment = clean | {f"GRIDWEAVE_{name}": str(value) for name, value in settings.items()}
        arguments = {
            "--rpc": town.chain.url,
            "--deployment": town.chain.home.deployment_file,
            "--data-dir": folder,
            "--key-file": DevKeys.path(town.chain.home.keys, "operator"),
        }
        self._words = [str(word) for pair in arguments.items() for word in pair]

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.kill()

    def start(self, *more: str) -> None:
        self.folder.parent.mkdir(parents=True, exist_ok=True)
        with self.log.open("ab") as log:
            command = [sys.executable, "-c", _KEEP, "keep", *self._words, *more]
            self._process = subprocess.Popen(command, env=self._environment, stdout=log, stderr=log)

    @property
    def log(self) -> Path:
        return self.folder.parent / "keeper.log"

    @property
    def status(self) -> int | None:
        """Its exit status, None while it runs."""
        assert self._process is not None
        return self._process.poll()

    def kill(self) -> None:
        if self._process is not None and self._process.poll() is None:
            self._process.kill()
            self._process.wait()


@dataclass
class Havoc:
    """Breaks one thing after another, at random moments, while the chain's time goes on. `time` never goes back."""

    town: Town
    node: Breakable
    service: ServiceProcess
    keeper: KeeperProcess
    rng: random.Random
    time: int
    more: dict[str, Callable[[], Awaitable[None]]] = field(default_factory=dict)
    done: Counter[str] = field(default_factory=Counter)

    async def beat(self) -> None:
        """Blocks without end, as far as there is a node to make them."""
        while True:
            with contextlib.suppress(*_AWAY):
                self.time = max(self.time, (await self.town.chain.mine(self.time + 1)).timestamp)
            await asyncio.sleep(_BEAT_S)

    def next_slot(self) -> int:
        """A minute into the next slot; its number."""
        slot = self.town.clock.slot_at(self.time) + 1
        self.time = self.town.clock.start(slot) + 60
        return slot

    async def strike(self) -> None:
        """One fault, drawn, and what it takes to live on."""
        faults = {
            "service killed": self._kill_service,
            "keeper killed": self._kill_keeper,
            "node killed": self.node.kill,
            "node paused": self._pause_node,
            "blocks undone": self._reorganise,
        } | self.more
        name = self.rng.choice(sorted(faults))
        self.done[name] += 1
        await faults[name]()

    async def _kill_service(self) -> None:
        self.service.kill()
        await asyncio.sleep(self.rng.uniform(0, 0.5))
        await self.service.start()

    async def _kill_keeper(self) -> None:
        self.keeper.kill()
        await asyncio.sleep(self.rng.uniform(0, 0.5))
        self.keeper.start()

    async def _pause_node(self) -> None:
        pid = self.node.pid
        if not pid:
            return
        os.kill(pid, signal.SIGSTOP)
        try:
            await asyncio.sleep(self.rng.uniform(0.3, 2.0))
        finally:
            os.kill(pid, signal.SIGCONT)

    async def _reorganise(self) -> None:
        with contextlib.suppress(*_AWAY):
            await self.node.reorganise(self.rng)


def database_faults(rng: random.Random) -> dict[str, Callable[[], Awaitable[None]]]:
    """What can happen to the server that holds the tests' databases, if there is one."""
    server = stores.server()
    if server is None:
        return {}

    async def kill() -> None:
        server.kill()
        await asyncio.sleep(rng.uniform(0, 0.5))
        await asyncio.to_thread(server.start)

    async def pause() -> None:
        server.pause()
        try:
            await asyncio.sleep(rng.uniform(0.3, 2.0))
        finally:
            server.resume()

    return {"database killed": kill, "database paused": pause}


async def _answers(chain: Localnet) -> bool:
    try:
        return bool(chain.anvil_pid) and await chain.node.block_number() > 0
    except _AWAY:
        return False
