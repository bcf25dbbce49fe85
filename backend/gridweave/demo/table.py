"""The outcome on the terminal."""

from __future__ import annotations

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from gridweave.demo.charts import spark
from gridweave.demo.clock import clock_label
from gridweave.demo.outcome import HomeOutcome, Outcome
from gridweave.demo.report import LEGEND, kwh, money, ordered_and_delivered, price, signed
from gridweave.demo.tables import audit_row, fact_table, titled_table

__all__ = ["outcome_table"]


def outcome_table(outcome: Outcome) -> RenderableType:
    """Bills, price, shares, gas, audit and time, for a terminal of 80 columns or more."""
    homes = _groups(outcome) if outcome.groups else _homes(outcome)
    moments: list[RenderableType] = [_moments(outcome), Text()] if outcome.moments else []
    return Group(homes, *_legend(outcome), Text(), *moments, fact_table(_fact_rows(outcome)))


def _groups(outcome: Outcome) -> Table:
    title = f"The {outcome.place} on {outcome.day}, in GWC and kWh, all homes of a kind together"
    numbers = ("homes", "drawn", "given", "accounts", "without market", "gain", "a home")
    table = titled_table(title, "homes with", *numbers, numbers=numbers, no_wrap=True)
    for group in outcome.groups:
        amounts = (group.bill_micro, group.baseline_micro, group.gained_micro, group.gained_each_micro)
        count, energies = f"{len(group.homes)}", (kwh(group.import_wh), kwh(group.export_wh))
        table.add_row(group.name, count, *energies, *(signed(amount) for amount in amounts))
    return table


def _moments(outcome: Outcome) -> Table:
    return fact_table((clock_label(moment.slot), moment.text) for moment in outcome.moments)


def _homes(outcome: Outcome) -> Table:
    title = f"The {outcome.place} on {outcome.day}, in GWC and kWh"
    numbers = ("drawn", "given", "bought", "sold", "account", "without market", "gain")
    table = titled_table(title, "home", "key", *numbers, numbers=numbers, no_wrap=True)
    for home in outcome.homes:
        table.add_row(*_home(home))
    return table


def _legend(outcome: Outcome) -> tuple[Text, Text]:
    return Text(LEGEND, style="dim"), Text(ordered_and_delivered(outcome), style="dim")


def _home(home: HomeOutcome) -> tuple[str, ...]:
    energies = (home.import_wh, home.export_wh, home.bought_wh, home.sold_wh)
    amounts = (home.bill_micro, home.baseline_micro)
    colour = "green" if home.gained_micro >= 0 else "red"
    return (
        f"{home.name}{' ☀' if home.has_pv else ''}",
        home.key_kind,
        *(kwh(energy) for energy in energies),
        *(signed(amount) for amount in amounts),
        f"[{colour}]{signed(home.gained_micro)}[/]",
    )


def _fact_rows(outcome: Outcome) -> list[tuple[str, str]]:
    share, supply = outcome.local_share_permille, outcome.local_supply_permille
    prices = [slot.price_micro for slot in outcome.slots]
    known = [value for value in prices if value is not None]
    spread = (
        f"{price(min(known))} to {price(max(known))}, mean {price(outcome.mean_price_micro)}" if known else "no trade"
    )
    demand = f"{share // 10}.{share % 10} % of {kwh(outcome.demand_wh)} kWh drawn"
    reach = f"{kwh(outcome.local_wh)} kWh from neighbours, {kwh(outcome.reachable_wh)} within reach"
    bounds = f"feed-in {price(outcome.feed_in_micro)} and retail {price(outcome.retail_micro)}"
    ceiling = f"ceiling {price(outcome.ceiling_micro)}, retail less fee"
    rows = [
        ("local share of demand", f"{demand}; {reach}"),
        ("local share of supply", f"{supply // 10}.{supply % 10} % of {kwh(outcome.supply_wh)} kWh given"),
        ("price over the day", f"{spark(prices)}  {spread}; {ceiling}"),
        (f"{outcome.place}'s gain", f"{money(outcome.gained_micro)} against {bounds} alone"),
        ("lived", ", ".join(f"{count:,} {name}" for name, count in outcome.lived.items())),
        ("gas", ", ".join(f"{name} {use.each:,}" for name, use in outcome.gas.items())),
    ]
    if outcome.audit:
        rows.append(audit_row(outcome.audit))
    phases = ", ".join(f"{name} {milliseconds / 1000:.0f} s" for name, milliseconds in outcome.phases.items())
    rows.append(("time", f"{outcome.wall_seconds} s ({phases})"))
    return rows
