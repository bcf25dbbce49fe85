"""Days of a time zone, published ahead. Every call may be sent by anyone."""

from __future__ import annotations

from typing import ClassVar

from gridweave.chain.contracts.acts import Act
from gridweave.chain.contracts.base import Contract
from gridweave.chain.types import Call
from gridweave.domain.flexibility.day_acts import CalendarOpening, DayPublication
from gridweave.domain.flexibility.days import PublishedDay

__all__ = ["DayCalendar"]


class DayCalendar(Contract):
    """Calendars are numbered from 1, their days from 0."""

    NAME: ClassVar[str] = "DayCalendar"

    async def calendar_count(self, block: int | None = None) -> int:
        return int(await self._result("calendarCount", block=block))

    async def day_count(self, calendar: int, block: int | None = None) -> int:
        """How many days are published."""
        return int((await self._results("calendarOf", calendar, block=block))[3])

    async def day_at(self, calendar: int, day: int, block: int | None = None) -> PublishedDay:
        return PublishedDay(*await self._result("dayAt", calendar, day, block=block))

    async def day_of_slot(self, calendar: int, slot: int, block: int | None = None) -> tuple[int, PublishedDay]:
        """The day that holds the slot, and its index."""
        index, day = await self._results("dayOfSlot", calendar, slot, block=block)
        return int(index), PublishedDay(*day)

    def open_calendar(self, said: CalendarOpening, operator: Act) -> Call:
        return self.call("openCalendar", said.time_zone, said.first_date, said.first_slot, operator.abi())

    def publish_days(self, said: DayPublication, operator: Act) -> Call:
        return self.call("publishDays", said.calendar, said.first_day, said.days_, operator.abi())
