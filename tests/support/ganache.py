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
    """A running Ganache. Made by `ganache`."""

    def __init__(self, home: Home, keys: DevKeys, port: int) -> None:
        self.home, self.keys = home, keys
        self.url = f"http://127.0.0.1:{port}"
        self.chain_id = CHAIN_ID
        self.node = Node(self.url, timeout=60.0)

    def profile(self) -> NetworkProfile:
        return find_network("ganache").profile(self.chain_id)

    async def mine(self, timestamp: int | None = None) -> Block:
        last = (await self.node.head()).timestamp
        await self.node.request("evm_mine", max(last, timestamp or last + 1))
        return await self.node.head()

    async def deploy(self, *, slot_length: int = 900) -> Deployment:
        return await deploy_on(self, slot_length)

    async def answers(self) -> None:
        """Waits for its first answer, then takes the making of blocks out of its hands.

        Ganache takes the nonce 0 for none at all and gives such a transaction the next one, however often it is sent:
        so nobody's first transaction is one that may be sent again.
        """
        async with asyncio.timeout(_STARTS_WITHIN):
            while True:
                try:
                    await self.node.chain_id()
                except NodeUnavailable:
                    await asyncio.sleep(0.1)
                else:
                    break
        await self.node.request("miner_stop")
        fees = self.profile().fees((await self.node.head()).base_fee)
        for role, address in self.keys.addresses.items():
            nothing = Call(address, b"")
            signed = self.keys[role].sign(nothing, nonce=0, fees=fees, chain_id=self.chain_id, gas=21_000)
            await self.node.send_raw(signed.raw)
        await self.mine()


@asynccontextmanager
async def ganache(path: Path, genesis_time: int) -> AsyncIterator[Ganache]:
    """Ganache at the level of Paris, its keys and log in the folder `path`, for the length of a block."""
    home = Home(path)
    chain = Ganache(home, DevKeys.load_or_draw(home.keys), free_port())
    accounts = [f"--wallet.accounts=0x{chain.keys[role].secret.hex()},{hex(FUNDS)}" for role in chain.keys.addresses]
    with (path / "ganache.log").open("wb") as log:
        process = await asyncio.create_subprocess_exec(
            "node",
            str(PROGRAM),
            f"--server.port={chain.url.rpartition(':')[2]}",
            "--server.host=127.0.0.1",
            f"--chain.chainId={CHAIN_ID}",
            "--chain.hardfork=merge",
            f"--chain.time={datetime.fromtimestamp(genesis_time, UTC).isoformat()}",
            *accounts,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
        )
    try:
        await chain.answers()
        yield chain
    finally:
        await chain.node.aclose()
        process.kill()
        await process.wait()
