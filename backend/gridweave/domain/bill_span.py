"""What a bill spans: a calendar period, or slots from one to another, by days of a zone."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any
from zoneinfo import ZoneInfo

from gridweave.domain.calendar import Day, Period, local_day, local_time
from gridweave.domain.slots import SlotClock

__all__ = ["BillSpan"]


@dataclass(frozen=True)
class BillSpan:
    """The slots of a bill, by days of a zone; the first and last day may be cut where slots were named."""

    name: str
    zone: ZoneInfo
    slots: range
    days: tuple[Day, ...]
    starts_at: int
    ends_at: int
    by_slots: bool = False

    @classmethod
    def of_period(cls, period: Period, clock: SlotClock) -> BillSpan:
        """Whole days."""
        days = tuple(period.each_day(clock))
        return cls(period.name, period.zone, period.slots(clock), days, period.starts_at, period.ends_at)

    @classmethod
    def of_slots(cls, first: int, last: int, zone: ZoneInfo, clock: SlotClock) -> BillSpan:
        """The slots first..last."""
        name, dates = f"{first}..{last}", [local_day(clock.start(slot), zone) for slot in (first, last)]
        period = Period(name, zone, *dates)
        days = tuple(Day(d.date, max(d.first, first), min(d.end, last + 1)) for d in period.each_day(clock))
        return cls(name, zone, range(first, last + 1), days, clock.start(first), clock.end(last), by_slots=True)

    def told(self, clock: SlotClock) -> dict[str, Any]:
        """The period as a bill says it, but for the moment at which it was asked for."""
        return {
            "name": self.name,
            "zone": self.zone.key,
            "days": len(self.days),
            "slots": len(self.slots),
            "slotLength": clock.length,
            "startsAt": self.starts_at,
            "endsAt": self.ends_at,
            "localStart": local_time(self.starts_at, self.zone).isoformat(),
            "localEnd": local_time(self.ends_at, self.zone).isoformat(),
        }

    def told_days(self) -> list[dict[str, Any]]:
        """Each day as a bill says it, but for its sums."""
        return [
            {"date": day.date.isoformat(), "from": day.first, "to": day.end - 1, "slots": day.slots}
            for day in self.days
        ]
