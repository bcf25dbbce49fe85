"""Bills: what an account's meters came to in the days of a calendar, with the account's statement beside it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import AsyncIterator
from typing import Any

from gridweave.domain.bill_span import BillSpan
from gridweave.domain.billing import Sums
from gridweave.domain.calendar import find_zone, local_day, period_named
from gridweave.services.bill_lines import Line, each_line
from gridweave.services.errors import RequestInvalid
from gridweave.services.statements import statement
from gridweave.services.world import World
from gridweave.store.reading import MOST_ROWS, CursorInvalid, cursor_number

__all__ = ["MOST_BILL_LINES", "MOST_BILL_SLOTS", "bill", "lines", "lines_page", "span_of"]

MOST_BILL_SLOTS = 3_200
"""Slots that a bill from slot to slot may span: a month of quarter hours and a bit."""

MOST_BILL_LINES = 150_000
"""Lines of one bill: four meters' year of quarter hours and a bit."""

_RETRIES = 2

_LATEST = 4_291_747_200
"""The first second of 2106, UTC."""


def span_of(world: World, period: str | None, zone: str | None, first: int | None, last: int | None) -> BillSpan:
    """What a question asks for: a named period, the slots first..last, or today. Raises ServiceError, DomainError."""
    found = find_zone(zone or world.settings.time_zone)
    if first is None and last is None:
        name = period or local_day(world.heads.time, found).isoformat()
        return BillSpan.of_period(period_named(name, found), world.clock)
    if period is not None or first is None or last is None:
        message = "name a period, or both from and to in slots, not some of each"
        raise RequestInvalid("SpanNotAllowed", message, {"period": period, "from": first, "to": last})
    if not first <= last < first + MOST_BILL_SLOTS:
        message = f"a bill spans 1 to {MOST_BILL_SLOTS} slots; name a period for more"
        raise RequestInvalid("SpanNotAllowed", message, {"from": first, "to": last})
    if world.clock.end(last) > _LATEST:
        raise RequestInvalid("SpanNotAllowed", "bills end with the year 2105", {"from": first, "to": last})
    return BillSpan.of_slots(first, last, found, world.clock)


async def bill(world: World, account: str, span: BillSpan) -> dict[str, Any]:
    """Totals, the statement, subtotals by meter and day, and the first lines: all of them where slots were named.

    Read again, a few times, where a block came meanwhile. Raises RequestInvalid for more lines than a bill may have.
    """
    for _ in range(_RETRIES):
        before = world.heads.block
        found = await _bill(world, account, span)
        if world.heads.block == before:
            return found
    return await _bill(world, account, span)


async def _bill(world: World, account: str, span: BillSpan) -> dict[str, Any]:
    meters, slots = await _settled(world, account, span)
    totals, by_meter = Sums(), defaultdict(Sums, {meter: Sums() for meter in meters})
    by_day = {day.date.isoformat(): Sums() for day in span.days}
    shown: list[Line] = []
    async for line in each_line(world, account, slots, span.zone, len(meters)):
        for sums in (totals, by_meter[line["meter"]], by_day[line["date"]]):
            sums.add(line)
        if span.by_slots or len(shown) <= MOST_ROWS:
            shown.append(line)
    cut = len(shown) > MOST_ROWS and not span.by_slots
    kept = shown[:MOST_ROWS] if cut else shown
    return {
        "account": account,
        "from": span.slots.start,
        "to": span.slots.stop - 1,
        "period": _period(world, span),
        "totals": totals.told(),
        "statement": await statement(world, account, span.starts_at, span.ends_at),
        "meters": [{"meter": meter} | sums.told() for meter, sums in by_meter.items()],
        "days": [day | by_day[day["date"]].told() for day in span.told_days()],
        "lines": kept,
        "nextCursor": _cursor(kept[-1]) if cut else None,
    }


async def lines(world: World, account: str, span: BillSpan, after: str | None = None) -> AsyncIterator[Line]:
    """Every line behind a cursor, read as they are taken. Raises RequestInvalid, CursorInvalid before the first."""
    meters, slots = await _settled(world, account, span)
    return each_line(world, account, slots, span.zone, len(meters), _place(after))


async def lines_page(world: World, account: str, span: BillSpan, cursor: str | None, limit: int) -> dict[str, Any]:
    """{items, nextCursor}: at most `limit` lines behind the cursor. Raises RequestInvalid, CursorInvalid."""
    found: list[Line] = []
    async for line in await lines(world, account, span, cursor):
        found.append(line)
        if len(found) > limit:
            break
    more = len(found) > limit
    return {"items": found[:limit], "nextCursor": _cursor(found[limit - 1]) if more else None}


async def _settled(world: World, account: str, span: BillSpan) -> tuple[list[int], range]:
    """Meters with lines, and the slots from the first line to the last."""
    found = await world.reads.accounts.settled_meters(account, span.slots.start, span.slots.stop - 1)
    count = sum(row["slots"] for row in found)
    if count > MOST_BILL_LINES:
        message = f"a bill has at most {MOST_BILL_LINES:,} lines; ask for a shorter period"
        raise RequestInvalid("BillTooLong", message, {"lines": count, "most": MOST_BILL_LINES})
    if not found:
        return [], range(0)
    slots = range(min(row["first"] for row in found), max(row["last"] for row in found) + 1)
    return [row["meter"] for row in found], slots


def _period(world: World, span: BillSpan) -> dict[str, Any]:
    now = world.heads.time
    return span.told(world.clock) | {
        "isOver": now >= span.ends_at,
        "chainTime": now,
        "blockNumber": world.heads.number,
    }


def _cursor(line: Line) -> str:
    return f"{line['slot']}.{line['meter']}"


def _place(cursor: str | None) -> tuple[int, int]:
    if cursor is None:
        return -1, -1
    slot, dot, meter = cursor.partition(".")
    if not dot:
        raise CursorInvalid(cursor)
    return cursor_number(slot, cursor), cursor_number(meter, cursor)
