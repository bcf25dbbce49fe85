"""What an operator signs about calendars, for the DayCalendar. `first_date` counts days since 1970-01-01."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from gridweave.domain.eip712 import TYPES, StructType

__all__ = ["CalendarOpening", "DayPublication"]


@dataclass(frozen=True)
class CalendarOpening:
    """An operator opens a calendar, in which it alone publishes."""

    time_zone: str
    first_date: int
    first_slot: int
    nonce: int
    deadline: int

    TYPE: ClassVar[StructType] = TYPES["CalendarOpening"]


@dataclass(frozen=True)
class DayPublication:
    """Days from `first_day` on, three bytes each: slots 16 | kind 8."""

    calendar: int
    first_day: int
    days_: bytes
    nonce: int
    deadline: int

    TYPE: ClassVar[StructType] = TYPES["DayPublication"]
