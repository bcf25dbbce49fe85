"""The command line `gridweave ...`.

A command lives in a module of its own, `gridweave/cli/<name>.py`, which offers `register(app: typer.Typer) -> None` and
adds the command (or sub-app) of that name to `app`. A module is imported only when its command runs, so `--help` stays
fast: the line that the overview shows stands in `COMMANDS` below.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from importlib import import_module
from importlib.metadata import version
from importlib.util import find_spec
from typing import Annotated, Any

import typer
from typer.core import TyperCommand, TyperGroup
from typer.main import get_command

from gridweave import API_VERSIONS

__all__ = ["COMMANDS", "app", "main"]

COMMANDS: dict[str, str] = {
    "up": "Start a chain, deploy to it and serve, all in one; goes on where it stopped.",
    "serve": "Serve the REST API over a chain that carries the contracts.",
    "keep": "Clear, settle and close what is due, without a service.",
    "backup": "Back up outbox, keystore and deployment record, while the service runs.",
    "restore": "Put a backup back, for a service to go on from.",
    "relayer": "Give the service another key that pays gas and acknowledges.",
    "deploy": "Deploy the contracts to a chain, or say what is missing.",
    "networks": "Show the networks known by name; write a Besu QBFT network.",
    "localnet": "Run the supervised local chain alone.",
    "index": "Rebuild the service's projections from the chain.",
    "audit": "Recompute prices, payments, telemetry and firmware from the chain alone.",
    "history": "Query and export every event of every contract.",
    "prove": "Walk a payment back to its maker, each step checkable.",
    "keys": "Create, list and show keys in the encrypted keystore.",
    "account": "Deposit, withdraw, show balances.",
    "bond": "Put money down for a relayer's acknowledgements, take it out, show it.",
    "order": "Place, cancel and show orders; show a slot's book.",
    "meter": "Register a meter, submit and show readings.",
    "device": "Enrol devices and show them.",
    "gateway": "Take devices' telemetry in, seal it and have it anchored.",
    "vtn": "Say who may speak with the service's OpenADR 3.1 VTN.",
    "asset": "Register assets, report their states, find the one that under-delivers.",
    "telemetry": "Open streams, read, prove, share and erase what devices measure.",
    "firmware": "Release firmware by M of N keys, watch its rollout; make and check bundles.",
    "market": "Create and change markets; show prices, balances and arrears.",
    "bill": "Show a bill line by line.",
    "clear-book": "Clear a book of orders on the real contract: what if.",
    "demo": "Live one real day of a street or a neighbourhood.",
}


class LazyGroup(TyperGroup):
    """Lists every command from `COMMANDS`; imports a command's module only to run it."""

    def list_commands(self, ctx: Any) -> list[str]:  # noqa: ARG002 - the base class names it
        return [name for name in COMMANDS if find_spec(_module_of(name)) is not None]

    def get_command(self, ctx: Any, cmd_name: str) -> Any:
        if cmd_name not in self.list_commands(ctx):
            return None
        return TyperCommand(cmd_name, help=COMMANDS[cmd_name])

    def resolve_command(self, ctx: Any, args: list[str]) -> Any:
        name, stub, rest = super().resolve_command(ctx, args)
        return name, _load(ctx, str(name)) if stub else None, rest


def _module_of(command: str) -> str:
    return f"{__name__}.{command.replace('-', '_')}"


def _load(ctx: Any, command: str) -> Any:
    part = typer.Typer(callback=lambda: None)
    import_module(_module_of(command)).register(part)
    group: Any = get_command(part)
    return group.get_command(ctx, command)


app = typer.Typer(
    cls=LazyGroup,
    name="gridweave",
    help="Trade power with strangers, and prove every payment.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)


def _show_version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"gridweave {version('gridweave')} (API {', '.join(API_VERSIONS)})")
        raise typer.Exit


@app.callback()
def _root(
    _: Annotated[
        bool, typer.Option("--version", callback=_show_version, is_eager=True, help="Show the version and exit.")
    ] = False,
) -> None:
    """Trade power with strangers, and prove every payment."""


def main(argv: Sequence[str] | None = None) -> None:
    """Runs one command line; `argv` without the program's name, by default the process's own. Exits with its code."""
    app(args=list(sys.argv[1:] if argv is None else argv), prog_name="gridweave")
