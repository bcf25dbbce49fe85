"""`gridweave prove`: one payment from the chain alone, each step with how a stranger checks it."""

from __future__ import annotations

import asyncio
from typing import Annotated

import typer

from gridweave.audit import AddressBook, PaymentUnclear, Walk, find_payment, walk
from gridweave.chain import Node
from gridweave.cli.audit import DEFAULT_RECORD, DEFAULT_RPC, Record, Rpc, book_of, speaking_of_audits, tell_walk
from gridweave.cli.terminal import WRONG_USE, AsJson, fail

__all__ = ["register"]


def register(app: typer.Typer) -> None:
    """Adds the commands to `app`."""
    group = typer.Typer(help="Walk a payment back to its maker, each step checkable.", no_args_is_help=True)
    group.callback()(lambda: None)
    group.command("payment")(payment)
    app.add_typer(group, name="prove")


def payment(
    named: Annotated[
        str,
        typer.Argument(metavar="ID", help="METER:SLOT, TRANSACTION:LOG of a history row, or an order's id."),
    ],
    rpc: Rpc = DEFAULT_RPC,
    deployment: Record = DEFAULT_RECORD,
    as_json: AsJson = False,
) -> None:
    """Walk a payment back: payment, price, orders, reading, device key, maker. It needs a node and the addresses alone.

    Exit code 0: every step holds. 1: one does not. 2: there is no such payment, or the node cannot be asked.

    Example: gridweave prove payment 3:1977780 --deployment var/up/deployment.json
    """
    with speaking_of_audits(as_json):
        try:
            way = asyncio.run(_prove(rpc, book_of(deployment), named))
        except PaymentUnclear as fault:
            fail("PaymentUnclear", str(fault), WRONG_USE, as_json)
    tell_walk(way, as_json=as_json)


async def _prove(rpc: str, book: AddressBook, named: str) -> Walk:
    async with Node(rpc, timeout=60.0) as node:
        return await walk(node, book, *await find_payment(node, book, named))
