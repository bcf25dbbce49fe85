"""What a meter would have used (ResponseGauge): days like the event's, before notice, whose readings were final then.

Energy is net import, import less export, in Wh per slot; negative where a meter exports. Everything is an integer, and
every division rounds toward minus infinity. docs/flexibility.md has the rules in words.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import IntEnum

from gridweave.domain.flexibility.day_errors import CalledAcrossDays
from gridweave.domain.flexibility.days import CalendarBook, PublishedDay, Sought
from gridweave.domain.slots import SlotClock

__all__ = ["MOST_BACK", "WHOLE_BPS", "Called", "Gauge", "Measured", "Measuring", "Method", "NetOf"]

WHOLE_BPS = 10_000
LEAST_BPS, MOST_BPS = 8_000, 12_000
MOST_BACK = 45
"""Days back from the event's."""

_TWO_HOURS = 7_200

NetOf = Callable[[int, int], int | None]
"""Net import of a meter in a slot, None without a reading."""


class Method(IntEnum):
    """How a baseline is found, numbered as in the contract: how many days are looked at, taken, and needed."""

    FIXED = 0
    TEN_OF_TEN = 1
    HIGH_4_OF_5 = 2
    HIGH_5_OF_10 = 3
    MATCHED = 4

    @property
    def candidates(self) -> int:
        """Days looked at, at most."""
        return 5 if self is Method.HIGH_4_OF_5 else 10

    @property
    def chosen(self) -> int:
        """Days taken, at most."""
        return {Method.TEN_OF_TEN: 10, Method.HIGH_5_OF_10: 5, Method.HIGH_4_OF_5: 4}.get(self, 3)

    @property
    def least(self) -> int:
        """With fewer days there is no baseline."""
        return 5 if self is Method.TEN_OF_TEN else self.chosen


@dataclass(frozen=True)
class Measuring:
    """How a programme measures: windows in slots, `final_after` in seconds after a slot's end."""

    method: Method
    up: bool
    adjusted: bool
    calendar: int
    window_slots: int
    window_gap: int
    final_after: int


@dataclass(frozen=True)
class Called:
    """The slots of an event, and when notice of it was given (chain time, seconds)."""

    first_slot: int
    slots: int
    notice_at: int


@dataclass(frozen=True)
class Measured:
    """Per slot of the event. Without a baseline nothing is paid or charged; `missing` are slots without a reading."""

    has_baseline: bool
    baseline_wh: tuple[int, ...]
    actual_wh: tuple[int, ...]
    missing: frozenset[int]
    ratio_bps: int = WHOLE_BPS


@dataclass(frozen=True)
class _Profile:
    event: tuple[int | None, ...]
    window: tuple[int | None, ...]

    @property
    def is_whole(self) -> bool:
        return None not in self.event + self.window

    @property
    def event_wh(self) -> tuple[int, ...]:
        return tuple(wh or 0 for wh in self.event)

    @property
    def window_wh(self) -> tuple[int, ...]:
        return tuple(wh or 0 for wh in self.window)


class Gauge:
    """Measures by published days and recorded readings, as they are now: what it takes was final at notice."""

    def __init__(self, clock: SlotClock, calendars: CalendarBook, net_of: NetOf) -> None:
        self._clock, self._calendars, self._net_of = clock, calendars, net_of

    def measure(self, measuring: Measuring, meter: int, called: Called, event_days: int = 0) -> Measured:
        """Bit k of `event_days`: the day k + 1 before the event's was one of the meter's event days.

        Raises CalendarUnknown, SlotOutsideCalendar, CalledAcrossDays.
        """
        index = self._calendars.day_of(measuring.calendar, called.first_slot)
        day = self._calendars.calendar(measuring.calendar).days[index]
        event, window = self._sought(measuring, called, day)
        today = self._profile(meter, day, event, window)
        actual, missing = today.event_wh, frozenset(i for i, wh in enumerate(today.event) if wh is None)
        nothing = Measured(False, (0,) * called.slots, actual, missing)
        method = measuring.method
        if method is Method.FIXED:
            return Measured(True, nothing.baseline_wh, actual, missing)
        if method is Method.MATCHED and (not today.window or None in today.window):
            return nothing
        found = self._days_before(measuring, meter, called, index, event_days, (event, window))
        if len(found) < method.least:
            return nothing
        taken = _choose(found, today, measuring)
        ratio = _ratio(taken, today) if measuring.adjusted else WHOLE_BPS
        means = [sum(column) // len(taken) for column in zip(*(day.event_wh for day in taken), strict=True)]
        return Measured(True, tuple(mean * ratio // WHOLE_BPS for mean in means), actual, missing, ratio)

    def _sought(self, measuring: Measuring, called: Called, day: PublishedDay) -> tuple[Sought, Sought]:
        """The event's slots and the window's, which is empty unless all of it is of the event's day."""
        change_hour = _TWO_HOURS // self._clock.length
        offset = called.first_slot - day.first
        if offset + called.slots > day.slots:
            raise CalledAcrossDays(called.first_slot, called.slots)
        event = Sought(offset, called.slots, day.slots, change_hour)
        end = self._clock.slot_at(called.notice_at)
        begins = end - measuring.window_gap - measuring.window_slots - day.first
        wanted = measuring.adjusted or measuring.method is Method.MATCHED
        count = measuring.window_slots if wanted and begins >= 0 and end <= called.first_slot else 0
        return event, Sought(begins if count else 0, count, day.slots, change_hour)

    def _days_before(
        self,
        measuring: Measuring,
        meter: int,
        called: Called,
        index: int,
        event_days: int,
        sought: tuple[Sought, Sought],
    ) -> list[_Profile]:
        """Days like the event's, the newest first, that have every reading and had it for good at notice."""
        days = self._calendars.calendar(measuring.calendar).days
        final_slot = self._clock.slot_at(max(0, called.notice_at - measuring.final_after))
        found: list[_Profile] = []
        for back in range(min(MOST_BACK, index)):
            day = days[index - back - 1]
            if event_days >> back & 1 or day.kind != days[index].kind or not _is_final(day, sought, final_slot):
                continue
            profile = self._profile(meter, day, *sought)
            if profile.is_whole:
                found.append(profile)
            if len(found) == measuring.method.candidates:
                break
        return found

    def _profile(self, meter: int, day: PublishedDay, event: Sought, window: Sought) -> _Profile:
        def net(sought: Sought) -> tuple[int | None, ...]:
            return tuple(self._net_of(meter, slot) for slot in sought.slots_on(day) or ())

        return _Profile(net(event), net(window))


def _is_final(day: PublishedDay, sought: Sequence[Sought], final_slot: int) -> bool:
    """Whether the day has all that is sought, and none of it can change at notice."""
    for part in sought:
        first = part.placed_on(day)
        if part.count and (first is None or first + part.count > final_slot):
            return False
    return True


def _choose(found: Sequence[_Profile], today: _Profile, measuring: Measuring) -> list[_Profile]:
    """The days that the method takes; of days that are alike the newer."""

    def rank(profile: _Profile) -> int:
        if measuring.method is Method.MATCHED:
            pairs = zip(profile.window_wh, today.window_wh, strict=True)
            return -sum(abs(one - other) for one, other in pairs)
        return sum(profile.event_wh) * (-1 if measuring.up else 1)

    best = sorted(range(len(found)), key=lambda i: (-rank(found[i]), i))[: measuring.method.chosen]
    return [found[i] for i in best]


def _ratio(taken: Sequence[_Profile], today: _Profile) -> int:
    """What the event's day used in the window, of what the days taken did on the mean; within bounds, basis points."""
    if not today.window or None in today.window:
        return WHOLE_BPS
    before = sum(sum(profile.window_wh) for profile in taken)
    if before <= 0:
        return WHOLE_BPS
    return min(MOST_BPS, max(LEAST_BPS, sum(today.window_wh) * len(taken) * WHOLE_BPS // before))
