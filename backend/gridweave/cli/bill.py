"""`gridweave bill`: every line of an account's bill, each with the transaction that paid it."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from gridweave.cli.terminal import (
    DEFAULT_URL,
    AsJson,
    KeystoreFolder,
    ServiceUrl,
    at_time,
    emit,
    out,
    resolve_address,
    resolve_slot,
    speaking,
    table,
)
from gridweave.client.service import GridweaveClient
from gridweave.domain.slots import SlotClock
from gridweave.domain.units import format_amount, format_energy_kwh, format_price

__all__ = ["register"]

_COLUMNS = (
    ("start (UTC)", "left"),
    ("meter", "right"),
    ("bought", "right"),
    ("sold", "right"),
    ("drawn", "right"),
    ("given", "right"),
    ("price", "right"),
    ("trade", "right"),
    ("fee", "right"),
    ("deviation", "right"),
    ("cash", "right"),
)


def register(app: typer.Typer) -> None:
    """Adds the command to `app`."""
    app.command("bill")(bill)


def bill(
    who: Annotated[str, typer.Argument(help="An address, or a key's name.")],
    from_slot: Annotated[str, typer.Option("--from", help="First slot: number, or a UTC time.")],
    to_slot: Annotated[str, typer.Option("--to", help="Last slot.")],
    url: ServiceUrl = DEFAULT_URL,
    keystore: KeystoreFolder = None,
    as_json: AsJson = False,
) -> None:
    """Show a bill line by line, and what feed-in and retail prices alone would have cost. Energy is kWh.

    Every line follows from the chain: `gridweave audit` recomputes it without this service.

    Example: gridweave bill home --from 2016-06-09T22:00 --to 2016-06-10T22:00
    """
    with speaking(as_json), GridweaveClient(url) as client:
        address = resolve_address(who, keystore)
        found = client.bill(address, resolve_slot(from_slot, client), resolve_slot(to_slot, client))
        if as_json:
            emit(found)
            return
        if not found["lines"]:
            out.print(f"nothing settled for {address} in these slots yet", highlight=False, soft_wrap=True)
            return
        clock = SlotClock(client.deployment.slot_length)
        out.print(table(address, _COLUMNS, [_line(line, clock) for line in found["lines"]]))
        silent = sum(line["readingVersion"] == 0 for line in found["lines"])
        if silent:
            out.print(f"* {silent} without a reading: drawn is what the market charges until a reading comes in time")
        totals = found["totals"]
        out.print(f"cash                {format_amount(int(totals['cashMicro']))}", highlight=False)
        out.print(f"without the market  {format_amount(int(totals['withoutMarketMicro']))}", highlight=False)


def _line(line: dict[str, Any], clock: SlotClock) -> tuple[str, ...]:
    names = ("boughtWh", "soldWh", "importWh", "exportWh")
    bought, sold, drawn, given = (format_energy_kwh(int(line[name])) for name in names)
    guessed = "*" if line["readingVersion"] == 0 else ""
    price = line.get("priceMicroPerKwh")
    amounts = (format_amount(int(line[name])) for name in ("tradeMicro", "feeMicro", "deviationMicro", "cashMicro"))
    return (
        at_time(clock.start(int(line["slot"]))),
        str(line["meter"]),
        bought,
        sold,
        f"{drawn}{guessed}",
        given,
        "" if price is None else format_price(int(price)),
        *amounts,
    )
