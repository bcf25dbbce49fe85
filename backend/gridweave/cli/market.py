"""`gridweave market`: markets, their terms and prices."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from gridweave.cli.terminal import (
    DEFAULT_URL,
    AsJson,
    KeyName,
    KeystoreFolder,
    Market,
    NoWait,
    PasswordFile,
    ServiceUrl,
    at_time,
    emit,
    finish,
    open_wallet,
    out,
    resolve_address,
    resolve_slot,
    speaking,
    table,
)
from gridweave.client.service import GridweaveClient
from gridweave.client.stewards import Steward
from gridweave.domain.slots import SlotClock
from gridweave.domain.terms import MarketTerms
from gridweave.domain.units import format_energy_kwh, format_price, parse_price_micro

__all__ = ["register"]

_HOUR = 3_600
PricePerKwh = Annotated[str, typer.Option(help="Per kWh, a decimal number.")]


def register(app: typer.Typer) -> None:
    """Adds the commands to `app`."""
    market = typer.Typer(help="Create markets and show their prices.", no_args_is_help=True)
    market.command("create")(create)
    market.command("show")(show)
    market.command("prices")(prices)
    app.add_typer(market, name="market")


def create(
    key: KeyName,
    utility_key: Annotated[str, typer.Option(help="Key of the utility that underwrites every deviation.")],
    operator_account: Annotated[
        str | None, typer.Option(help="Account that receives the grid fee. [default: the operator key's]")
    ] = None,
    feed_in: PricePerKwh = "0.08",
    retail: PricePerKwh = "0.30",
    fee: PricePerKwh = "0.02",
    tick: PricePerKwh = "0.001",
    gate_lead: Annotated[int, typer.Option(help="Seconds before the slot at which its gate closes.")] = 900,
    reading_window: Annotated[int, typer.Option(help="Seconds after the slot in which readings are due.")] = 7_200,
    correction_window: Annotated[int, typer.Option(help="Seconds after the slot in which readings count.")] = 21_600,
    min_energy_wh: Annotated[int, typer.Option(help="Least energy of an order.")] = 10,
    default_wh: Annotated[int, typer.Option(help="Import of a silent buyer, at least.")] = 500,
    url: ServiceUrl = DEFAULT_URL,
    keystore: KeystoreFolder = None,
    password_file: PasswordFile = None,
    no_wait: NoWait = False,
    as_json: AsJson = False,
) -> None:
    """Open a market: its grid runs from the feed-in price to the retail price less the fee.

    Example: gridweave market create --key operator --utility-key utility --feed-in 0.08 --retail 0.30
    """
    with speaking(as_json), GridweaveClient(url) as client:
        operator = Steward(client, open_wallet(key, keystore, password_file))
        utility = Steward(client, open_wallet(utility_key, keystore, password_file))
        low, high, step = parse_price_micro(feed_in), parse_price_micro(retail), parse_price_micro(tick)
        charge = parse_price_micro(fee)
        terms = MarketTerms(
            min_price=low,
            tick_size=step,
            tick_count=(high - charge - low) // step + 1 if step else 0,
            grid_fee=charge,
            feed_in_price=low,
            retail_price=high,
            min_energy_wh=min_energy_wh,
            utility=utility.address,
            gate_lead=gate_lead,
            reading_window=reading_window,
            correction_window=correction_window,
            operator=resolve_address(operator_account, keystore) if operator_account else operator.address,
            default_wh=default_wh,
            from_slot=0,
        )
        terms.validate(SlotClock(client.deployment.slot_length))
        deadline, before = client.chain_time() + _HOUR, _numbers(client)
        item = operator.create_market(terms, utility.underwrite(terms, deadline), deadline)

        def number() -> dict[str, int]:
            made = _numbers(client) - before
            return {"market": max(made)} if made else {}

        finish(client, item.id, "market", wait=not no_wait, as_json=as_json, learn=number)


def _numbers(client: GridweaveClient) -> set[int]:
    return {int(found["market"]) for found in client.get("/v1/markets")["items"]}


def show(market: Market = 1, url: ServiceUrl = DEFAULT_URL, as_json: AsJson = False) -> None:
    """Show a market's terms."""
    with speaking(as_json), GridweaveClient(url) as client:
        state = client.market(market)
        if as_json:
            emit(state)
            return
        rows = [(name, str(value)) for name, value in state["terms"].items()]
        out.print(table(f"market {market}", [("", "left"), ("", "left")], rows))


def prices(
    from_slot: Annotated[str, typer.Option("--from", help="First slot: number, +N, or a UTC time.")] = "+0",
    to_slot: Annotated[str, typer.Option("--to", help="Last slot.")] = "+8",
    market: Market = 1,
    url: ServiceUrl = DEFAULT_URL,
    as_json: AsJson = False,
) -> None:
    """Show cleared prices, net of the grid fee, with their equilibrium intervals.

    Example: gridweave market prices --from 2016-06-10T06:00 --to 2016-06-10T20:00
    """
    with speaking(as_json), GridweaveClient(url) as client:
        found = client.prices(market, resolve_slot(from_slot, client), resolve_slot(to_slot, client))
        if as_json:
            emit(found)
            return
        if not found:
            out.print(f"no price of market {market} in these slots yet: none of them is cleared", highlight=False)
            return
        clock = SlotClock(client.deployment.slot_length)
        columns = [
            ("slot", "right"),
            ("start (UTC)", "left"),
            ("price", "right"),
            ("interval", "left"),
            ("kWh", "right"),
        ]
        out.print(table(f"market {market}", columns, [_price_line(line, clock) for line in found]))


def _price_line(line: dict[str, Any], clock: SlotClock) -> tuple[str, ...]:
    slot = int(line["slot"])
    low, high = line.get("lowMicroPerKwh"), line.get("highMicroPerKwh")
    return (
        str(slot),
        at_time(clock.start(slot)),
        _price(line.get("priceMicroPerKwh")),
        f"{_price(low)} to {_price(high)}",
        format_energy_kwh(int(line["volumeWh"])),
    )


def _price(micro: int | None) -> str:
    return "none" if micro is None else format_price(int(micro))
