"""Ganache as a chain for a town: a process of its own on a port of its own, which makes blocks only when told to."""

from __future__ import annotations

import asyncio
import subprocess
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path

from gridweave.chain import Block, Call, NetworkProfile, Node, NodeUnavailable, find_network
from gridweave.deployment import Deployment
from gridweave.localnet import DevKeys, free_port
from gridweave.localnet.home import Home
from gridweave.localnet.supervisor import FUNDS
from tests.support.chains import deploy_on

PROGRAM = Path(__file__).parents[2] / "node_modules/ganache/dist/node/cli.js"
CHAIN_ID = 4_711
_STARTS_WITHIN = 60.0


class Ganache:
    """Ganache in the folder `path`: its keys, its log and its database, which outlives every kill."""

    def __init__(self, path: Path, genesis_time: int) -> None:
        self.home = Home(path)
        self.keys = DevKeys.load_or_draw(self.home.keys)
        self.chain_id = CHAIN_ID
        self._port = free_port()
        self.url = f"http://127.0.0.1:{self._port}"
        self.node = Node(self.url, timeout=60.0)
        self._genesis_time = genesis_time
        self._process: asyncio.subprocess.Process | None = None

    @property
    def pid(self) -> int:
        """Process id of the node, 0 while there is none."""
        return self._process.pid if self._process is not None and self._process.returncode is None else 0

    async def start(self) -> None:
        """Starts it, on the database that is there, and takes the making of blocks out of its hands."""
        log = (self.home.path / "ganache.log").open("ab")
        try:
            self._process = await asyncio.create_subprocess_exec(
                "node", str(PROGRAM), *self._arguments(), stdin=subprocess.DEVNULL, stdout=log, stderr=log
            )
        finally:
            log.close()
        await self._answers()
        await self.node.request("miner_stop")

    async def kill(self) -> None:
        """kill -9, wherever it is."""
        if self._process is not None and self._process.returncode is None:
            self._process.kill()
            await self._process.wait()

    def _arguments(self) -> list[str]:
        accounts = [f"--wallet.accounts=0x{self.keys[role].secret.hex()},{hex(FUNDS)}" for role in self.keys.addresses]
        return [
            f"--server.port={self._port}",
            "--server.host=127.0.0.1",
            f"--chain.chainId={CHAIN_ID}",
            "--chain.hardfork=merge",
            f"--chain.time={datetime.fromtimestamp(self._genesis_time, UTC).isoformat()}",
            f"--database.dbPath={self.home.path / 'database'}",
            *accounts,
        ]

    async def _answers(self) -> None:
        async with asyncio.timeout(_STARTS_WITHIN):
            while True:
                try:
                    await self.node.chain_id()
                except NodeUnavailable:
                    await asyncio.sleep(0.1)
                else:
                    return

    def profile(self) -> NetworkProfile:
        return find_network("ganache").profile(self.chain_id)

    async def mine(self, timestamp: int | None = None) -> Block:
        last = (await self.node.head()).timestamp
        await self.node.request("evm_mine", max(last, timestamp or last + 1))
        return await self.node.head()

    async def deploy(self, *, slot_length: int = 900) -> Deployment:
        return await deploy_on(self, slot_length)

    async def spend_first_nonces(self) -> None:
        """Ganache takes the nonce 0 for none at all and gives such a transaction the next one, however often it is
        sent: so nobody's first transaction is one that may be sent again.
        """
        fees = self.profile().fees((await self.node.head()).base_fee)
        for role, address in self.keys.addresses.items():
            nothing = Call(address, b"")
            signed = self.keys[role].sign(nothing, nonce=0, fees=fees, chain_id=self.chain_id, gas=21_000)
            await self.node.send_raw(signed.raw)
        await self.mine()


@asynccontextmanager
async def ganache(path: Path, genesis_time: int) -> AsyncIterator[Ganache]:
    """A running Ganache at the level of Paris in the folder `path`, for the length of a block."""
    chain = Ganache(path, genesis_time)
    try:
        await chain.start()
        await chain.spend_first_nonces()
        yield chain
    finally:
        await chain.node.aclose()
        await chain.kill()
