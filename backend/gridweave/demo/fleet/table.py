"""The fleet's day on the terminal."""

from __future__ import annotations

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from gridweave.demo.charts import spark
from gridweave.demo.clock import clock_label
from gridweave.demo.fleet.outcome import FleetOutcome, Way
from gridweave.demo.fleet.rollout import BAD
from gridweave.demo.tables import audit_row, fact_table, titled_table
from gridweave.domain.anchors import StreamMode

__all__ = ["fleet_table", "way_name"]


def fleet_table(outcome: FleetOutcome) -> RenderableType:
    """Who was kept out, what was anchored, who sees what, how the release went; for 80 columns or more."""
    parts = (_kept_out(outcome), _ways(outcome), _seen(outcome), _rollout(outcome), fact_table(_fact_rows(outcome)))
    return Group(*(line for part in parts for line in (part, Text())))


def way_name(way: Way) -> str:
    """How often, and what of it is on chain."""
    often = "every minute" if way.every_s == 60 else f"every {way.every_s} s"
    return f"{often}, {'in full' if way.mode == StreamMode.FULL else 'by hash'}"


def _kept_out(outcome: FleetOutcome) -> Table:
    table = titled_table(
        f"Kept out on {outcome.day}", "at", "who", "tried", "refused as", "blocks later", numbers=("blocks later",)
    )
    for each in outcome.kept_out:
        blocks = "" if each.blocks is None else str(each.blocks)
        table.add_row(clock_label(each.slot), each.who, each.tried, f"[green]{each.refusal}[/]", blocks)
    return table


def _ways(outcome: FleetOutcome) -> Table:
    headings = ("a reading", "streams", "readings", "batches", "bytes each", "gas each")
    table = titled_table("Anchored, and read back byte for byte", *headings, numbers=headings[1:])
    for way in outcome.reread.ways:
        each = f"{way.sealed_bytes / way.readings:.1f}", f"{way.gas / way.readings:,.0f}"
        table.add_row(way_name(way), f"{way.streams}", f"{way.readings:,}", f"{way.batches:,}", *each)
    return table


def _seen(outcome: FleetOutcome) -> Table:
    table = titled_table(
        "Who opens how much of one stream, whose meter was sold at 22:00",
        "who",
        "before",
        "after",
        "by",
        numbers=("before", "after"),
    )
    for seen in outcome.seen:
        table.add_row(seen.party, f"{seen.before:,}", f"{seen.after:,}", seen.why)
    return table


def _rollout(outcome: FleetOutcome) -> Table:
    table = titled_table("Firmware", "at", "release", "state", "ran", "failed", "what", numbers=("ran", "failed"))
    for step in outcome.steps:
        state = f"[red]{step.state}[/]" if step.state in ("paused", "revoked") else step.state
        counts = f"{step.installed}", f"{step.failed}"
        table.add_row(clock_label(step.slot), f"{step.counter}", state, *counts, step.what)
    return table


def _fact_rows(outcome: FleetOutcome) -> list[tuple[str, str]]:
    back, proved = outcome.reread, outcome.proved
    low, high = min(back.power_w), max(back.power_w)
    same = "[green]all as measured[/]" if back.equal == back.streams else f"[red]{back.streams - back.equal} differ[/]"
    trust = "trusted" if proved.is_trusted else "in doubt"
    born = f"{outcome.enrolled:,} devices from one root of their maker, {outcome.live} of them live over {outcome.way}"
    reading = f"reading {proved.reading.index:,}, firmware {proved.reading.firmware}, block {proved.block:,}"
    rows = [
        ("born", born),
        ("power over the day", f"{spark(back.power_w)}  {low / 1000:,.0f} to {high / 1000:,.0f} kW, as read back"),
        ("read back", f"{back.readings:,} readings of {back.streams} streams with their owners' keys: {same}"),
        ("proved to a contract", f"{proved.owner} drew {proved.power_w:,} W at noon: {reading}, {trust}"),
        (
            f"made by release {BAD}",
            f"{back.touched_readings:,} readings of {back.touched_devices} devices: exactly those to look at again",
        ),
        ("gas", ", ".join(f"{name} {use.each:,}" for name, use in outcome.gas.items())),
    ]
    if outcome.audit:
        rows.append(audit_row(outcome.audit))
    phases = ", ".join(f"{name} {milliseconds / 1000:.0f} s" for name, milliseconds in outcome.phases.items())
    rows.append(("time", f"{outcome.seconds} s ({phases})"))
    return rows
