"""`gridweave vtn`: who may speak with the OpenADR VTN of a service."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Annotated

import typer

from gridweave.cli.options import DataDir
from gridweave.cli.terminal import REFUSED, AsJson, emit, fail, out, table
from gridweave.services.settings import Settings, SettingsInvalid
from gridweave.services.vtn.clients import ClientRefused, Clients, ClientsUnreadable, Role
from gridweave.services.vtn.vtn import clients_of

__all__ = ["register"]

ClientId = Annotated[str, typer.Argument(metavar="ID", help="The client id.")]


def register(app: typer.Typer) -> None:
    """Adds the commands to `app`."""
    client = typer.Typer(help="Add, list and remove the VTN's clients.", no_args_is_help=True)
    client.command("add")(add)
    client.command("list")(list_clients)
    client.command("remove")(remove)
    vtn = typer.Typer(help="Say who may speak with the service's OpenADR 3.1 VTN.", no_args_is_help=True)
    vtn.add_typer(client, name="client")
    app.add_typer(vtn, name="vtn")


def add(
    id_: ClientId,
    role: Annotated[Role, typer.Option(help="Business logic (bl) sees everything and calls events; a ven answers.")],
    ven_name: Annotated[str | None, typer.Option(help="The one name by which this VEN may enrol.")] = None,
    data_dir: DataDir = None,
    as_json: AsJson = False,
) -> None:
    """Add a client and print its secret, which is kept nowhere. A service that runs knows it a second later.

    Example: gridweave vtn client add bakery --role ven --ven-name BAKERY-1
    """
    with _clients(data_dir, as_json) as clients:
        secret = clients.add(id_, role, ven_name)
    if as_json:
        emit({"clientId": id_, "clientSecret": secret, "role": role.value, "venName": ven_name})
        return
    out.print(f"client id      {id_}", highlight=False)
    out.print(f"client secret  {secret}", highlight=False, soft_wrap=True)
    out.print("Give both to the client; the secret cannot be shown again.", style="dim")


def list_clients(data_dir: DataDir = None, as_json: AsJson = False) -> None:
    """List every client, without secrets."""
    with _clients(data_dir, as_json) as clients:
        found, file = clients.all(), clients.file
    if as_json:
        emit([{"clientId": client.id, "role": client.role.value, "venName": client.ven_name} for client in found])
    elif found:
        rows = [(client.id, client.role.value, client.ven_name or "") for client in found]
        out.print(table(str(file), [("client id", "left"), ("role", "left"), ("VEN name", "left")], rows))
    else:
        out.print(f"No client in {file} yet. Add one with: gridweave vtn client add ID --role ven", highlight=False)


def remove(id_: ClientId, data_dir: DataDir = None, as_json: AsJson = False) -> None:
    """Remove a client: its tokens end within a second. What it made stays, for business logic to delete."""
    with _clients(data_dir, as_json) as clients:
        clients.remove(id_)
    if as_json:
        emit({"removed": id_})
    else:
        out.print(f"{id_} is no client any more", highlight=False)


@contextmanager
def _clients(data_dir: DataDir, as_json: bool) -> Iterator[Clients]:
    """The file of clients; turns what goes wrong into one message."""
    try:
        yield clients_of(Settings.from_env(data_dir=data_dir))
    except (ClientRefused, ClientsUnreadable, SettingsInvalid) as fault:
        fail(type(fault).__name__, str(fault), REFUSED, as_json)
    except OSError as fault:
        fail("ClientsUnreadable", f"the file of clients cannot be written: {fault}", REFUSED, as_json)
