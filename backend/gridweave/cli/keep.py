"""`gridweave keep`: a keeper of its own, without a service: clears, settles and closes what is due."""

from __future__ import annotations

import asyncio
import signal
from pathlib import Path
from typing import Annotated

import typer

from gridweave.cli.options import Network, Networks, NodeUrl, PasswordFile, Record
from gridweave.cli.serve import NotStarted, check_given, speaking_of_starting
from gridweave.cli.terminal import out
from gridweave.outbox.kinds import Kind
from gridweave.services.runtime import Runtime
from gridweave.services.settings import Settings

__all__ = ["register"]

_LOOK_S = 1.0
_DOES = {Kind.CLEAR: "slots cleared", Kind.DEFAULT: "meters settled without a reading"}


def register(app: typer.Typer) -> None:
    """Adds the command to `app`."""
    app.command("keep")(keep)


def keep(
    rpc: NodeUrl = None,
    deployment: Record = None,
    folder: Annotated[Path, typer.Option("--data-dir", help="Folder of its own outbox and index.")] = Path("keeper"),
    key_file: Annotated[Path | None, typer.Option(help="Key that pays the gas, in hex; local chains only.")] = None,
    keystore: Annotated[Path | None, typer.Option(help="Encrypted keystore file (v3) of that key.")] = None,
    password_file: PasswordFile = None,
    network: Network = None,
    networks: Networks = None,
    silent: Annotated[
        bool, typer.Option("--silent/--traded-only", help="Settle silent meters without orders, too.")
    ] = True,
    once: Annotated[bool, typer.Option("--once", help="End once nothing is due.")] = False,
) -> None:
    """Clear slots past their gate, settle silent meters past their deadline, and so close slots, until interrupted.

    Anyone may run one, with a key and a folder of its own. Several do each other no harm, and one that was killed goes
    on where it stopped: what is done already is refused by the contract.

    Example: gridweave keep --rpc http://127.0.0.1:8545 --deployment deployment.json --keystore keeper.json
    """
    with speaking_of_starting():
        settings = Settings.from_env(
            rpc_url=rpc,
            deployment=deployment,
            data_dir=folder,
            outbox_url=f"sqlite+aiosqlite:///{folder}/outbox.db",
            index_url=f"sqlite+aiosqlite:///{folder}/index.db",
            relayer_key_file=key_file,
            relayer_keystore=keystore,
            relayer_password_file=password_file,
            network=network,
            networks=networks,
            keeper=True,
            keeper_silent_meters=silent,
        )
        check_given(settings)
        asyncio.run(_keep(settings, once=once))


def _tell_end(given_up: int) -> None:
    """Raises NotStarted if something is due that cannot be done."""
    if given_up:
        raise NotStarted(f"what is due is refused each time ({given_up} clearings or settlements): run it again later")
    out.print("nothing is due", highlight=False)


async def _keep(settings: Settings, *, once: bool) -> None:
    runtime = await Runtime.open(settings)
    stopped = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stopped.set)
    try:
        await runtime.start()
        told: dict[str, int] | None = None
        while not stopped.is_set():
            done = await runtime.world.outbox.done((Kind.CLEAR, Kind.DEFAULT))
            if done != told and runtime.world.heads.block is not None:
                told = done
                said = ", ".join(f"{done.get(kind, 0)} {what}" for kind, what in _DOES.items())
                out.print(f"block {runtime.world.heads.number}: {said}", highlight=False)
            if once and await runtime.has_nothing_due():
                _tell_end(runtime.given_up)
                return
            if runtime.has_stopped:
                raise NotStarted("a background task has stopped; run it again")
            try:
                await asyncio.wait_for(stopped.wait(), _LOOK_S)
            except TimeoutError:
                continue
    finally:
        await runtime.close()
