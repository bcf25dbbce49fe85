"""Days of time zones as slots: they tile the time line in every zone, whatever its clocks do."""

from __future__ import annotations

import itertools
import random
from datetime import UTC, date, datetime, timedelta
from zoneinfo import available_timezones

import pytest

from gridweave.domain.calendar import find_zone, local_day, period_named
from gridweave.domain.errors import PeriodMalformed, PeriodTooLong, ZoneUnknown
from gridweave.domain.slots import SlotClock

QUARTERS = SlotClock(900)
LENGTHS = (1, 60, 300, 900, 1_800, 3_600)
ODD = ("Australia/Lord_Howe", "Pacific/Apia", "America/St_Johns", "America/Sao_Paulo", "Asia/Kathmandu", "UTC")


def slots_of(name: str, zone: str, clock: SlotClock = QUARTERS) -> list[int]:
    return [day.slots for day in period_named(name, find_zone(zone)).each_day(clock)]


@pytest.mark.parametrize(
    ("day", "zone", "slots"),
    [
        ("2026-03-29", "Europe/Berlin", 92),
        ("2026-10-25", "Europe/Berlin", 100),
        ("2026-11-27", "Europe/Berlin", 96),
        ("2026-03-08", "America/New_York", 92),
        ("2026-04-05", "Australia/Lord_Howe", 98),
        ("2026-10-04", "Australia/Lord_Howe", 94),
        ("2018-11-04", "America/Sao_Paulo", 92),
        ("2018-02-17", "America/Sao_Paulo", 100),
        ("2006-10-29", "America/St_Johns", 96),
        ("2006-10-28", "America/St_Johns", 100),
        ("2011-12-30", "Pacific/Apia", 0),
        ("2011-12-29", "Pacific/Apia", 96),
        ("2026-03-29", "Asia/Tokyo", 96),
        ("2026-03-29", "UTC", 96),
    ],
)
def test_each_day__of_a_zone__has_the_quarter_hours_of_its_clocks(day: str, zone: str, slots: int) -> None:
    assert slots_of(day, zone) == [slots]


@pytest.mark.parametrize(
    ("name", "days", "slots"),
    [
        ("2026", 365, 35_040),
        ("2024", 366, 35_136),
        ("2026-11", 30, 2_880),
        ("2026-03", 31, 2_972),
        ("2026-W48", 7, 672),
        ("2026-03-29..2026-04-02", 5, 476),
    ],
)
def test_period_named__in_berlin__spans_its_days(name: str, days: int, slots: int) -> None:
    found = slots_of(name, "Europe/Berlin")
    assert (len(found), sum(found)) == (days, slots)


def test_each_day__of_random_zones_and_years__tiles_the_time_line(rng: random.Random) -> None:
    zones = [*ODD, *rng.sample(sorted(available_timezones()), 60)]
    for zone in map(find_zone, zones):
        year, clock = rng.randrange(1971, 2100), SlotClock(rng.choice(LENGTHS))
        period = period_named(str(year), zone)
        days = list(period.each_day(clock))
        case = (zone.key, year, clock.length)
        assert len(days) == period.days, case
        assert all(day.end == following.first for day, following in itertools.pairwise(days)), case
        assert all(day.slots >= 0 for day in days), case
        assert (days[0].first, days[-1].end) == (period.slots(clock).start, period.slots(clock).stop), case
        assert period_named(str(year + 1), zone).starts_at == period.ends_at, case


def test_local_day__of_random_moments__is_the_day_whose_slots_begin_there(rng: random.Random) -> None:
    zones = [*ODD, *rng.sample(sorted(available_timezones()), 60)]
    for zone in map(find_zone, zones):
        for _ in range(20):
            clock = SlotClock(rng.choice(LENGTHS))
            slot = rng.randrange(2**31) // clock.length + 1
            day = local_day(clock.start(slot), zone)
            (found,) = period_named(day.isoformat(), zone).each_day(clock)
            assert found.first <= slot < found.end, (zone.key, clock.length, slot)


def test_each_day__where_clocks_go_back_over_midnight__begins_at_the_second_midnight() -> None:
    zone = find_zone("America/St_Johns")
    (day,) = period_named("2006-10-29", zone).each_day(SlotClock(60))
    assert datetime.fromtimestamp(day.first * 60, UTC) == datetime(2006, 10, 29, 3, 30, tzinfo=UTC)
    early = int(datetime(2006, 10, 29, 2, 30, tzinfo=UTC).timestamp())
    assert local_day(early, zone) == date(2006, 10, 28), "a minute of the 29th came before the clocks went back"


def test_each_day__of_a_zone_off_the_grid_of_slots__takes_the_slots_that_start_in_it() -> None:
    (day,) = period_named("2026-06-01", find_zone("Asia/Kathmandu")).each_day(SlotClock(3_600))
    start = datetime(2026, 6, 1, tzinfo=UTC) - timedelta(hours=5, minutes=45)
    assert day.first * 3_600 - start.timestamp() == 45 * 60
    assert day.slots == 24


@pytest.mark.parametrize(
    "name",
    [
        "",
        "26",
        "2026-13",
        "2026-00",
        "2026-W00",
        "2025-W53",
        "2026-02-29",
        "2026-11-27..2026-11-26",
        "2026-11..2026-12",
        "1969",
        "2106",
        "9999",
        "0000",
        "9999-12-31",
        "2026-11-27..",
        "٢٠٢٦",
        "2026 ",
        "x" * 500,
    ],
)
def test_period_named__that_is_none__says_what_would_be(name: str) -> None:
    with pytest.raises(PeriodMalformed, match=r"2026-W48"):
        period_named(name, find_zone("UTC"))


def test_period_named__longer_than_a_year__says_how_long_it_may_be() -> None:
    with pytest.raises(PeriodTooLong) as caught:
        period_named("2026-01-01..2027-01-02", find_zone("UTC"))
    assert caught.value.values["most"] == 366


@pytest.mark.parametrize(
    "name",
    ["", "Berlin", "../etc/passwd", "/etc/localtime", "Europe", "europe/berlin", "a\0b", "localtime", "Factory"],
)
def test_find_zone__of_an_unknown_name__is_refused(name: str) -> None:
    with pytest.raises(ZoneUnknown):
        find_zone(name)
