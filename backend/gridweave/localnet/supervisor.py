"""The supervised local chain: anvil, a clock, snapshots, and a restart that goes on from the newest whole one."""

from __future__ import annotations

import asyncio
import contextlib
import gzip
import time
import zlib
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from gridweave.chain import Block, NetworkProfile, Node, NodeError, NodeUnavailable, to_hex
from gridweave.deployment import Deployment, DeploymentSettings, deploy
from gridweave.localnet.anvil import Anvil, check_port, end_orphan, free_port, is_free
from gridweave.localnet.errors import LocalnetError
from gridweave.localnet.home import ChainInfo, Clock, Home
from gridweave.localnet.keys import DevKeys
from gridweave.localnet.snapshots import Snapshot, Snapshots, is_whole

__all__ = ["Localnet", "localnet"]

DEFAULT_SLOT_LENGTH = 900
"""Seconds."""

FUNDS = 10**24
"""Wei that every development key has when the chain is created."""

_DUMP_SHARE = 20  # a snapshot takes at most a twentieth of the time
_TICK = 0.05
_RESTARTS_IN_A_ROW = 5
_RESTART_PAUSE = 0.5  # seconds
_DAMAGED = (OSError, EOFError, zlib.error, gzip.BadGzipFile)


@asynccontextmanager
async def localnet(
    path: Path,
    *,
    clock: Clock = Clock.REAL,
    port: int = 0,
    genesis_time: int | None = None,
    block_seconds: float = 1.0,
    snapshot_seconds: float = 5.0,
) -> AsyncIterator[Localnet]:
    """Opens the chain in the folder `path`, creating it if there is none, and supervises it until the block ends.

    `port` 0 keeps the chain's port while it is free, and takes a free one otherwise. `genesis_time` (seconds) counts
    for a new chain only and defaults to now. Blocks come every `block_seconds` with the real clock, on `mine`
    with the manual one; snapshots every `snapshot_seconds`, less often if one takes long. Raises LocalnetBusy,
    AnvilMissing, LocalnetError.
    """
    home = Home(path)
    with home.lock():
        info = _identity(home, clock, port, genesis_time)
        chain = Localnet(home, info, block_seconds, snapshot_seconds)
        try:
            await chain.open()
            yield chain
        finally:
            await chain.close()


class Localnet:
    """A running local chain. Made by `localnet`."""

    def __init__(self, home: Home, info: ChainInfo, block_seconds: float, snapshot_seconds: float) -> None:
        self.home, self.info = home, info
        self.keys = DevKeys.load_or_draw(home.keys)
        self.node = Node(info.url, timeout=60.0)
        self._snapshots = Snapshots(home)
        self._block_seconds, self._snapshot_seconds = block_seconds, snapshot_seconds
        self._between_blocks = asyncio.Lock()
        self._anvil: Anvil | None = None
        self._tasks: list[asyncio.Task[None]] = []
        self._saved = -1

    @property
    def url(self) -> str:
        """Where the node answers JSON-RPC."""
        return self.info.url

    @property
    def chain_id(self) -> int:
        return self.info.chain_id

    @property
    def anvil_pid(self) -> int:
        """Process id of the node, 0 while it is being restarted."""
        return self._anvil.pid if self._anvil and self._anvil.is_alive else 0

    def profile(self) -> NetworkProfile:
        """Chain id, fees and finality of this chain."""
        return self.home.profile()

    async def mine(self, timestamp: int | None = None) -> Block:
        """Makes one block. `timestamp` is never before the last block's.

        It defaults to the wall clock's with the real clock, to a second after the last block with the manual one.
        """
        async with self._between_blocks:
            return await self._mine(timestamp)

    async def reorganise(self, since: int) -> int:
        """Throws out every block from the first at or after time `since` on, but none that is final; how many.

        As many empty ones take their place; what was in them is lost to the chain until somebody sends it again.
        """
        async with self._between_blocks:
            head = await self.node.head()
            recent = await self.node.blocks(range(self._saved + 1, head.number + 1))
            depth = sum(block is not None and block.timestamp >= since for block in recent)
            if depth:
                await self.node.request("anvil_reorg", depth, [])
            return depth

    async def snapshot(self) -> int:
        """Makes what is mined so far final; the number of the last final block. LocalnetError if blocks never pause."""
        for _ in range(50):
            async with self._between_blocks:
                snapshot = await self._take()
            if snapshot is not None:
                return snapshot.block
            await asyncio.sleep(_TICK)
        raise LocalnetError("another process makes blocks without a pause: no snapshot can be taken")

    async def deploy(
        self,
        *,
        slot_length: int | None = None,
        currency: str | None = None,
        tell: Callable[[str], None] | None = None,
    ) -> Deployment:
        """Deploys with the development keys, or finds everything deployed, and makes it final.

        The admin key deploys, governs and mints. Slots last `slot_length` seconds, by default as long as in the record,
        at first DEFAULT_SLOT_LENGTH.
        """
        admin = self.keys["admin"]
        record = self.home.deployment_file
        begun = Deployment.load(record).slot_length if record.exists() else DEFAULT_SLOT_LENGTH
        settings = DeploymentSettings(
            record=record,
            admin=admin.address,
            operators=(self.keys["operator"].address,),
            makers=(self.keys["maker"].address,),
            minters=(admin.address,) if currency is None else (),
            currency=currency,
            slot_length=begun if slot_length is None else slot_length,
        )
        before = await self.node.block_number()
        deployment = await deploy(self.node, admin, settings, profile=self.profile(), mine=self.mine, tell=tell)
        if await self.node.block_number() != before:
            await self.snapshot()
        return deployment

    async def ended(self) -> None:
        """Waits for as long as the chain runs. LocalnetError once its node cannot be kept up."""
        await asyncio.wait(self._tasks, return_when=asyncio.FIRST_COMPLETED)
        for task in self._tasks:
            if task.done():
                task.result()

    async def open(self) -> None:
        """Starts the node and the clock."""
        await self._start_node()
        loops: list[Any] = [self._supervise(), self._keep_snapshots()]
        if self.info.clock is Clock.REAL:
            loops.append(self._follow_wall_clock())
        self._tasks = [asyncio.create_task(loop) for loop in loops]

    async def close(self) -> None:
        """Stops the clock, takes a last snapshot and ends the node."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        if self._anvil is not None:
            with contextlib.suppress(NodeUnavailable, NodeError, LocalnetError):
                await self.snapshot()
            await self._anvil.kill()
        await self.node.aclose()
        end_orphan(self.home)

    async def _start_node(self) -> None:
        snapshots = self._snapshots.all()
        for position, snapshot in enumerate(snapshots):
            if await self._loads(snapshot):
                self._saved = snapshot.block
                for unusable in snapshots[:position]:
                    self._snapshots.set_aside(unusable)
                return
        if snapshots:
            raise LocalnetError(f"no snapshot in {self.home.snapshots} loads; see {self.home.log}")
        await self._start_at_genesis()

    async def _loads(self, snapshot: Snapshot) -> bool:
        unpacked = self.home.snapshots / "loading.json"
        try:
            self._anvil = await Anvil.start(self.home, self.info, self.node, snapshot.unpack(unpacked))
        except (*_DAMAGED, LocalnetError):
            return False
        finally:
            unpacked.unlink(missing_ok=True)
        if not await is_whole(self.node, snapshot):
            await self._anvil.kill()
            return False
        head = await self.node.head()
        await self.node.request("evm_setTime", head.timestamp)
        self._snapshots.mark_final(head)
        return True

    async def _start_at_genesis(self) -> None:
        self._anvil = await Anvil.start(self.home, self.info, self.node)
        genesis = to_hex(await self.node.genesis_hash())
        if self.info.genesis_hash not in ("", genesis):
            raise LocalnetError(f"anvil makes another genesis than {self.home.chain_file} records")
        if not self.info.genesis_hash:
            self.info = ChainInfo(**{**vars(self.info), "genesis_hash": genesis})
            self.home.save(self.info)
        for address in self.keys.addresses.values():
            await self.node.request("anvil_setBalance", address, hex(FUNDS))
        await self._mine(None)
        await self._take()

    async def _mine(self, timestamp: int | None) -> Block:
        last = (await self.node.head()).timestamp
        if timestamp is None:
            timestamp = int(time.time()) if self.info.clock is Clock.REAL else last + 1
        await self.node.request("evm_mine", max(last, timestamp))
        return await self.node.head()

    async def _take(self) -> Snapshot | None:
        snapshot = await self._snapshots.take(self.node)
        if snapshot is not None:
            self._saved = snapshot.block
        return snapshot

    async def _follow_wall_clock(self) -> None:
        while True:
            await asyncio.sleep(self._block_seconds - time.time() % self._block_seconds)
            with contextlib.suppress(NodeUnavailable, NodeError):
                async with self._between_blocks:
                    await self._mine(None)

    async def _keep_snapshots(self) -> None:
        pause = self._snapshot_seconds
        while True:
            await asyncio.sleep(pause)
            started = time.monotonic()
            with contextlib.suppress(NodeUnavailable, NodeError, LocalnetError):
                if await self.node.block_number() != self._saved:
                    await self.snapshot()
            pause = max(self._snapshot_seconds, _DUMP_SHARE * (time.monotonic() - started))

    async def _supervise(self) -> None:
        """Starts the node again when it ends, which is a reorg to the newest snapshot."""
        failures = 0
        while failures < _RESTARTS_IN_A_ROW:
            if self._anvil is not None:
                await self._anvil.wait()
            async with self._between_blocks:
                try:
                    await self._start_node()
                    failures = 0
                except (LocalnetError, NodeUnavailable):
                    failures += 1
                    await asyncio.sleep(_RESTART_PAUSE)
        raise LocalnetError(f"anvil does not stay up; see {self.home.log}")


def _identity(home: Home, clock: Clock, port: int, genesis_time: int | None) -> ChainInfo:
    end_orphan(home)
    if port:
        check_port(port)
    info = home.info()
    if info is None:
        begins = int(time.time()) if genesis_time is None else genesis_time
        return home.create(clock, port or free_port(), begins)
    if info.clock is not clock:
        raise LocalnetError(f"the chain in {home.path} has a {info.clock} clock: name that, or another folder")
    wanted = port or (info.port if is_free(info.port) else free_port())
    return info if wanted == info.port else home.move_port(info, wanted)
