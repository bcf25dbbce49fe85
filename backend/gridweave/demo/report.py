"""The day as one HTML file: no script, style, font or picture from anywhere else."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

from jinja2 import Environment, PackageLoader, StrictUndefined, select_autoescape

from gridweave.demo import charts
from gridweave.demo.clock import clock_label
from gridweave.demo.outcome import Outcome

__all__ = ["LEGEND", "kwh", "money", "ordered_and_delivered", "pages", "price", "put", "render", "signed", "write"]

LEGEND = "+ received, − paid; GWC is the local currency; drawn and given in kWh at the meter."

_SPREAD_WIDTH, _SPREAD_COLUMNS, _DOT, _BELOW = 960, 64, 14, 26


def write(outcome: Outcome, path: Path, more: tuple[str, str] | None = None) -> Path:
    """Writes the report to `path`, whole or not at all, and returns it. It leads to `more` (address, title)."""
    return put(path, render(outcome, more))


def put(path: Path, page: str) -> Path:
    """Puts a page at `path`, whole or not at all."""
    path.parent.mkdir(parents=True, exist_ok=True)
    unfinished = path.with_suffix(".partial")
    unfinished.write_text(page, encoding="utf-8")
    return unfinished.replace(path)


def pages() -> Environment:
    """The templates of all pages, with how numbers are shown."""
    found = Environment(
        loader=PackageLoader("gridweave.demo", "pages"),
        autoescape=select_autoescape(default=True, default_for_string=True),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    found.filters.update(
        money=money, signed=signed, kwh=kwh, price=price, clock=clock_label, thousands=lambda number: f"{number:,}"
    )
    return found


def render(outcome: Outcome, more: tuple[str, str] | None = None) -> str:
    """The page. Every string of `outcome` is escaped."""
    return (
        pages()
        .get_template("report.html.j2")
        .render(
            outcome=outcome,
            more=more,
            price_chart=_price_chart(outcome),
            flow_chart=_flow_chart(outcome),
            battery_chart=_battery_chart(outcome),
            bills=_bills(outcome),
            groups=_groups(outcome),
            spread=_spread(outcome),
            hours=tuple(range(0, 25, 3)),
            points=_points(outcome),
            legend=LEGEND,
            ordered_and_delivered=ordered_and_delivered(outcome),
        )
    )


def money(micro: int, places: int = 2) -> str:
    """Micro as a decimal with a true minus sign, rounded half away from zero: -1234567 -> −1.23."""
    scale = 10 ** (6 - places)
    whole = (abs(micro) + scale // 2) // scale
    sign = "−" if micro < 0 and whole else ""
    return f"{sign}{whole // 10**places:,}.{whole % 10**places:0{places}d}" if places else f"{sign}{whole:,}"


def signed(micro: int, places: int = 2) -> str:
    """As `money`, with a plus sign before what is above zero once rounded."""
    text = money(micro, places)
    return text if text.startswith("−") or text == money(0, places) else f"+{text}"


def ordered_and_delivered(outcome: Outcome) -> str:
    """Why what was bought is not what changed hands."""
    return (
        f"Bought and sold are what orders got: {kwh(outcome.bought_wh)} kWh bought. "
        f"Of that the buyers drew {kwh(outcome.local_wh)} kWh, which is what changed hands; "
        "each home settles the difference between ordered and metered with the utility."
    )


def price(micro: int | None) -> str:
    """Micro per kWh with three decimals, an en dash for none."""
    return "–" if micro is None else money(micro, 3)


def kwh(wh: int) -> str:
    """Wh as kWh with one decimal."""
    return money(wh * 1000, 1)


def _price_chart(outcome: Outcome) -> dict[str, object]:
    prices = [slot.price_micro for slot in outcome.slots]
    axis = charts.nice_axis(0, outcome.retail_micro, 6)
    lows = [slot.low_micro if slot.price_micro is not None else None for slot in outcome.slots]
    highs = [slot.high_micro if slot.price_micro is not None else None for slot in outcome.slots]
    return {
        "line": charts.steps(prices, axis),
        "band": charts.band(lows, highs, axis),
        "marks": [(axis.y(mark), money(mark)) for mark in axis.marks],
        "feed_in": axis.y(outcome.feed_in_micro),
        "ceiling": axis.y(outcome.ceiling_micro),
        "retail": axis.y(outcome.retail_micro),
    }


def _flow_chart(outcome: Outcome) -> dict[str, object]:
    exports = [slot.export_wh for slot in outcome.slots]
    imports = [-slot.import_wh for slot in outcome.slots]
    local = [-slot.local_wh for slot in outcome.slots]
    sold = [min(slot.volume_wh, slot.export_wh) for slot in outcome.slots]
    axis = charts.nice_axis(min([*imports, 0]), max([*exports, 1]), 6)
    return {
        "exports": charts.area(exports, axis),
        "imports": charts.area(imports, axis),
        "local": charts.area(local, axis),
        "sold": charts.area(sold, axis),
        "marks": [(axis.y(mark), money(abs(mark) * 1000, 1)) for mark in axis.marks],
        "zero": axis.y(0),
    }


def _battery_chart(outcome: Outcome) -> dict[str, object]:
    axis = charts.nice_axis(0, max(outcome.storage_wh, 1), 4)
    return {
        "area": charts.area(outcome.stored_wh, axis),
        "line": charts.steps(outcome.stored_wh, axis),
        "marks": [(axis.y(mark), money(mark * 1000, 0)) for mark in axis.marks],
    }


def _bills(outcome: Outcome) -> dict[str, object]:
    ordered = sorted(outcome.homes, key=lambda home: home.bill_micro, reverse=True)
    return _dumbbells([({"home": home}, home.bill_micro, home.baseline_micro) for home in ordered])


def _groups(outcome: Outcome) -> dict[str, object] | None:
    """A row per group with its mean bills; None where homes are not told apart."""
    means: list[tuple[dict[str, object], int, int]] = [
        ({"group": group}, group.bill_micro // len(group.homes), group.baseline_micro // len(group.homes))
        for group in outcome.groups
    ]
    return _dumbbells(means) if means else None


def _dumbbells(rows: Sequence[tuple[dict[str, object], int, int]]) -> dict[str, object]:
    """(what, bill, baseline) as places on one axis, in percent."""
    amounts = [amount for _, bill, baseline in rows for amount in (bill, baseline)] or [0]
    axis = charts.nice_axis(min([*amounts, 0]), max([*amounts, 0]), 5)
    width = axis.high - axis.low

    def share(micro: int) -> str:
        return f"{(micro - axis.low) * 10_000 // width / 100:.2f}"

    def row(what: dict[str, object], bill: int, baseline: int) -> dict[str, object]:
        left, right = sorted((bill, baseline))
        return {
            **what,
            "bill_micro": bill,
            "baseline_micro": baseline,
            "bill": share(bill),
            "baseline": share(baseline),
            "left": share(left),
            "span": f"{(right - left) * 10_000 // width / 100:.2f}",
        }

    return {
        "rows": [row(*found) for found in rows],
        "marks": [(share(mark), money(mark, 0 if mark % 1_000_000 == 0 else 1)) for mark in axis.marks],
        "zero": share(0),
    }


def _spread(outcome: Outcome) -> dict[str, object] | None:
    """A dot for every home at its gain, one above the other where gains are alike; None where there are no groups."""
    if not outcome.groups:
        return None
    homes = sorted(outcome.homes, key=lambda home: home.gained_micro)
    axis = charts.nice_axis(min(homes[0].gained_micro, 0), max(homes[-1].gained_micro, 0), 8)
    places = charts.stacks([home.gained_micro for home in homes], axis, _SPREAD_COLUMNS)
    ground = (max(level for _, level in places) + 1) * _DOT + _DOT // 2
    column = _SPREAD_WIDTH // _SPREAD_COLUMNS
    dots = [
        {"home": home, "x": x * column + column // 2, "y": ground - level * _DOT - _DOT // 2 - 1}
        for home, (x, level) in zip(homes, places, strict=True)
    ]
    marks = [((mark - axis.low) * _SPREAD_WIDTH // (axis.high - axis.low), money(mark)) for mark in axis.marks]
    height = ground + _BELOW
    return {"dots": dots, "marks": marks, "ground": ground, "height": height, "best": homes[-1], "worst": homes[0]}


def _points(outcome: Outcome) -> str:
    """What the pointer reads off the charts, as JSON that is safe inside a script element."""
    rows = [
        [
            slot.label,
            price(slot.price_micro),
            kwh_exact(slot.volume_wh),
            kwh_exact(slot.export_wh),
            kwh_exact(slot.import_wh),
            *(kwh_exact(wh) for wh in outcome.stored_wh[slot.index : slot.index + 1]),
        ]
        for slot in outcome.slots
    ]
    return json.dumps(rows, ensure_ascii=False).replace("<", "\\u003c")


def kwh_exact(wh: int) -> str:
    """Wh as kWh with three decimals."""
    return money(wh * 1000, 3)
