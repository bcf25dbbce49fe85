"""The small chart of a bill: bars of energy, given above the line and drawn below it, a slot or a day each."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Any

from gridweave.domain.calendar import find_zone, local_time

__all__ = ["bill_chart"]

_HEIGHT = 120
_MARKS = 6

Pair = tuple[int, int]
"""(drawn, given), Wh."""


def bill_chart(bill: dict[str, Any], *, shows_lines: bool) -> dict[str, Any] | None:
    """What the page draws: of slots where the bill is of one day and has its lines, else of days; None: no energy."""
    by_slot = len(bill["days"]) == 1 and shows_lines
    pairs = _slots(bill) if by_slot else [(day["importWh"], day["exportWh"]) for day in bill["days"]]
    down, up = (max((pair[side] for pair in pairs), default=0) for side in (0, 1))
    if not (whole := down + up):
        return None
    return {
        "bars": [(x, _HEIGHT * drawn / whole, _HEIGHT * given / whole) for x, (drawn, given) in enumerate(pairs)],
        "width": len(pairs),
        "height": _HEIGHT,
        "zero": _HEIGHT * up / whole,
        "most": max(down, up),
        "unit": "slot" if by_slot else "day",
        "marks": _hours(bill) if by_slot else _dates(bill["days"]),
    }


def _slots(bill: dict[str, Any]) -> Sequence[Pair]:
    (day,) = bill["days"]
    sums = dict.fromkeys(range(day["from"], day["to"] + 1), (0, 0))
    for line in bill["lines"]:
        drawn, given = sums[line["slot"]]
        sums[line["slot"]] = drawn + line["importWh"], given + line["exportWh"]
    return list(sums.values())


def _hours(bill: dict[str, Any]) -> list[tuple[float, str]]:
    """Every third hour of the zone's clock, by how far along the day it is in per cent."""
    (day,), period = bill["days"], bill["period"]
    zone, found = find_zone(period["zone"]), {}
    for at, slot in enumerate(range(day["from"], day["to"] + 1)):
        moment = local_time(slot * period["slotLength"], zone)
        if moment.hour % 3 == 0 and moment.hour not in found:
            found[moment.hour] = (100 * at / day["slots"], f"{moment:%H}")
    return list(found.values())


def _dates(days: Sequence[dict[str, Any]]) -> list[tuple[float, str]]:
    step = -(-len(days) // _MARKS)
    named = ((at, date.fromisoformat(days[at]["date"])) for at in range(0, len(days), step))
    return [(100 * at / len(days), f"{day.day} {day:%b}") for at, day in named]
