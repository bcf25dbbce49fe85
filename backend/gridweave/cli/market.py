"""`gridweave market`: markets, their terms and prices."""

from __future__ import annotations

from dataclasses import replace
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
    WrongUse,
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
from gridweave.client.wire import terms_from_json
from gridweave.domain.errors import TermsNotAllowed
from gridweave.domain.slots import HORIZON, RING, SlotClock
from gridweave.domain.terms import MarketTerms
from gridweave.domain.units import format_amount, format_energy_kwh, format_price, parse_price_micro

__all__ = ["register"]

_HOUR = 3_600
_BALANCE = (
    ("start (UTC)", "left"),
    ("traded", "right"),
    ("drawn", "right"),
    ("given", "right"),
    ("surplus", "right"),
    ("shortfall", "right"),
    ("silent", "right"),
    ("utility", "right"),
    ("operator", "right"),
)
_DEBTS = (("", "left"), ("account", "left"), ("amount", "right"))
_METERS = (("meter", "right"), ("device", "left"), ("status", "left"))
_MOST_CORRECTED_SLOTS = RING - HORIZON - 2
_ADVICE = {
    "the ring covers horizon and corrections": "with slots of {slot} s, --correction-window is at most {most} s",
    "corrections end after the reading deadline": "--correction-window must be longer than --reading-window",
    "tickCount is 1 to 1024": "the prices span more than 1,024 steps: take a larger --tick, or prices closer together",
    "fee, feedIn, retail are multiples of the tick": "--fee, --feed-in and --retail must be multiples of --tick",
}
PricePerKwh = Annotated[str, typer.Option(help="Per kWh, a decimal number.")]


def register(app: typer.Typer) -> None:
    """Adds the commands to `app`."""
    market = typer.Typer(help="Create and change markets; show prices, balances and arrears.", no_args_is_help=True)
    market.command("create")(create)
    market.command("change")(change)
    market.command("show")(show)
    market.command("meters")(meters)
    market.command("prices")(prices)
    market.command("balance")(balance)
    market.command("arrears")(arrears)
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
    gate_lead: Annotated[
        int | None,
        typer.Option(help="Seconds before the slot at which its gate closes. [default: 900, or a slot]"),
    ] = None,
    reading_window: Annotated[
        int | None, typer.Option(help="Seconds after the slot in which readings are due. [default: 7200, or fewer]")
    ] = None,
    correction_window: Annotated[
        int | None,
        typer.Option(help="Seconds after the slot in which readings count. [default: 21600, or 62 slots]"),
    ] = None,
    min_energy_wh: Annotated[int, typer.Option(help="Least energy of an order, Wh.")] = 10,
    default_wh: Annotated[int, typer.Option(help="Import, Wh, charged without a reading at least.")] = 500,
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
        if high - charge < low:
            raise WrongUse("nobody could trade: --feed-in must be at most --retail less --fee")
        windows = _windows(client.deployment.slot_length, gate_lead, reading_window, correction_window)
        terms = MarketTerms(
            min_price=low,
            tick_size=step,
            tick_count=(high - charge - low) // step + 1 if step else 0,
            grid_fee=charge,
            feed_in_price=low,
            retail_price=high,
            min_energy_wh=min_energy_wh,
            utility=utility.address,
            **windows,
            operator=resolve_address(operator_account, keystore) if operator_account else operator.address,
            default_wh=default_wh,
            from_slot=0,
        )
        _check(terms, client)
        deadline, before = client.chain_time() + _HOUR, _numbers(client)
        item = operator.create_market(terms, utility.underwrite(terms, deadline), deadline)

        def number() -> dict[str, int]:
            made = _numbers(client) - before
            return {"market": max(made)} if made else {}

        finish(client, item.id, "market", wait=not no_wait, as_json=as_json, learn=number)


def _windows(slot_length: int, gate_lead: int | None, reading: int | None, correction: int | None) -> dict[str, int]:
    """The windows asked for; the others as long as is usual, or as slots of that length allow."""
    most = _MOST_CORRECTED_SLOTS * slot_length
    closes = min(21_600, most) if correction is None else correction
    return {
        "gate_lead": min(900, slot_length) if gate_lead is None else gate_lead,
        "reading_window": min(7_200, closes // 2) if reading is None else reading,
        "correction_window": closes,
    }


def _check(terms: MarketTerms, client: GridweaveClient) -> None:
    """Raises WrongUse with the option to change where the terms break a rule that has one."""
    length = client.deployment.slot_length
    try:
        terms.validate(SlotClock(length))
    except TermsNotAllowed as fault:
        advice = _ADVICE.get(str(fault.args[0]))
        if advice is None:
            raise
        raise WrongUse(
            f"{advice} ({fault.args[0]})".format(slot=length, most=_MOST_CORRECTED_SLOTS * length)
        ) from fault


def change(
    key: KeyName,
    utility_key: Annotated[str, typer.Option(help="Key of the utility, which must consent.")],
    from_slot: Annotated[
        str, typer.Option("--from", help="First slot of the changed terms: beyond the order horizon of 192 slots.")
    ] = "+200",
    market: Market = 1,
    feed_in: Annotated[str | None, typer.Option(help="Feed-in price per kWh.")] = None,
    retail: Annotated[str | None, typer.Option(help="Retail price per kWh.")] = None,
    fee: Annotated[str | None, typer.Option(help="Grid fee per kWh.")] = None,
    default_wh: Annotated[int | None, typer.Option(help="Import, Wh, charged without a reading at least.")] = None,
    min_energy_wh: Annotated[int | None, typer.Option(help="Least energy of an order, Wh.")] = None,
    url: ServiceUrl = DEFAULT_URL,
    keystore: KeystoreFolder = None,
    password_file: PasswordFile = None,
    no_wait: NoWait = False,
    as_json: AsJson = False,
) -> None:
    """Change a market's terms from a later slot on; what is not named stays. The grid follows the prices.

    Example: gridweave market change --key operator --utility-key utility --fee 0.03 --from +200
    """
    with speaking(as_json), GridweaveClient(url) as client:
        old = terms_from_json(client.market(market)["terms"])
        low = old.feed_in_price if feed_in is None else parse_price_micro(feed_in)
        high = old.retail_price if retail is None else parse_price_micro(retail)
        charge = old.grid_fee if fee is None else parse_price_micro(fee)
        terms = replace(
            old,
            min_price=low,
            tick_count=(high - charge - low) // old.tick_size + 1,
            feed_in_price=low,
            retail_price=high,
            grid_fee=charge,
            default_wh=old.default_wh if default_wh is None else default_wh,
            min_energy_wh=old.min_energy_wh if min_energy_wh is None else min_energy_wh,
            from_slot=resolve_slot(from_slot, client),
        )
        _check(terms, client)
        operator = Steward(client, open_wallet(key, keystore, password_file))
        utility = Steward(client, open_wallet(utility_key, keystore, password_file))
        deadline = client.chain_time() + _HOUR
        item = operator.change_market(market, terms, utility.underwrite_change(market, terms, deadline), deadline)
        what = f"change of market {market} from slot {terms.from_slot}"
        finish(client, item.id, what, wait=not no_wait, as_json=as_json)


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


def meters(market: Market = 1, url: ServiceUrl = DEFAULT_URL, as_json: AsJson = False) -> None:
    """Show a market's meters and whether their devices are active, suspended or revoked.

    Example: gridweave market meters --market 1
    """
    with speaking(as_json), GridweaveClient(url) as client:
        found = client.meters(market=market)
        if as_json:
            emit(found)
            return
        if not found:
            out.print(f"no meter is registered in market {market}", highlight=False)
            return
        rows = [(str(line["meter"]), line["device"], line["deviceStatus"]) for line in found]
        out.print(table(f"market {market}", _METERS, rows))


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


def balance(
    from_slot: Annotated[str, typer.Option("--from", help="First slot: number, +N, or a UTC time.")],
    to_slot: Annotated[str, typer.Option("--to", help="Last slot.")],
    market: Market = 1,
    url: ServiceUrl = DEFAULT_URL,
    as_json: AsJson = False,
) -> None:
    """Show a market's energy and money slot by slot, as its operator and its utility see them. Energy is kWh.

    Surplus is what meters gave beyond their trades, shortfall what they took or failed to give; the utility is the
    other side of both. A star: some meters sent no reading and are settled by default.

    Example: gridweave market balance --from 2016-06-10T06:00 --to 2016-06-10T20:00
    """
    with speaking(as_json), GridweaveClient(url) as client:
        found = client.balance(market, resolve_slot(from_slot, client), resolve_slot(to_slot, client))
        if as_json:
            emit(found)
            return
        if not found["slots"]:
            out.print(f"nothing of market {market} is settled in these slots yet", highlight=False)
            return
        clock = SlotClock(client.deployment.slot_length)
        rows = [(at_time(clock.start(int(slot["slot"]))), *_balance_line(slot)) for slot in found["slots"]]
        out.print(table(f"market {market}", _BALANCE, [*rows, ("all", *_balance_line(found["totals"]))]))


def _balance_line(slot: dict[str, Any]) -> tuple[str, ...]:
    energies = ("tradedWh", "importWh", "exportWh", "surplusWh", "shortfallWh")
    amounts = (format_amount(int(slot[name])) for name in ("utilityMicro", "operatorMicro"))
    stars = f"{slot['withoutReading']}*" if slot["withoutReading"] else ""
    return (*(format_energy_kwh(int(slot[name])) for name in energies), stars, *amounts)


def arrears(market: Market = 1, url: ServiceUrl = DEFAULT_URL, as_json: AsJson = False) -> None:
    """Show who owes the market's utility, and whom it owes; while it owes, the market takes no orders.

    Example: gridweave market arrears --market 1
    """
    with speaking(as_json), GridweaveClient(url) as client:
        found = client.arrears(market)
        if as_json:
            emit(found)
            return
        sides = (("owes the utility", found["arrears"]), ("the utility owes", found["dues"]))
        rows = [
            (side, line["account"], format_amount(int(line["amountMicro"]))) for side, lines in sides for line in lines
        ]
        if not rows:
            out.print(f"nobody owes in market {market}", highlight=False)
            return
        out.print(table(f"utility {found['utility']}", _DEBTS, rows))
        if not found["takesOrders"]:
            out.print("The market takes no orders until its utility has deposited and each creditor has collected.")


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
