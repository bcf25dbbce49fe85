"""When an event is over, for those who ask for what has not transpired."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

__all__ = ["ends_at_ms"]

_DURATION = re.compile(r"(-?)P(?:(\d+)Y)?(?:(\d+)M)?(?:(\d+)([DW]))?(?:T(?:(\d+)H)?(?:(\d+)M)?(?:(\d+(?:\.\d+)?)S)?)?")
_YEAR, _MONTH = 366, 31
"""Days: at most so long, so that no event is over too early."""


def ends_at_ms(event: Mapping[str, Any], now_ms: int) -> int | None:
    """The instant in ms since 1970 at which the event is over; None if it has no end or says none.

    Intervals without a time of their own follow each other from the event's start. A start of year 1 is `now_ms`.
    """
    try:
        return _ends_at(event, now_ms)
    except (OverflowError, ValueError):  # P9999Y: until it is deleted
        return None


def _ends_at(event: Mapping[str, Any], now_ms: int) -> int | None:
    period = event.get("intervalPeriod") or {}
    intervals = event.get("intervals") or []
    own = [_end_of(found, now_ms) for interval in intervals if (found := interval.get("intervalPeriod"))]
    if event.get("duration") is not None:
        starts = [_start_of(found, now_ms) for i in intervals if (found := i.get("intervalPeriod"))]
        first = _start_of(period, now_ms) if period or not starts else min(starts)
        return first + _ms(event["duration"])
    if None in own:
        return None
    ends = [end for end in own if end is not None]
    if len(ends) < len(intervals) or not intervals:
        if period.get("duration") is None:
            return None
        steps = max(1, len(intervals) - len(ends))
        ends.append(_start_of(period, now_ms) + steps * _ms(period["duration"]))
    return max(ends)


def _end_of(period: Mapping[str, Any], now_ms: int) -> int | None:
    return None if period.get("duration") is None else _start_of(period, now_ms) + _ms(period["duration"])


def _start_of(period: Mapping[str, Any], now_ms: int) -> int:
    start = period.get("start")
    if start is None or start[:4] in ("0000", "0001"):
        return now_ms
    found = datetime.fromisoformat(start)
    return round((found if found.tzinfo else found.replace(tzinfo=UTC)).timestamp() * 1_000)


def _ms(duration: str) -> int:
    found = _DURATION.fullmatch(duration)
    if found is None:
        raise ValueError(duration)
    sign, years, months, days, unit, hours, minutes, seconds = found.groups(default="0")
    whole = int(years) * _YEAR + int(months) * _MONTH + int(days) * (7 if unit == "W" else 1)
    span = timedelta(days=whole, hours=int(hours), minutes=int(minutes), seconds=float(seconds))
    return round(span.total_seconds() * 1_000) * (-1 if sign == "-" else 1)
