"""Options of the commands that work with a service's settings; what is not given, its GRIDWEAVE_* variable says."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

__all__ = ["DataDir", "KeyFile", "Keystore", "Network", "Networks", "NodeUrl", "PasswordFile", "Record"]

NodeUrl = Annotated[str | None, typer.Option("--rpc", help="The node's JSON-RPC address.")]
Network = Annotated[str | None, typer.Option("--network", help="The network's name: see `gridweave networks`.")]
Networks = Annotated[Path | None, typer.Option("--networks", help="File that describes more networks.")]
Record = Annotated[Path | None, typer.Option("--deployment", help="The deployment record.")]
DataDir = Annotated[Path | None, typer.Option("--data-dir", help="Folder of the outbox and the index.")]
KeyFile = Annotated[Path | None, typer.Option("--key-file", help="The relayer's key in hex: for local chains only.")]
Keystore = Annotated[Path | None, typer.Option("--keystore", help="The relayer's encrypted keystore file (v3).")]
PasswordFile = Annotated[Path | None, typer.Option("--password-file", help="File with the keystore's password.")]
