"""`gridweave restore`: puts a backup back, for a service to go on from."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from gridweave.cli.backup import show_manifest
from gridweave.cli.terminal import REFUSED, UNAVAILABLE, AsJson, emit, fail, out
from gridweave.services.backup import BackupRefused, restore
from gridweave.store.errors import StoreUnavailable

__all__ = ["register"]


def register(app: typer.Typer) -> None:
    """Adds the command to `app`."""
    app.command("restore")(restore_command)


def restore_command(
    file: Annotated[Path, typer.Argument(help="The backup.")],
    data_dir: Annotated[Path, typer.Option("--data-dir", help="Folder to put it into; it may hold no outbox yet.")],
    as_json: AsJson = False,
) -> None:
    """Put a backup into a folder. The service that starts there first looks up what the chain did since.

    Requests that were acknowledged after the backup was taken are not in it: the chain has those that arrived, and the
    others are lost to this service, so their senders must send them again. Never run the old service beside it.

    Example: gridweave restore today.backup --data-dir service
    """
    try:
        manifest = restore(file, data_dir)
    except (BackupRefused, OSError) as fault:
        fail(type(fault).__name__, str(fault), REFUSED, as_json)
    except StoreUnavailable as fault:
        fail("StoreUnavailable", str(fault), UNAVAILABLE, as_json)
    if as_json:
        emit(asdict(manifest) | {"dataDir": str(data_dir)})
        return
    show_manifest(f"Restored into {data_dir}", manifest)
    key = "--keystore" if "relayer.json" in manifest.files else "--key-file"
    name = "relayer.json" if key == "--keystore" else "relayer.key"
    place = data_dir / name if name in manifest.files else "the relayer's own"
    options = f"--data-dir {data_dir} --deployment {data_dir / 'deployment.json'} {key} {place}"
    out.print(f"Start it with: gridweave serve {options}", highlight=False, soft_wrap=True)
    out.print("What was acknowledged after this backup is not in it; its senders must send it again.", style="yellow")
