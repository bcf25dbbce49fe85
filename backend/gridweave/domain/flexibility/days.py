"""Days of a time zone as an operator publishes them ahead (DayCalendar), and where a time of day lies on each."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass, field

from gridweave.domain.flexibility.day_errors import (
    CalendarUnknown,
    DayHasBegun,
    DayMalformed,
    DayNotNext,
    DaysMalformed,
    SlotOutsideCalendar,
    TimeZoneMissing,
)
from gridweave.domain.slots import SlotClock

__all__ = ["MOST_DAYS", "Calendar", "CalendarBook", "PublishedDay", "Sought"]

MOST_DAYS = 366
"""Of one publication."""

_HOUR = 3_600
_BYTES_PER_DAY = 3


@dataclass(frozen=True)
class PublishedDay:
    """Slots from `first` on, `slots` of them; days of one `kind` are alike."""

    first: int
    slots: int
    kind: int


@dataclass
class Calendar:
    """Day 0 has the date `first_date`, in days since 1970-01-01, and begins in `first_slot`."""

    publisher: str
    time_zone: str
    first_date: int
    first_slot: int
    days: list[PublishedDay] = field(default_factory=list)

    @property
    def next_slot(self) -> int:
        """In which the next day begins."""
        return self.days[-1].first + self.days[-1].slots if self.days else self.first_slot

    def find(self, slot: int) -> int | None:
        """Index of the day that holds the slot."""
        if not self.first_slot <= slot < self.next_slot:
            return None
        return bisect_right(self.days, slot, key=lambda day: day.first) - 1


class CalendarBook:
    """Every calendar of a deployment, numbered from 1. Signatures and roles come as judged."""

    def __init__(self, clock: SlotClock) -> None:
        self._clock = clock
        self._calendars: list[Calendar] = []

    def open(self, publisher: str, time_zone: str, first_date: int, first_slot: int) -> int:
        """The new calendar's number. Raises TimeZoneMissing."""
        if not time_zone:
            raise TimeZoneMissing
        self._calendars.append(Calendar(publisher, time_zone, first_date, first_slot))
        return len(self._calendars)

    def publish(self, calendar: int, first_day: int, days: bytes, now: int) -> None:
        """Appends days of three bytes each, slots 16 | kind 8.

        Raises CalendarUnknown, DayNotNext, DaysMalformed, DayHasBegun, DayMalformed.
        """
        found = self.calendar(calendar)
        if first_day != len(found.days):
            raise DayNotNext(first_day, len(found.days))
        if not 0 < len(days) <= MOST_DAYS * _BYTES_PER_DAY or len(days) % _BYTES_PER_DAY:
            raise DaysMalformed(len(days))
        begins_at = self._clock.start(found.next_slot)
        if first_day and begins_at <= now:
            raise DayHasBegun(first_day, begins_at)
        found.days += self._read(first_day, found.next_slot, days)

    def calendar(self, number: int) -> Calendar:
        """Raises CalendarUnknown."""
        if not 0 < number <= len(self._calendars):
            raise CalendarUnknown(number)
        return self._calendars[number - 1]

    def day_of(self, number: int, slot: int) -> int:
        """Index of the day that holds the slot. Raises CalendarUnknown, SlotOutsideCalendar."""
        found = self.calendar(number).find(slot)
        if found is None:
            raise SlotOutsideCalendar(number, slot)
        return found

    def _read(self, day: int, slot: int, days: bytes) -> list[PublishedDay]:
        read: list[PublishedDay] = []
        for place in range(0, len(days), _BYTES_PER_DAY):
            slots, kind = int.from_bytes(days[place : place + 2]), days[place + 2]
            if not kind or slots * self._clock.length not in (23 * _HOUR, 24 * _HOUR, 25 * _HOUR):
                raise DayMalformed(day + len(read), slots, kind)
            read.append(PublishedDay(slot, slots, kind))
            slot += slots
        return read


@dataclass(frozen=True)
class Sought:
    """`count` slots from `offset` on of a day of `length` slots. Before `change_hour` days of any length are alike."""

    offset: int
    count: int
    length: int
    change_hour: int

    def placed_on(self, day: PublishedDay) -> int | None:
        """Where the same time of that day begins: counted from its beginning before the change hour, else from its end.

        None where a day of another length does not have it, or only a part of it on the same side.
        """
        if day.slots == self.length or self.offset + self.count <= self.change_hour:
            return day.first + self.offset
        moved = self.offset + day.slots - self.length
        return day.first + moved if min(self.offset, moved) >= self.change_hour else None

    def slots_on(self, day: PublishedDay) -> Sequence[int] | None:
        """The slots themselves."""
        first = self.placed_on(day)
        return None if first is None else range(first, first + self.count)
