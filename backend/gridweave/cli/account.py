"""`gridweave account`: money in the Vault."""

from __future__ import annotations

import asyncio
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
    WrongUse,
    at_time,
    emit,
    finish,
    open_wallet,
    out,
    resolve_address,
    speaking,
    table,
)
from gridweave.client.prosumer import Prosumer
from gridweave.client.service import GridweaveClient
from gridweave.domain.delegations import NO_ASKS, NO_BIDS, Scope
from gridweave.domain.units import (
    format_amount,
    format_energy_kwh,
    format_price,
    parse_amount_micro,
    parse_energy_wh,
    parse_price_micro,
)

__all__ = ["register"]

Amount = Annotated[str, typer.Argument(help="Amount in the currency, as a decimal number: 25.50")]
_HOUR = 3_600


def register(app: typer.Typer) -> None:
    """Adds the commands to `app`."""
    account = typer.Typer(help="Deposit, withdraw, show balances, let others order.", no_args_is_help=True)
    account.command("show")(show)
    account.command("deposit")(deposit)
    account.command("withdraw")(withdraw)
    account.command("delegate")(delegate)
    account.command("delegations")(delegations)
    account.command("mint")(mint)
    app.add_typer(account, name="account")


def show(
    who: Annotated[str, typer.Argument(help="An address, or a key's name.")],
    url: ServiceUrl = DEFAULT_URL,
    keystore: KeystoreFolder = None,
    as_json: AsJson = False,
) -> None:
    """Show what an account holds, what is held back, and what it owes, and what its orders have locked besides.

    Example: gridweave account show home
    """
    with speaking(as_json), GridweaveClient(url) as client:
        address = resolve_address(who, keystore)
        state = client.account(address)
        if as_json:
            emit(state)
        else:
            out.print(_balances(address, state))


def deposit(
    amount: Amount,
    key: KeyName,
    url: ServiceUrl = DEFAULT_URL,
    keystore: KeystoreFolder = None,
    password_file: PasswordFile = None,
    no_wait: NoWait = False,
    as_json: AsJson = False,
) -> None:
    """Move tokens of the key's address into its account by a signed permit. The service pays the gas.

    Example: gridweave account deposit 25 --key home
    """
    with speaking(as_json), GridweaveClient(url) as client:
        micro = parse_amount_micro(amount)
        person = Prosumer(client, open_wallet(key, keystore, password_file), market=0)
        item = person.deposit(micro, client.chain_time() + _HOUR)
        finish(client, item.id, f"deposit of {format_amount(micro)}", wait=not no_wait, as_json=as_json)


def withdraw(
    amount: Amount,
    key: KeyName,
    to: Annotated[str | None, typer.Option(help="Where the tokens go. [default: the key's own address]")] = None,
    url: ServiceUrl = DEFAULT_URL,
    keystore: KeystoreFolder = None,
    password_file: PasswordFile = None,
    no_wait: NoWait = False,
    as_json: AsJson = False,
) -> None:
    """Send what is withdrawable out of the account, by signature.

    Example: gridweave account withdraw 10.5 --key home
    """
    with speaking(as_json), GridweaveClient(url) as client:
        micro = parse_amount_micro(amount)
        person = Prosumer(client, open_wallet(key, keystore, password_file), market=0)
        item = person.withdraw(to or person.address, micro, client.chain_time() + _HOUR)
        finish(client, item.id, f"withdrawal of {format_amount(micro)}", wait=not no_wait, as_json=as_json)


def mint(
    who: Annotated[str, typer.Argument(help="An address, or a key's name.")],
    amount: Amount,
    home: Annotated[Path, typer.Option(help="Folder of the development chain.")] = Path("var/up"),
    keystore: KeystoreFolder = None,
    as_json: AsJson = False,
) -> None:
    """Issue tokens of the local currency on your own development chain, with its admin's key.

    Example: gridweave account mint home 50
    """
    with speaking(as_json):
        address, micro = resolve_address(who, keystore), parse_amount_micro(amount)
        transaction = asyncio.run(_mint(home, address, micro))
        if as_json:
            emit({"address": address, "amountMicro": micro, "transaction": transaction})
        else:
            out.print(f"{format_amount(micro)} for {address} in transaction {transaction}", highlight=False)


async def _mint(home: Path, address: str, micro: int) -> str:
    """The transaction's hash. Raises WrongUse without such a chain or while it does not answer."""
    from gridweave.chain import ChainError, Node, load_signer, to_hex
    from gridweave.cli.sending import send
    from gridweave.deployment import Deployment, DeploymentError
    from gridweave.localnet import DevKeys, Home, LocalnetError

    place = Home(home)
    info = place.info()
    if info is None:
        raise WrongUse(f"{home} holds no development chain; start one with: gridweave up --home {home}")
    try:
        async with Node(info.url) as node:
            currency = Deployment.load(place.deployment_file).bundle(node).currency
            admin = load_signer(key_file=DevKeys.path(place.keys, "admin"))
            receipt = await send(node, place.profile(), admin, currency.mint(address, micro))
            return to_hex(receipt.transaction_hash)
    except (ChainError, DeploymentError, LocalnetError, TimeoutError, OSError) as fault:
        raise WrongUse(f"the chain in {home} did not take it: {fault}") from fault


def _balances(address: str, state: dict[str, Any]) -> Any:
    names = (
        ("available", "availableMicro"),
        ("held until corrections end", "heldMicro"),
        ("owed", "arrearMicro"),
        ("withdrawable", "withdrawableMicro"),
        ("locked by orders", "lockedMicro"),
        ("put down in bonds", "bondsMicro"),
        ("tokens outside the Vault", "walletMicro"),
    )
    rows = [(name, format_amount(int(state[field]))) for name, field in names if field in state]
    return table(address, [("", "left"), ("amount", "right")], rows)


def delegate(
    to: Annotated[str, typer.Argument(help="Address or key name of whoever may order in this account's name.")],
    key: KeyName,
    max_kwh: Annotated[str, typer.Option(help="Most energy of one order, kWh.")] = "5",
    highest_bid: Annotated[str | None, typer.Option(help="It may bid up to this, all-in. [default: no bids]")] = None,
    lowest_ask: Annotated[str | None, typer.Option(help="It may ask from this on. [default: no asks]")] = None,
    meter: Annotated[list[int] | None, typer.Option(help="For this meter; repeat it. [default: all]")] = None,
    market: Annotated[int, typer.Option(help="In this market alone; 0: in any.")] = 0,
    hours: Annotated[int, typer.Option(min=0, help="For so long, chain time; 0 takes the delegation back.")] = 24,
    url: ServiceUrl = DEFAULT_URL,
    keystore: KeystoreFolder = None,
    password_file: PasswordFile = None,
    no_wait: NoWait = False,
    as_json: AsJson = False,
) -> None:
    """Let another key order for this account's meters within limits, and cancel what it may order.

    Example: gridweave account delegate agent --key home --highest-bid 0.25 --max-kwh 3 --hours 48
    """
    with speaking(as_json), GridweaveClient(url) as client:
        if hours and highest_bid is None and lowest_ask is None:
            raise WrongUse("let it bid with --highest-bid, ask with --lowest-ask, or both")
        now = client.chain_time()
        scope = Scope(
            market,
            parse_energy_wh(max_kwh),
            NO_ASKS if lowest_ask is None else parse_price_micro(lowest_ask),
            NO_BIDS if highest_bid is None else parse_price_micro(highest_bid),
            now + hours * _HOUR if hours else 0,
        )
        person = Prosumer(client, open_wallet(key, keystore, password_file), market)
        item = person.delegate(resolve_address(to, keystore), meter or (), scope, now + _HOUR)
        what = f"delegation to {to}" if hours else f"end of the delegation to {to}"
        finish(client, item.id, what, wait=not no_wait, as_json=as_json)


def delegations(
    who: Annotated[str, typer.Argument(help="An address, or a key's name.")],
    url: ServiceUrl = DEFAULT_URL,
    keystore: KeystoreFolder = None,
    as_json: AsJson = False,
) -> None:
    """Show who may order for an account and within which limits, and for whom its key may.

    Example: gridweave account delegations home
    """
    with speaking(as_json), GridweaveClient(url) as client:
        found = client.delegations(resolve_address(who, keystore))
        if as_json:
            emit(found)
            return
        names = ("for", "by", "meter", "market", "kWh an order", "bids up to", "asks from", "until (UTC)")
        columns = [(name, "left") for name in names]
        out.print(table("", columns, [_limits(each) for each in found]) if found else f"{who} has no delegation.")


def _limits(scope: dict[str, Any]) -> tuple[str, ...]:
    bid, ask = scope["highestBidMicroPerKwh"], scope["lowestAskMicroPerKwh"]
    return (
        scope["account"],
        scope["delegate"],
        str(scope["meter"] or "all others"),
        str(scope["market"] or "any"),
        format_energy_kwh(int(scope["maxEnergyWh"])),
        "no bids" if bid is None else format_price(int(bid)),
        "no asks" if ask is None else format_price(int(ask)),
        at_time(int(scope["until"])),
    )
