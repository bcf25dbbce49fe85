"""`gridweave bond`: money that answers for a relayer's acknowledgements."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from gridweave.cli.terminal import (
    DEFAULT_URL,
    AsJson,
    KeyName,
    KeystoreFolder,
    NoWait,
    PasswordFile,
    ServiceUrl,
    at_time,
    emit,
    finish,
    open_wallet,
    out,
    resolve_address,
    speaking,
    table,
)
from gridweave.client.service import GridweaveClient
from gridweave.client.sponsor import Sponsor
from gridweave.domain.units import format_amount, parse_amount_micro

__all__ = ["register"]

Amount = Annotated[str, typer.Argument(help="A decimal number of the currency: 25")]
Relayer = Annotated[
    str | None,
    typer.Option("--relayer", help="Whose acknowledgements: an address or a key's name. [default: the service's]"),
]
_HOUR = 3_600


def register(app: typer.Typer) -> None:
    """Adds the commands to `app`."""
    bond = typer.Typer(
        help="Put money down for a relayer: an order that it acknowledged and left is compensated out of it.",
        no_args_is_help=True,
    )
    bond.command("post")(post)
    bond.command("unbond")(unbond)
    bond.command("redeem")(redeem)
    bond.command("show")(show)
    app.add_typer(bond, name="bond")


def post(
    amount: Amount,
    key: KeyName,
    relayer: Relayer = None,
    url: ServiceUrl = DEFAULT_URL,
    keystore: KeystoreFolder = None,
    password_file: PasswordFile = None,
    no_wait: NoWait = False,
    as_json: AsJson = False,
) -> None:
    """Put part of the key's account down. From then on the service's acknowledgements name the largest sponsor.

    Example: gridweave bond post 25 --key utility
    """
    with speaking(as_json), GridweaveClient(url) as client:
        micro = parse_amount_micro(amount)
        item = _sponsor(client, key, keystore, password_file, relayer).post(micro, client.chain_time() + _HOUR)
        finish(client, item.id, f"bond of {format_amount(micro)}", wait=not no_wait, as_json=as_json)


def unbond(
    amount: Amount,
    key: KeyName,
    relayer: Relayer = None,
    url: ServiceUrl = DEFAULT_URL,
    keystore: KeystoreFolder = None,
    password_file: PasswordFile = None,
    no_wait: NoWait = False,
    as_json: AsJson = False,
) -> None:
    """Begin to take money out: it answers for claims for another week at least, then it can be redeemed.

    All that leaves waits anew, what was leaving before included.

    Example: gridweave bond unbond 10 --key utility
    """
    with speaking(as_json), GridweaveClient(url) as client:
        micro = parse_amount_micro(amount)
        item = _sponsor(client, key, keystore, password_file, relayer).unbond(micro, client.chain_time() + _HOUR)
        finish(client, item.id, f"{format_amount(micro)} on its way out", wait=not no_wait, as_json=as_json)


def redeem(
    key: KeyName,
    relayer: Relayer = None,
    url: ServiceUrl = DEFAULT_URL,
    keystore: KeystoreFolder = None,
    password_file: PasswordFile = None,
    no_wait: NoWait = False,
    as_json: AsJson = False,
) -> None:
    """Have what has left the bond paid to the key's account.

    Example: gridweave bond redeem --key utility
    """
    with speaking(as_json), GridweaveClient(url) as client:
        item = _sponsor(client, key, keystore, password_file, relayer).redeem()
        finish(client, item.id, "redeemed bond", wait=not no_wait, as_json=as_json)


def show(
    relayer: Relayer = None,
    url: ServiceUrl = DEFAULT_URL,
    keystore: KeystoreFolder = None,
    as_json: AsJson = False,
) -> None:
    """Show who answers for a relayer's acknowledgements, with how much, and what was paid for orders that it left.

    Example: gridweave bond show
    """
    with speaking(as_json), GridweaveClient(url) as client:
        state = client.get("/v1/bonds", relayer=_address(relayer, keystore))
        paid = client.compensations(state["relayer"])
        if as_json:
            emit({**state, "compensations": paid})
            return
        out.print(f"relayer {state['relayer']}", highlight=False)
        each = format_amount(state["compensationMicro"])
        out.print(f"an order that it acknowledges and leaves is compensated with {each}", highlight=False)
        rows = [_row(bond, state["sponsor"]) for bond in state["bonds"]]
        columns = [("sponsor", "left"), ("bond", "right"), ("leaving", "right"), ("redeemable from", "left"), ("", "")]
        out.print(table("", columns, rows) if rows else "Nobody answers for it yet: gridweave bond post AMOUNT")
        if paid:
            total = format_amount(sum(int(row["amountMicro"]) for row in paid))
            out.print(f"orders compensated so far: {len(paid)}, with {total}", highlight=False)


def _sponsor(
    client: GridweaveClient, key: str, keystore: Path | None, password_file: Path | None, relayer: str | None
) -> Sponsor:
    """Raises WrongUse, KeystoreError."""
    return Sponsor(client, open_wallet(key, keystore, password_file), _address(relayer, keystore))


def _address(relayer: str | None, keystore: Path | None) -> str | None:
    """Raises WrongUse, KeystoreError."""
    return None if relayer is None else resolve_address(relayer, keystore)


def _row(bond: dict[str, Any], named: str | None) -> tuple[str, ...]:
    at = bond["redeemableAt"]
    return (
        bond["sponsor"],
        format_amount(bond["bondMicro"]),
        format_amount(bond["leavingMicro"]),
        at_time(int(at)) if at else "",
        "named in acknowledgements" if bond["sponsor"] == named else "",
    )
