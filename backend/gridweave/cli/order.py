"""`gridweave order`: bids and asks, signed here."""

from __future__ import annotations

import asyncio
import csv
from pathlib import Path
from typing import Annotated, Any

import typer

from gridweave.chain.networks import GENERIC
from gridweave.cli.claim import claim, keep_promise
from gridweave.cli.direct import DirectOrder, MakeOffer, place_directly
from gridweave.cli.hints import explaining, times_of
from gridweave.cli.sending import network_of, payer_of
from gridweave.cli.terminal import (
    DEFAULT_URL,
    AsJson,
    KeyName,
    KeystoreFolder,
    Market,
    NetworkName,
    NetworksFile,
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
    resolve_slot,
    slot_of,
    speaking,
    table,
)
from gridweave.client.promises import KeptPromise
from gridweave.client.prosumer import Offer, Prosumer
from gridweave.client.service import GridweaveClient
from gridweave.domain.errors import DomainError
from gridweave.domain.orders import Order, Side
from gridweave.domain.slots import SlotClock
from gridweave.domain.units import format_energy_kwh, format_price, parse_energy_wh, parse_price_micro

__all__ = ["register"]

MeterId = Annotated[int, typer.Option("--meter", help="Number of the meter that the order is for.")]
SlotText = Annotated[str, typer.Option("--slot", "-s", help="Slot number, +N slots from now, or a UTC time.")]
Energy = Annotated[str, typer.Option("--kwh", help="Energy, a decimal number of kWh in whole Wh: 1.5")]
Price = Annotated[
    str, typer.Option("--price", help="Limit per kWh. A bid's is all-in, grid fee included; an ask's is net.")
]
Direct = Annotated[bool, typer.Option("--direct", help="Send it to the contract oneself, without the service.")]
_COLUMNS = ("meter", "slot", "side", "kwh", "price")
Deadline = Annotated[int, typer.Option(help="Seconds of chain time for which the order may still be placed.")]


def register(app: typer.Typer) -> None:
    """Adds the commands to `app`."""
    order = typer.Typer(help="Place, cancel, show and claim orders; show a slot's book.", no_args_is_help=True)
    order.command("place")(place)
    order.command("replace")(place_again)
    order.command("cancel")(cancel)
    order.command("schedule")(schedule)
    order.command("show")(show)
    order.command("claim")(claim)
    order.command("book")(book)
    app.add_typer(order, name="order")


def place(
    side: Annotated[str, typer.Argument(help="bid (buy) or ask (sell)")],
    meter: MeterId,
    slot: SlotText,
    kwh: Energy,
    price: Price,
    key: KeyName,
    market: Market = 1,
    valid_for: Deadline = 1_800,
    url: ServiceUrl = DEFAULT_URL,
    keystore: KeystoreFolder = None,
    password_file: PasswordFile = None,
    direct: Direct = False,
    rpc: Annotated[str, typer.Option(envvar="GRIDWEAVE_RPC", help="--direct: the node.")] = "http://127.0.0.1:8545",
    record: Annotated[Path, typer.Option("--deployment", "-d", help="--direct: the deployment record.")] = Path(
        "deployment.json"
    ),
    network: NetworkName = GENERIC,
    networks: NetworksFile = None,
    gas_key: Annotated[str | None, typer.Option(help="--direct: key that pays the gas. [default: --key]")] = None,
    no_wait: NoWait = False,
    as_json: AsJson = False,
) -> None:
    """Sign an order and have it placed. A second order of a meter in a slot replaces its first.

    The service's acknowledgement is kept beside the keys: gridweave order claim shows what became of it.

    Example: gridweave order place bid --meter 3 --slot +2 --kwh 1.5 --price 0.21 --key home
    """
    with speaking(as_json):
        wish = _side(side), parse_energy_wh(kwh), parse_price_micro(price)
        wallet = open_wallet(key, keystore, password_file)
        if direct:
            payer = payer_of(gas_key or key, keystore, password_file)
            make = _offer_maker(meter, slot, *wish)
            chain = network_of(network, networks)
            placing = place_directly(rpc, chain, record, wallet, payer, market, make, valid_for)
            _show_direct(asyncio.run(placing), as_json)
            return
        with GridweaveClient(url) as client:
            offer = Offer(meter, resolve_slot(slot, client), *wish)
            standing = _live_order(client, meter, offer.slot)
            with explaining(client, market, offer):
                placed = Prosumer(client, wallet, market).place(offer, client.chain_time() + valid_for)
            kept = KeptPromise.of(placed.item, placed.signature, (placed.order,), None, client.deployment)
            keep_promise(client, kept, keystore)
            what = f"{side} of {kwh} kWh at {price} in slot {offer.slot}, version {placed.order.version}"
            finish(client, placed.item.id, what, wait=not no_wait, as_json=as_json)
            if not as_json:
                if standing is not None:
                    out.print(f"  replaces {_standing(standing)}", highlight=False)
                out.print(f"  {times_of(client, market, offer.slot)}", highlight=False)


def place_again(
    side: Annotated[str, typer.Argument(help="bid (buy) or ask (sell)")],
    meter: MeterId,
    slot: SlotText,
    kwh: Energy,
    price: Price,
    key: KeyName,
    market: Market = 1,
    valid_for: Deadline = 1_800,
    url: ServiceUrl = DEFAULT_URL,
    keystore: KeystoreFolder = None,
    password_file: PasswordFile = None,
    no_wait: NoWait = False,
    as_json: AsJson = False,
) -> None:
    """Replace the meter's live order in the slot, of either side; refuse when there is none.

    Example: gridweave order replace bid --meter 3 --slot 1628392 --kwh 1.2 --price 0.2 --key home
    """
    with speaking(as_json), GridweaveClient(url) as client:
        number = resolve_slot(slot, client)
        if _live_order(client, meter, number) is None:
            raise WrongUse(f"meter {meter} has no live order in slot {number}; place one with: gridweave order place")
    place(
        side,
        meter,
        slot,
        kwh,
        price,
        key,
        market=market,
        valid_for=valid_for,
        url=url,
        keystore=keystore,
        password_file=password_file,
        no_wait=no_wait,
        as_json=as_json,
    )


def cancel(
    meter: MeterId,
    slot: SlotText,
    key: KeyName,
    market: Market = 1,
    valid_for: Deadline = 1_800,
    url: ServiceUrl = DEFAULT_URL,
    keystore: KeystoreFolder = None,
    password_file: PasswordFile = None,
    no_wait: NoWait = False,
    as_json: AsJson = False,
) -> None:
    """Take the meter's order out of the slot and its collateral back, before the gate closes.

    Example: gridweave order cancel --meter 3 --slot +2 --key home
    """
    with speaking(as_json), GridweaveClient(url) as client:
        number = resolve_slot(slot, client)
        person = Prosumer(client, open_wallet(key, keystore, password_file), market)
        if _live_order(client, meter, number) is None:
            raise WrongUse(f"meter {meter} has no live order in slot {number}, so there is nothing to cancel")
        item = person.cancel(meter, number, client.chain_time() + valid_for)
        finish(client, item.id, f"cancel in slot {number}", wait=not no_wait, as_json=as_json)


def schedule(
    file: Annotated[Path, typer.Argument(help="CSV with the columns meter, slot, side, kwh, price.")],
    key: KeyName,
    account: Annotated[
        str | None, typer.Option("--account", help="Whose meters they are, if that account delegated to --key.")
    ] = None,
    market: Market = 1,
    valid_for: Deadline = 1_800,
    url: ServiceUrl = DEFAULT_URL,
    keystore: KeystoreFolder = None,
    password_file: PasswordFile = None,
    no_wait: NoWait = False,
    as_json: AsJson = False,
) -> None:
    """Sign many orders at once, for many slots and meters, and have them placed: one signature, a result per line.

    A line reads `3,+2,bid,1.5,0.21`. Each can be replaced and cancelled alone afterwards. The service's acknowledgement
    is kept beside the keys, as an order's is.

    Example: gridweave order schedule tomorrow.csv --key home
    """
    with speaking(as_json), GridweaveClient(url) as client:
        offers = _offers(file, client)
        person = Prosumer(client, open_wallet(key, keystore, password_file), market)
        whose = resolve_address(account, keystore) if account else None
        made = person.schedule(offers, client.chain_time() + valid_for, whose)
        said = made.schedule
        kept = KeptPromise.of(made.item, made.signature, said.orders, said.account, client.deployment)
        keep_promise(client, kept, keystore)
        what = f"schedule of {len(offers)} orders"
        state = finish(client, made.item.id, what, wait=not no_wait, as_json=as_json)
        if as_json:
            return
        columns = [("line", "right"), ("meter", "right"), ("slot", "right"), ("order", "left"), ("status", "left")]
        rows = [
            (str(number), str(order.meter), str(order.slot), _wish(order_facts(order)), _fate(line))
            for number, (order, line) in enumerate(zip(made.schedule.orders, state["lines"], strict=True), start=1)
        ]
        out.print(table("", columns, rows))


def _offers(file: Path, client: GridweaveClient) -> list[Offer]:
    """The offers in a CSV file. Raises WrongUse, which names the line."""
    try:
        with file.open(newline="", encoding="utf-8-sig") as text:
            rows = list(csv.DictReader(text, skipinitialspace=True))
    except (OSError, UnicodeDecodeError) as fault:
        raise WrongUse(f"cannot read {file}: {getattr(fault, 'strerror', None) or 'it is no UTF-8 text'}") from fault
    missing = [name for name in _COLUMNS if rows and rows[0].get(name) is None]
    if missing or not rows:
        raise WrongUse(f"{file} needs a first line {','.join(_COLUMNS)} and a line for each order")
    return [_offer(row, number, client) for number, row in enumerate(rows, start=1)]


def _offer(row: dict[str, str], number: int, client: GridweaveClient) -> Offer:
    try:
        wish = _side(row["side"]), parse_energy_wh(row["kwh"]), parse_price_micro(row["price"])
        return Offer(int(row["meter"]), resolve_slot(row["slot"], client), *wish)
    except (WrongUse, DomainError, ValueError) as fault:
        raise WrongUse(f"line {number}: {fault}") from fault


def order_facts(order: Order) -> dict[str, Any]:
    """An order's wish as the service tells it."""
    return {"side": order.side.label, "energyWh": order.energy_wh, "limitPriceMicroPerKwh": order.limit_price}


def _wish(order: dict[str, Any]) -> str:
    return f"{order['side']} {_kwh(order['energyWh'])} kWh at {format_price(int(order['limitPriceMicroPerKwh']))}"


def _standing(order: dict[str, Any]) -> str:
    """The order as far as others may know it: its wish is its signer's own until the chain has it."""
    return f"the {_wish(order)}" if "energyWh" in order else f"version {order['version']}, which is on its way"


def _fate(line: dict[str, Any]) -> str:
    reason = line.get("reason")
    return f"{line['status']} ({reason})" if reason else str(line["status"])


def _live_order(client: GridweaveClient, meter: int, slot: int) -> dict[str, Any] | None:
    """The meter's order that stands in the slot or is on its way there."""
    live = [o for o in client.orders(meter, slot) if o["kind"] == "order" and o["status"] in ("accepted", "committed")]
    return live[-1] if live else None


def show(
    digest: Annotated[
        str | None, typer.Argument(help="An order's id. Without it: all orders of --meter in --slot.")
    ] = None,
    meter: Annotated[int | None, typer.Option("--meter")] = None,
    slot: Annotated[str | None, typer.Option("--slot", "-s")] = None,
    url: ServiceUrl = DEFAULT_URL,
    as_json: AsJson = False,
) -> None:
    """Show what became of an order, or of all orders of a meter in a slot.

    Examples: gridweave order show 0x1f…   gridweave order show --meter 3 --slot +0
    """
    with speaking(as_json), GridweaveClient(url) as client:
        number = 0
        if digest:
            found = [client.order(digest)]
        elif meter is not None and slot is not None:
            number = resolve_slot(slot, client)
            found = client.orders(meter, number)
        else:
            raise WrongUse("name an order's id, or --meter and --slot")
        if as_json:
            emit(found[0] if digest else found)
            return
        if not found and meter is not None:
            out.print(_none_of(client, meter, number), highlight=False)
        for order in found:
            out.print(table(str(order["id"] or "on its way to the chain"), [("", "left"), ("", "left")], _facts(order)))


def book(
    slot: SlotText = "+1",
    market: Market = 1,
    url: ServiceUrl = DEFAULT_URL,
    as_json: AsJson = False,
) -> None:
    """Show the live book of a slot: energy bid and asked at each price, net of the grid fee.

    Example: gridweave order book --slot +2
    """
    with speaking(as_json), GridweaveClient(url) as client:
        number = resolve_slot(slot, client)
        depth = client.book(market, number)
        if as_json:
            emit(depth)
            return
        rows = [
            (_kwh(level.get("bidWh")), format_price(int(level["priceMicroPerKwh"])), _kwh(level.get("askWh")))
            for level in reversed(depth["depth"])
        ]
        columns = [("bid kWh", "right"), ("price", "right"), ("ask kWh", "right")]
        out.print(
            table(f"market {market}, slot {number}", columns, rows) if rows else f"No order in slot {number} yet."
        )


def _offer_maker(meter: int, slot: str, side: Side, energy_wh: int, limit_price: int) -> MakeOffer:
    return lambda clock, now: Offer(meter, slot_of(slot, clock, lambda: now), side, energy_wh, limit_price)


def _show_direct(placed: DirectOrder, as_json: bool) -> None:
    order = placed.order
    if as_json:
        facts = {"slot": order.slot, "meter": order.meter, "version": order.version}
        emit(
            {"id": placed.id, "status": "committed", **facts, "transaction": placed.transaction, "block": placed.block}
        )
        return
    out.print(f"version {order.version} in slot {order.slot}: [bold]committed[/], without the service", highlight=False)
    out.print(f"  id {placed.id}", highlight=False)
    out.print(f"  transaction {placed.transaction} in block {placed.block}", highlight=False)


def _side(text: str) -> Side:
    try:
        return {"bid": Side.BID, "buy": Side.BID, "ask": Side.ASK, "sell": Side.ASK}[text.lower()]
    except KeyError as fault:
        raise WrongUse(f"{text!r} is no side: bid buys, ask sells") from fault


def _facts(order: dict[str, Any]) -> list[tuple[str, str]]:
    price, limit = order.get("priceMicroPerKwh"), order.get("limitPriceMicroPerKwh")
    facts = [("status", f"{order['status']}{' (final)' if order.get('final') else ''}")]
    if order.get("reason"):
        facts.append(("reason", str(order["reason"])))
    if limit is not None:
        facts.append(("order", f"{_wish(order)}, version {order['version']}"))
    if price is not None:
        facts.append(("filled", f"{_kwh(order.get('filledWh')) or '0'} kWh at {format_price(int(price))}"))
    if order.get("transaction"):
        facts += [("transaction", str(order["transaction"])), ("block", str(order["block"]))]
    links = (("replaced by", "replacedBy"), ("cancelled in", "cancelledIn"), ("settled in", "settledIn"))
    return facts + [(name, str(order[field])) for name, field in links if order.get(field)]


def _none_of(client: GridweaveClient, meter: int, slot: int) -> str:
    starts = at_time(SlotClock(client.deployment.slot_length).start(slot))
    return f"no order of meter {meter} in slot {slot} ({starts} UTC)"


def _kwh(wh: int | None) -> str:
    return "" if not wh else format_energy_kwh(int(wh))
