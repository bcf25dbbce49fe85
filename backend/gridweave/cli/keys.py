"""`gridweave keys`: wallets in an encrypted keystore."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from gridweave.cli.terminal import (
    AsJson,
    KeystoreFolder,
    PasswordFile,
    ask_password,
    emit,
    keystore_at,
    out,
    speaking,
    table,
)
from gridweave.client.wallet import Wallet

__all__ = ["register"]

Name = Annotated[str, typer.Argument(help="What to call the key.")]


def register(app: typer.Typer) -> None:
    """Adds the commands to `app`."""
    keys = typer.Typer(help="Create, list and show keys in the encrypted keystore.", no_args_is_help=True)
    keys.command("new")(new)
    keys.command("list")(list_keys)
    keys.command("show")(show)
    app.add_typer(keys, name="keys")


def new(
    name: Name,
    keystore: KeystoreFolder = None,
    password_file: PasswordFile = None,
    private_key_file: Annotated[
        Path | None, typer.Option(help="Take the key in this file (64 hex digits) instead of a new one.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Make a new key and keep it encrypted.

    Example: gridweave keys new home
    """
    with speaking(as_json):
        folder = keystore_at(keystore)
        password = ask_password(password_file, new=True, of=name)
        wallet = Wallet.from_hex(private_key_file.read_text()) if private_key_file else Wallet.create()
        folder.add_wallet(name, wallet, password)
        if as_json:
            emit({"name": name, "address": wallet.address, "file": str(folder.folder / f"{name}.json")})
            return
        out.print(f"{name}  {wallet.address}", highlight=False)
        out.print("Keep a copy of its file and its password apart: nobody can restore either.", style="dim")


def list_keys(keystore: KeystoreFolder = None, as_json: AsJson = False) -> None:
    """List every key of the keystore. No password is needed."""
    with speaking(as_json):
        folder = keystore_at(keystore)
        found = list(folder)
        if as_json:
            emit([{"name": key.name, "kind": key.kind, "address": key.address} for key in found])
        elif found:
            rows = [(key.name, key.kind, key.address or "") for key in found]
            out.print(table(str(folder.folder), [("name", "left"), ("kind", "left"), ("address", "left")], rows))
        else:
            out.print(f"No key in {folder.folder} yet. Make one with: gridweave keys new NAME", highlight=False)


def show(name: Name, keystore: KeystoreFolder = None, as_json: AsJson = False) -> None:
    """Show a wallet's address and file. The private key is never shown."""
    with speaking(as_json):
        folder = keystore_at(keystore)
        address, path = folder.address_of(name), folder.folder / f"{name}.json"
        if as_json:
            emit({"name": name, "address": address, "file": str(path)})
        else:
            out.print(f"{address}\n{path}", highlight=False)
