"""`gridweave relayer`: the one key of the service, and another in its place."""

from __future__ import annotations

import asyncio
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from gridweave.chain import load_signer
from gridweave.cli.deploy import speaking_of_chains
from gridweave.cli.options import DataDir, Network, Networks, NodeUrl, Record
from gridweave.cli.serve import check_given, speaking_of_starting
from gridweave.cli.terminal import REFUSED, UNAVAILABLE, AsJson, emit, errors, fail, out
from gridweave.services.rotation import RotationRefused, rotate
from gridweave.services.settings import Settings

__all__ = ["register"]


def register(app: typer.Typer) -> None:
    """Adds the commands to `app`."""
    relayer = typer.Typer(help="Give the service another key that pays gas and acknowledges.", no_args_is_help=True)
    relayer.callback()(lambda: None)
    relayer.command("rotate")(rotate_command)
    app.add_typer(relayer, name="relayer")


def rotate_command(
    rpc: NodeUrl = None,
    network: Network = None,
    networks: Networks = None,
    deployment: Record = None,
    data_dir: DataDir = None,
    keystore: Annotated[Path | None, typer.Option(help="The old key's encrypted keystore file (v3).")] = None,
    password_file: Annotated[Path | None, typer.Option(help="File with its password.")] = None,
    key_file: Annotated[Path | None, typer.Option(help="The old key in hex: for local chains only.")] = None,
    new_keystore: Annotated[Path | None, typer.Option(help="The new key's encrypted keystore file (v3).")] = None,
    new_password_file: Annotated[Path | None, typer.Option(help="File with its password.")] = None,
    new_key_file: Annotated[Path | None, typer.Option(help="The new key in hex: for local chains only.")] = None,
    as_json: AsJson = False,
) -> None:
    """Put a new key in the relayer's place. Stop the service first; if this is interrupted, run it again.

    It waits until all that the old key sent is final, hands the outbox over, and moves the gas money. Acknowledgements
    of the old key stay valid; a bond answers for one relayer alone, so sponsors post one for the new key.

    Example: gridweave relayer rotate --data-dir service --deployment deployment.json --keystore old.json
    --password-file old.pass --new-keystore new.json --new-password-file new.pass
    """
    with speaking_of_starting(), speaking_of_chains(as_json):
        settings = Settings.from_env(
            rpc_url=rpc,
            network=network,
            networks=networks,
            deployment=deployment,
            data_dir=data_dir,
            relayer_keystore=keystore,
            relayer_password_file=password_file,
            relayer_key_file=key_file,
        )
        check_given(settings)
        new = load_signer(keystore=new_keystore, password_file=new_password_file, key_file=new_key_file)
        try:
            done = asyncio.run(rotate(settings, new, lambda said: errors.print(said, highlight=False, style="dim")))
        except RotationRefused as fault:
            fail("RotationRefused", str(fault), REFUSED, as_json)
        except TimeoutError:
            message = "the gas money is on its way and in no block yet: run the same command again"
            fail("StillUnderWay", message, UNAVAILABLE, as_json)
    if as_json:
        emit(asdict(done))
        return
    out.print(f"The relayer is {done.new} now, no longer {done.old}.", highlight=False)
    out.print("Start the service with the new key, and have each sponsor post a bond for it:", highlight=False)
    out.print(f"  gridweave bond post AMOUNT --key SPONSOR --relayer {done.new}", highlight=False)
