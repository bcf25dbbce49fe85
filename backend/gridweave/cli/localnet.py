"""`gridweave localnet`: the supervised local chain alone, contracts deployed, without the service."""

from __future__ import annotations

import asyncio
import signal
from pathlib import Path
from typing import Annotated

import typer

from gridweave.cli.deploy import speaking_of_chains
from gridweave.cli.terminal import REFUSED, fail, out
from gridweave.localnet import Clock, Localnet, LocalnetError, localnet

__all__ = ["DEFAULT_HOME", "register"]

DEFAULT_HOME = Path("var/up")


def register(app: typer.Typer) -> None:
    """Adds the command to `app`."""
    app.command("localnet")(localnet_command)


def localnet_command(
    home: Annotated[Path, typer.Option(help="The chain's folder, made if it is not there.")] = DEFAULT_HOME,
    port: Annotated[int, typer.Option(help="Port of the node; 0 takes a free one and keeps it.")] = 0,
    clock: Annotated[Clock, typer.Option(help="real: a block a second; manual: blocks when asked for.")] = Clock.REAL,
    block_seconds: Annotated[float, typer.Option(help="Seconds between blocks of the real clock.")] = 1.0,
    snapshot_seconds: Annotated[float, typer.Option(help="Seconds between snapshots, at least.")] = 5.0,
    slot_length: Annotated[
        int | None, typer.Option(help="Seconds per slot, for good. [default: as the chain was begun, at first 900]")
    ] = None,
    contracts: Annotated[bool, typer.Option("--contracts/--no-contracts", help="Deploy the contracts.")] = True,
) -> None:
    """Run a local chain until interrupted. Start it again and it goes on from its newest snapshot.

    Example: gridweave localnet --home var/dev --port 8545
    """

    async def run() -> None:
        async with localnet(
            home, clock=clock, port=port, block_seconds=block_seconds, snapshot_seconds=snapshot_seconds
        ) as chain:
            if contracts:
                await chain.deploy(slot_length=slot_length, tell=lambda line: out.print(line, highlight=False))
            out.print(f"chain {chain.chain_id} at {chain.url}, folder {chain.home.path}", highlight=False)
            await until_interrupted(chain)

    with speaking_of_chains(as_json=False):
        try:
            asyncio.run(run())
        except LocalnetError as fault:
            fail(type(fault).__name__, str(fault), REFUSED)


async def until_interrupted(chain: Localnet) -> None:
    """Returns on SIGINT or SIGTERM; LocalnetError if the node cannot be kept up."""
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stop.set)
    waits = [asyncio.create_task(chain.ended()), asyncio.create_task(stop.wait())]
    try:
        done, _ = await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
        for task in done:
            task.result()
    finally:
        for task in waits:
            task.cancel()
