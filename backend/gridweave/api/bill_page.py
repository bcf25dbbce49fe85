"""A bill as a page for people: calm on a screen, A4 on paper, nothing from elsewhere and no script."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from datetime import UTC, date, datetime
from functools import cache
from importlib import resources
from typing import Any
from urllib.parse import urlencode

from jinja2 import Environment, PackageLoader, StrictUndefined, Template, select_autoescape

from gridweave.api.bill_chart import bill_chart
from gridweave.api.policy import page_headers, style_hash
from gridweave.domain.calendar import find_zone, local_time
from gridweave.domain.units import MICRO, WH_PER_KWH

__all__ = ["BILL_HEADERS", "MOST_LINES_ON_PAGE", "bill_page"]

MOST_LINES_ON_PAGE = 800
"""A bill with more lines shows its days, each a link to the bill of that day."""

_CSS = resources.files("gridweave.api").joinpath("pages/bill.css").read_text("utf-8").strip()

BILL_HEADERS = page_headers(style=style_hash(_CSS)) | {"Vary": "Accept"}

_STATEMENT = (
    ("depositsMicro", "Deposits"),
    ("withdrawalsMicro", "Withdrawals"),
    ("collateralLockedMicro", "Collateral put down with orders"),
    ("collateralReturnedMicro", "Collateral given back"),
    ("settledMicro", "Settled energy, of whatever slots, paid in this time"),
    ("asUtilityMicro", "Deviations, as the market's utility"),
    ("balancedMicro", "Fees, dust and rounding, as utility or operator"),
    ("bondsMicro", "Bonds put down and given back"),
    ("compensationMicro", "Compensation out of bonds"),
)
_PARTS = (
    ("tradeMicro", 1, "Bought and sold at the market's price"),
    ("feeMicro", -1, "Grid fee, on what was bought"),
    ("deviationMicro", 1, "Deviations, at feed-in or retail price"),
)


def bill_page(bill: dict[str, Any]) -> str:
    """The page of a bill as the API answers it. Every string is escaped."""
    lines = bill["lines"]
    shows_lines = bill["nextCursor"] is None and len(lines) <= MOST_LINES_ON_PAGE
    return _template().render(
        bill=bill,
        query=urlencode(_asked(bill)),
        command=_command(bill),
        css=_CSS,
        title=_title(bill["period"]),
        times=_times(bill["period"]),
        slots=_slots(bill["period"]),
        parts=[(label, sign * bill["totals"][name]) for name, sign, label in _PARTS],
        moves=[(label, bill["statement"]["moves"][name]) for name, label in _STATEMENT],
        chart=bill_chart(bill, shows_lines=shows_lines),
        by_day=_by_day(lines if shows_lines else []),
        shows_lines=shows_lines,
    )


@cache
def _template() -> Template:
    pages = Environment(
        loader=PackageLoader("gridweave.api", "pages"),
        autoescape=select_autoescape(default=True, default_for_string=True),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    pages.filters.update(money=_money, exact=_exact, kwh=_kwh, weekday=_weekday, utc=_utc, count=lambda n: f"{n:,}")
    return pages.get_template("bill.html.j2")


def _exact(micro: int | None) -> str:
    """Micro to the last digit, with a true minus sign; an en dash for none."""
    if not micro:
        return "–" if micro is None else "0"
    whole, rest = divmod(abs(micro), MICRO)
    return f"{'−' if micro < 0 else ''}{whole:,}.{rest:06d}"


def _money(micro: int) -> str:
    """Micro with two decimals, rounded half away from zero."""
    cents = (abs(micro) + 5_000) // 10_000
    return f"{'−' if micro < 0 and cents else ''}{cents // 100:,}.{cents % 100:02d}"


def _kwh(wh: int) -> str:
    """Wh as kWh to the last digit."""
    return f"{wh // WH_PER_KWH:,}.{wh % WH_PER_KWH:03d}" if wh else "0"


def _weekday(day: str) -> str:
    found = date.fromisoformat(day)
    return f"{found:%a} {found.day} {found:%b %Y}"


def _utc(moment: int) -> str:
    return f"{datetime.fromtimestamp(moment, UTC):%Y-%m-%d %H:%M:%S} UTC"


def _asked(bill: dict[str, Any]) -> dict[str, Any]:
    """What asks for this bill again."""
    name, slots = bill["period"]["name"], {"from": bill["from"], "to": bill["to"]}
    by_slots = name == "{from}..{to}".format_map(slots)
    return slots if by_slots else {"period": name, "zone": bill["period"]["zone"]}


def _command(bill: dict[str, Any]) -> str:
    options = " ".join(f"--{name} {value}" for name, value in _asked(bill).items())
    return f"gridweave bill {bill['account']} {options} --check --rpc URL --deployment FILE"


def _title(period: dict[str, Any]) -> str:
    """The period as people say it."""
    name = period["name"]
    first = datetime.fromisoformat(period["localStart"]).date()
    if len(name) == 10:
        return f"{first:%A}, {first.day} {first:%B %Y}"
    if len(name) == 7:
        return f"{first:%B %Y}"
    if "-W" in name:
        return f"Week {int(name[-2:])} of {name[:4]}"
    return str(name).replace("..", " to ")


def _times(period: dict[str, Any]) -> str:
    """From when to when on the zone's clock, and how far that is from UTC."""
    zone = find_zone(period["zone"])
    start, end = (local_time(period[name], zone) for name in ("startsAt", "endsAt"))
    offsets = dict.fromkeys(_offset(moment.isoformat()) for moment in (start, end))
    where = "UTC" if period["zone"] == "UTC" else f"{period['zone']} (UTC{', then '.join(offsets)})"
    return f"{start:%Y-%m-%d %H:%M} to {end:%Y-%m-%d %H:%M}, {where}"


def _slots(period: dict[str, Any]) -> str:
    length, slots, days = period["slotLength"], period["slots"], period["days"]
    each = "quarter hours" if length == 900 else f"slots of {length} s"
    return f"{slots:,} {each}" + (f" in {days:,} days" if days > 1 else "")


def _by_day(lines: Sequence[dict[str, Any]]) -> dict[str, dict[str, Any]]:
    """Lines of each day, and the day's offset from UTC: empty where it changes, so that every line shows its own."""
    lines_of: dict[str, list[dict[str, Any]]] = defaultdict(list)
    for line in lines:
        lines_of[line["date"]].append(line)
    return {day: {"lines": found, "offset": _common_offset(found)} for day, found in lines_of.items()}


def _common_offset(lines: Sequence[dict[str, Any]]) -> str:
    offsets = {_offset(line["localStart"]) for line in lines}
    return offsets.pop() if len(offsets) == 1 else ""


def _offset(moment: str) -> str:
    return moment[-6:]
