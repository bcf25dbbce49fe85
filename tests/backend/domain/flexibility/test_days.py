"""Calendars refuse what the contract refuses, and hold every slot in one day."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gridweave.domain.calendar import Day, find_zone, period_named
from gridweave.domain.errors import DomainError
from gridweave.domain.flexibility.day_errors import (
    CalendarUnknown,
    DayHasBegun,
    DayMalformed,
    DayNotNext,
    DaysMalformed,
    SlotOutsideCalendar,
    TimeZoneMissing,
)
from gridweave.domain.flexibility.days import MOST_DAYS, CalendarBook, PublishedDay, Sought
from gridweave.domain.slots import SlotClock

CLOCK = SlotClock(900)
FIRST = 2_000_000
USUAL = bytes((0, 96, 1))


def book_with(days: bytes) -> CalendarBook:
    book = CalendarBook(CLOCK)
    book.open("operator", "Europe/Berlin", 20_000, FIRST)
    if days:
        book.publish(1, 0, days, now=CLOCK.start(FIRST + 1_000))
    return book


@pytest.mark.parametrize(
    ("calendar", "first_day", "days", "refusal"),
    [
        (2, 1, USUAL, CalendarUnknown(2)),
        (0, 1, USUAL, CalendarUnknown(0)),
        (1, 0, USUAL, DayNotNext(0, 1)),
        (1, 2, USUAL, DayNotNext(2, 1)),
        (1, 1, b"", DaysMalformed(0)),
        (1, 1, USUAL[:2], DaysMalformed(2)),
        (1, 1, USUAL * (MOST_DAYS + 1), DaysMalformed(3 * MOST_DAYS + 3)),
        (1, 1, USUAL, DayHasBegun(1, CLOCK.start(FIRST + 96))),
    ],
)
def test_publish__given_what_cannot_be__is_refused(
    calendar: int, first_day: int, days: bytes, refusal: DomainError
) -> None:
    book = book_with(USUAL)
    with pytest.raises(type(refusal)) as refused:
        book.publish(calendar, first_day, days, now=CLOCK.start(FIRST + 96))
    assert refused.value.args == refusal.args
    assert len(book.calendar(1).days) == 1


@pytest.mark.parametrize(("slots", "kind"), [(0, 1), (95, 1), (101, 1), (98, 1), (96, 0)])
def test_publish__given_a_day_that_is_none__is_refused(slots: int, kind: int) -> None:
    with pytest.raises(DayMalformed) as refused:
        book_with(b"").publish(1, 0, USUAL + slots.to_bytes(2) + bytes([kind]), now=0)
    assert refused.value.args == DayMalformed(1, slots, kind).args


def test_open__without_a_time_zone__is_refused() -> None:
    with pytest.raises(TimeZoneMissing):
        CalendarBook(CLOCK).open("operator", "", 0, FIRST)


@pytest.mark.parametrize("slot", [FIRST - 1, FIRST + 96])
def test_day_of__a_slot_that_no_day_holds__is_refused(slot: int) -> None:
    with pytest.raises(SlotOutsideCalendar):
        book_with(USUAL).day_of(1, slot)


@given(st.lists(st.sampled_from((92, 96, 100)), min_size=1, max_size=30), st.data())
def test_day_of__any_slot__is_the_day_that_holds_it(lengths: list[int], data: st.DataObject) -> None:
    book = book_with(b"".join(length.to_bytes(2) + b"\x01" for length in lengths))
    slot = data.draw(st.integers(FIRST, FIRST + sum(lengths) - 1))
    day = book.calendar(1).days[book.day_of(1, slot)]
    assert day.first <= slot < day.first + day.slots


@pytest.mark.parametrize(
    ("offset", "count", "length", "moved"),
    [
        (4, 4, 92, 4),  # before two o'clock
        (8, 4, 92, None),  # the hour that is missing
        (12, 4, 92, 8),
        (72, 4, 92, 68),
        (4, 8, 92, None),  # on both sides of it
        (8, 4, 100, 12),  # two o'clock comes twice: the second is meant
        (72, 4, 100, 76),
        (72, 4, 96, 72),
    ],
)
def test_placed_on__a_day_of_another_length__is_the_same_time(
    offset: int, count: int, length: int, moved: int | None
) -> None:
    placed = Sought(offset, count, 96, 8).placed_on(PublishedDay(1_000, length, 1))
    assert placed == (None if moved is None else 1_000 + moved)


def day_of(name: str) -> Day:
    (day,) = period_named(name, find_zone("Europe/Berlin")).each_day(CLOCK)
    return day


@pytest.mark.parametrize("name", ["2026-03-29", "2026-10-25", "2026-11-27"])
def test_placed_on__days_of_a_real_zone__is_the_same_hour_of_the_clock(name: str) -> None:
    other = day_of(name)
    placed = Sought(72, 4, 96, 8).placed_on(PublishedDay(other.first, other.slots, 1))
    assert placed == other.end - 24, "18:00 is six hours before midnight"
