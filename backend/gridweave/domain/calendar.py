"""Days, weeks, months and years of an IANA time zone as ranges of slots. Slots themselves stay UTC.

A slot belongs to the day in which it starts, also where an offset is no whole number of slots. A day begins at its
midnight: at the second one where clocks go back over it, at the moment of the change where they jump over it. So days
follow each other with neither gap nor overlap, and a day that a zone skips (Apia 2011-12-30) has no slot.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from functools import cache
from zoneinfo import ZoneInfo, available_timezones

from gridweave.domain.errors import PeriodMalformed, PeriodTooLong, ZoneUnknown
from gridweave.domain.slots import SlotClock

__all__ = ["MOST_DAYS", "Day", "Period", "find_zone", "local_day", "local_time", "period_named"]

MOST_DAYS = 366
"""Days that one period may span: a leap year."""

_FIRST_YEAR, _LAST_YEAR = 1970, 2105
_RULE = "2026, 2026-11, 2026-W48, 2026-11-27 or 2026-11-27..2026-12-03, from 1970 to 2105"
_NO_ZONES = {"Factory", "localtime", "posixrules"}
"""Files beside the zones: what a clock shows that nobody has set, and whatever this machine is set to."""

_DAY = timedelta(days=1)
_YEAR = re.compile(r"\d{4}", re.ASCII)
_MONTH = re.compile(r"(\d{4})-(\d{2})", re.ASCII)
_WEEK = re.compile(r"(\d{4})-W(\d{2})", re.ASCII)
_DATE = re.compile(r"\d{4}-\d{2}-\d{2}", re.ASCII)


@dataclass(frozen=True)
class Day:
    """A day of a zone: the slots from `first` on, before `end`."""

    date: date
    first: int
    end: int

    @property
    def slots(self) -> int:
        """How many slots start in it: 92, 96 or 100 quarter hours in most zones."""
        return self.end - self.first


@dataclass(frozen=True)
class Period:
    """Whole days of a zone, `first_day` to `last_day`, and the name that was asked for."""

    name: str
    zone: ZoneInfo
    first_day: date
    last_day: date

    @property
    def days(self) -> int:
        """How many dates it spans."""
        return (self.last_day - self.first_day).days + 1

    @property
    def starts_at(self) -> int:
        """Its first second, UTC."""
        return _day_start(self.zone, self.first_day)

    @property
    def ends_at(self) -> int:
        """The first second after it, UTC."""
        return _day_start(self.zone, self.last_day + _DAY)

    def slots(self, clock: SlotClock) -> range:
        """The slots that start in it."""
        return range(_first_slot(self.starts_at, clock), _first_slot(self.ends_at, clock))

    def each_day(self, clock: SlotClock) -> Iterator[Day]:
        """Its days in order, each with its slots."""
        first = _first_slot(self.starts_at, clock)
        for number in range(self.days):
            day = self.first_day + number * _DAY
            end = _first_slot(_day_start(self.zone, day + _DAY), clock)
            yield Day(day, first, end)
            first = end


def find_zone(name: str) -> ZoneInfo:
    """The zone of an IANA name such as Europe/Berlin. Raises ZoneUnknown."""
    if name not in _names():
        raise ZoneUnknown(name[:40], "an IANA name such as Europe/Berlin or UTC")
    return ZoneInfo(name)


def local_day(moment: int, zone: ZoneInfo) -> date:
    """The day to which a second of chain time belongs, as a slot that starts then would."""
    shown = datetime.fromtimestamp(moment, zone).date()
    return shown if _day_start(zone, shown) <= moment else shown - _DAY


def local_time(moment: int, zone: ZoneInfo) -> datetime:
    """A second of chain time on the zone's clock, with its offset."""
    return datetime.fromtimestamp(moment, zone)


def period_named(name: str, zone: ZoneInfo, most_days: int = MOST_DAYS) -> Period:
    """A year, month, ISO week, day or range of days by name. Raises PeriodMalformed, PeriodTooLong."""
    try:
        first, last = _span(name)
    except ValueError as error:
        raise PeriodMalformed(name[:40], _RULE) from error
    if not (first.year >= _FIRST_YEAR and last.year <= _LAST_YEAR and first <= last):
        raise PeriodMalformed(name[:40], _RULE)
    period = Period(name, zone, first, last)
    if period.days > most_days:
        raise PeriodTooLong(name[:40], period.days, most_days)
    return period


def _span(name: str) -> tuple[date, date]:
    if _YEAR.fullmatch(name):
        return date(int(name), 1, 1), date(int(name), 12, 31)
    if month := _MONTH.fullmatch(name):
        first = date(int(month[1]), int(month[2]), 1)
        return first, (first + 31 * _DAY).replace(day=1) - _DAY
    if week := _WEEK.fullmatch(name):
        monday = date.fromisocalendar(int(week[1]), int(week[2]), 1)
        return monday, monday + 6 * _DAY
    first_name, dots, last_name = name.partition("..")
    return _date(first_name), _date(last_name if dots else first_name)


def _date(text: str) -> date:
    if not _DATE.fullmatch(text):
        raise ValueError(text)
    return date.fromisoformat(text)


def _first_slot(moment: int, clock: SlotClock) -> int:
    """The first slot that starts at `moment` or later; slots begin with 1970 UTC."""
    return max(0, -(-moment // clock.length))


def _day_start(zone: ZoneInfo, day: date) -> int:
    """The second from which on the zone's date is never before `day`."""
    before, after = (_timestamp(datetime.combine(day, time(fold=fold), zone)) for fold in (0, 1))
    if before <= after:
        return after
    low, high = after - 1, before
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if datetime.fromtimestamp(middle, zone).date() >= day else (middle, high)
    return high


def _timestamp(moment: datetime) -> int:
    return int(moment.astimezone(UTC).timestamp())


@cache
def _names() -> frozenset[str]:
    return frozenset(available_timezones()) - _NO_ZONES
