"""`gridweave bill`: every line of an account's bill, each with the transaction that paid it."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from gridweave.audit import BillUnreadable
from gridweave.cli.audit import DEFAULT_RECORD, DEFAULT_RPC, Record, Rpc, book_of, speaking_of_audits
from gridweave.cli.bill_check import checked, tell_check
from gridweave.cli.terminal import (
    DEFAULT_URL,
    AsJson,
    KeystoreFolder,
    ServiceUrl,
    WrongUse,
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

_DAY_COLUMNS = (("day", "left"), ("slots", "right"), *_COLUMNS[2:6], *_COLUMNS[7:])


def register(app: typer.Typer) -> None:
    """Adds the command to `app`."""
    app.command("bill")(bill)


def bill(
    who: Annotated[str, typer.Argument(help="An address, or a key's name.")],
    period: Annotated[
        str | None,
        typer.Option(help="2026, 2026-11, 2026-W48, 2026-11-27, 2026-11-27..2026-12-03. [default: today]"),
    ] = None,
    zone: Annotated[str | None, typer.Option(help="IANA time zone of the days. [default: the service's]")] = None,
    from_slot: Annotated[str | None, typer.Option("--from", help="First slot instead: number, or a UTC time.")] = None,
    to_slot: Annotated[str | None, typer.Option("--to", help="Last slot.")] = None,
    csv_file: Annotated[Path | None, typer.Option("--csv", help="Write every line to this file as CSV.")] = None,
    html_file: Annotated[Path | None, typer.Option("--html", help="Write the page that prints to this file.")] = None,
    days: Annotated[bool, typer.Option("--days", help="A line a day instead of a line a slot.")] = False,
    check: Annotated[
        bool, typer.Option("--check", help="Recompute every line from the chain alone; exit code 1 where one differs.")
    ] = False,
    rpc: Rpc = DEFAULT_RPC,
    deployment: Record = DEFAULT_RECORD,
    url: ServiceUrl = DEFAULT_URL,
    keystore: KeystoreFolder = None,
    as_json: AsJson = False,
) -> None:
    """Show a bill line by line, and what feed-in and retail prices alone would have cost. Energy is kWh.

    --check needs a node and the deployment's record, and trusts neither this service nor its database.

    Example: gridweave bill home --period 2026-11 --zone Europe/Berlin --days --html november.html
    Example: gridweave bill home --check --rpc http://127.0.0.1:8545 --deployment var/up/deployment.json
    """
    with speaking(as_json), speaking_of_audits(as_json), GridweaveClient(url) as client:
        address = resolve_address(who, keystore)
        asked = _asked(client, period, zone, from_slot, to_slot)
        for file, form in ((csv_file, "csv"), (html_file, "html")):
            if file:
                client.save_bill(address, file, form, **asked)
        found = client.bill(address, **asked)
        _require_asked(found, address, asked)
        result = checked(rpc, book_of(deployment), found, quiet=as_json) if check else None
        if as_json:
            emit(found | ({"check": result.to_json()} if result else {}))
        else:
            _print(found, days=days)
    if result is not None:
        tell_check(result, quiet=as_json)


def _asked(
    client: GridweaveClient, period: str | None, zone: str | None, from_slot: str | None, to_slot: str | None
) -> dict[str, Any]:
    """What the service is asked for. Raises WrongUse."""
    if from_slot is None and to_slot is None:
        return {"period": period, "zone": zone}
    if from_slot is None or to_slot is None or period is not None or zone is not None:
        raise WrongUse("give --period and --zone, or both --from and --to")
    return {"from_": resolve_slot(from_slot, client), "to": resolve_slot(to_slot, client)}


def _require_asked(found: dict[str, Any], address: str, asked: dict[str, Any]) -> None:
    """The answer is to this question. Raises BillUnreadable."""
    said = {"account": str(found.get("account")).lower()} | dict(found.get("period") or {})
    wanted = {"account": address.lower(), "name": asked.get("period"), "zone": asked.get("zone")}
    if "from_" in asked:
        wanted["name"] = f"{asked['from_']}..{asked['to']}"
    for name, value in wanted.items():
        if value is not None and said.get(name) != value:
            raise BillUnreadable(f"the bill is of {name} {said.get(name)}, which was not asked for")


def _print(found: dict[str, Any], *, days: bool) -> None:
    address, totals, period = found["account"], found["totals"], found["period"]
    if not found["lines"]:
        when = f"{period['name']} ({period['zone']})"
        out.print(f"nothing settled for {address} in {when} yet", highlight=False, soft_wrap=True)
        return
    if days:
        title = f"{address}, {period['name']}, {period['zone']}"
        out.print(table(title, _DAY_COLUMNS, [_day(row) for row in found["days"]]))
    else:
        clock = SlotClock(int(period["slotLength"]))
        out.print(table(address, _COLUMNS, [_line(line, clock) for line in found["lines"]]))
    if silent := totals["silentLines"]:
        out.print(f"* {silent} without a reading: drawn is what the market charges until a reading comes in time")
    if still := totals["openLines"]:
        lines = "line" if totals["lines"] == 1 else "lines"
        out.print(f"{still} of {totals['lines']} {lines} can still change: their correction window is open")
    out.print(f"cash                {format_amount(int(totals['cashMicro']))}", highlight=False)
    out.print(f"without the market  {format_amount(int(totals['withoutMarketMicro']))}", highlight=False)


def _day(row: dict[str, Any]) -> tuple[str, ...]:
    energies = (format_energy_kwh(int(row[name])) for name in ("boughtWh", "soldWh", "importWh", "exportWh"))
    amounts = (format_amount(int(row[name])) for name in ("tradeMicro", "feeMicro", "deviationMicro", "cashMicro"))
    return (str(row["date"]), str(row["slots"]), *energies, *amounts)


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
