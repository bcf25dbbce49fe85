"""`gridweave backup`: outbox, keystore, deployment record and settings in one file, while the service runs."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from gridweave.cli.options import DataDir, KeyFile, Keystore, Record
from gridweave.cli.terminal import REFUSED, UNAVAILABLE, AsJson, emit, fail, out, table
from gridweave.services.backup import BackupRefused, KeyChoice, Manifest, back_up
from gridweave.services.settings import Settings, SettingsInvalid
from gridweave.store.errors import StoreUnavailable

__all__ = ["register", "show_manifest"]


def register(app: typer.Typer) -> None:
    """Adds the command to `app`."""
    app.command("backup")(backup_command)


def backup_command(
    file: Annotated[Path, typer.Argument(help="Where to write it; what stands there is replaced.")],
    deployment: Record = None,
    data_dir: DataDir = None,
    keystore: Keystore = None,
    key_file: KeyFile = None,
    key: Annotated[
        KeyChoice, typer.Option(help="Take the key if it is encrypted, a plain one as well, or none.")
    ] = KeyChoice.ENCRYPTED,
    as_json: AsJson = False,
) -> None:
    """Back up what a service cannot get again. The service may run meanwhile; passwords are never in the file.

    What is acknowledged after the backup is not in it: take one as often as you can bear to lose.

    Example: gridweave backup today.backup --data-dir service --deployment deployment.json --keystore relayer.json
    """
    try:
        settings = Settings.from_env(
            deployment=deployment, data_dir=data_dir, relayer_keystore=keystore, relayer_key_file=key_file
        )
        manifest = back_up(settings, file, key)
    except (BackupRefused, SettingsInvalid) as fault:
        fail(type(fault).__name__, str(fault), REFUSED, as_json)
    except StoreUnavailable as fault:
        fail("StoreUnavailable", str(fault), UNAVAILABLE, as_json)
    if as_json:
        emit(asdict(manifest) | {"file": str(file)})
        return
    show_manifest(f"Backed up to {file}", manifest)
    if "relayer.key" in manifest.files:
        out.print("It holds the relayer's key in the clear: keep it as you keep the key.", style="yellow")


def show_manifest(title: str, manifest: Manifest) -> None:
    """What a backup holds, as a table."""
    rows = [
        ("taken", manifest.created_at),
        ("chain", manifest.chain),
        ("relayer", manifest.relayer),
        ("acknowledged so far", f"{manifest.accepted:,}"),
        ("of them not final yet", f"{manifest.pending:,}"),
        ("files", ", ".join(sorted(manifest.files))),
    ]
    out.print(table(title, (("what", "left"), ("", "left")), rows))
