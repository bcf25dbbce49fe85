"""`gridweave index`: the projections, thrown away and built again from the chain."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any

import typer

from gridweave.chain import Node
from gridweave.cli.deploy import speaking_of_chains
from gridweave.cli.options import DataDir, NodeUrl, Record
from gridweave.cli.terminal import REFUSED, AsJson, emit, fail, out, table
from gridweave.services.belonging import WrongChain, check_chain, follower_of, load_deployment
from gridweave.services.settings import Settings, SettingsInvalid
from gridweave.services.stores import Stores
from gridweave.store.backend import file_of
from gridweave.store.database import Database, Kind
from gridweave.store.errors import StoreBusy, StoreMismatch, StoreUnavailable
from gridweave.store.index import IndexStore

__all__ = ["register"]

Work = Callable[[Settings], Coroutine[Any, Any, dict[str, Any]]]


def register(app: typer.Typer) -> None:
    """Adds the commands to `app`."""
    commands = typer.Typer(no_args_is_help=True)
    commands.command("rebuild")(rebuild_command)
    commands.command("digest")(digest_command)
    app.add_typer(commands, name="index", help="Rebuild the service's projections from the chain.")


def rebuild_command(
    rpc: NodeUrl = None, deployment: Record = None, data_dir: DataDir = None, as_json: AsJson = False
) -> None:
    """Throw the projections away and build the same rows again from the chain. Stop the service first.

    Example: gridweave index rebuild --deployment var/up/deployment.json --data-dir var/up/service
    """
    _run(_rebuild, rpc, deployment, data_dir, as_json)


def digest_command(
    rpc: NodeUrl = None, deployment: Record = None, data_dir: DataDir = None, as_json: AsJson = False
) -> None:
    """Print one hash over every projected row: two indexes of the same chain have the same."""
    _run(_digest, rpc, deployment, data_dir, as_json)


def _run(work: Work, rpc: str | None, deployment: Path | None, data_dir: Path | None, as_json: bool) -> None:
    with speaking_of_chains(as_json):
        try:
            settings = Settings.from_env(rpc_url=rpc, deployment=deployment, data_dir=data_dir)
            report = asyncio.run(work(settings))
        except (SettingsInvalid, WrongChain, StoreBusy, StoreMismatch, StoreUnavailable) as fault:
            fail(type(fault).__name__, str(fault), REFUSED, as_json)
    if as_json:
        emit(report)
        return
    rows = [(name, f"{count:,}") for name, count in report["rows"].items() if count]
    out.print(table("Projected rows", (("table", "left"), ("rows", "right")), rows))
    out.print(f"{report['blocks']:,} blocks in {report['seconds']} s, digest {report['digest']}", highlight=False)


def _check_there(settings: Settings) -> None:
    """Raises SettingsInvalid where an index kept in a file has none."""
    file = file_of(settings.index_url)
    if file is not None and not file.is_file():
        raise SettingsInvalid(f"there is no index here ({file}): name its folder with --data-dir, as in var/up/service")


async def _rebuild(settings: Settings) -> dict[str, Any]:
    deployment = load_deployment(settings)
    stores = await _alone(settings)
    started = time.monotonic()
    try:
        async with Node(settings.rpc_url, timeout=60.0) as node:
            await check_chain(node, deployment)
            index = IndexStore(stores.index)
            await index.drop()
            blocks = await (await follower_of(deployment, node, index)).catch_up()
            return await _report(index, blocks, started)
    finally:
        await stores.close()


async def _alone(settings: Settings) -> Stores:
    """The databases, while nobody else works with them. Raises StoreBusy, StoreUnavailable, SettingsInvalid."""
    try:
        return await Stores.open(settings)
    except StoreBusy as busy:
        raise StoreBusy("a service or keeper works with this outbox and its index: stop it first") from busy


async def _digest(settings: Settings) -> dict[str, Any]:
    _check_there(settings)
    database = Database(Kind.INDEX, settings.index_url)
    try:
        with contextlib.suppress(StoreBusy):  # then whoever writes it has brought it to the newest schema
            await database.migrate()
        return await _report(IndexStore(database), 0, time.monotonic())
    finally:
        await database.close()


async def _report(index: IndexStore, blocks: int, started: float) -> dict[str, Any]:
    rows = await index.counts()
    spent = round(time.monotonic() - started, 2)
    head = await index.head()
    place = {"blockNumber": head.number if head else None, "blockHash": head.hash if head else None}
    return {"blocks": blocks or rows["blocks"], "seconds": spent, "digest": await index.digest(), "rows": rows} | place
