"""Events of the DayCalendar, as typed records."""

from __future__ import annotations

from dataclasses import dataclass

from gridweave.chain.event import Event

__all__ = ["CalendarOpened", "DaysPublished"]


@dataclass(frozen=True, slots=True)
class CalendarOpened(Event):
    """Day 0 has the date `first_date`, in days since 1970-01-01, and begins in `first_slot`."""

    calendar: int
    publisher: str
    time_zone: str
    first_date: int
    first_slot: int


@dataclass(frozen=True, slots=True)
class DaysPublished(Event):
    """Days from `first_day` on, three bytes each, the first of which begins in `first_slot`."""

    calendar: int
    first_day: int
    first_slot: int
    days_: bytes
