"""Baselines: which days count, which a method takes, how they are adjusted, and what nobody can change after notice."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gridweave.domain.flexibility.baselines import Called, Gauge, Measured, Measuring, Method
from gridweave.domain.flexibility.day_errors import CalledAcrossDays
from gridweave.domain.flexibility.days import CalendarBook
from gridweave.domain.slots import SlotClock

CLOCK = SlotClock(900)
FIRST, DAY, DAYS = 2_000_000, 96, 40
TODAY = FIRST + (DAYS - 1) * DAY
EVENT = TODAY + 72
NOTICE = CLOCK.start(EVENT - 4)
WEEK = 7 * 86_400
METER = 5
SLOTS, WINDOW = 2, 4


class History:
    """Forty working days, and what a meter used in each: `wh` in the event's slots, `window_wh` in the window's."""

    def __init__(self) -> None:
        self.calendars = CalendarBook(CLOCK)
        self.calendars.open("operator", "Europe/Berlin", 0, FIRST)
        self.calendars.publish(1, 0, bytes((0, DAY, 1)) * DAYS, now=0)
        self.net: dict[int, int] = {}

    def had(self, back: int, wh: int, window_wh: int = 500) -> None:
        first = EVENT - back * DAY
        self.net |= dict.fromkeys(range(first, first + SLOTS), wh)
        self.net |= dict.fromkeys(range(first - 4 - WINDOW, first - 4), window_wh)

    def measure(self, method: Method = Method.TEN_OF_TEN, *, up: bool = False, event_days: int = 0) -> Measured:
        measuring = Measuring(method, up, True, 1, WINDOW, 0, WEEK)
        gauge = Gauge(CLOCK, self.calendars, lambda _, slot: self.net.get(slot))
        return gauge.measure(measuring, METER, Called(EVENT, SLOTS, NOTICE), event_days)


@pytest.fixture
def history() -> History:
    found = History()
    for i in range(10):
        found.had(8 + i, 1_000 + 10 * i)
    found.had(0, 300)
    return found


def test_measure__an_event_that_leaves_its_day__is_refused(history: History) -> None:
    measuring = Measuring(Method.TEN_OF_TEN, False, True, 1, WINDOW, 0, WEEK)
    with pytest.raises(CalledAcrossDays):
        Gauge(CLOCK, history.calendars, lambda *_: 0).measure(measuring, METER, Called(TODAY + DAY - 1, 2, NOTICE))


@pytest.mark.parametrize(
    ("method", "up", "baseline"),
    [
        (Method.TEN_OF_TEN, False, 1_045),
        (Method.HIGH_5_OF_10, False, 1_070),
        (Method.HIGH_5_OF_10, True, 1_020),
        (Method.HIGH_4_OF_5, False, 1_025),
        (Method.MATCHED, False, 1_010),
        (Method.FIXED, False, 0),
    ],
)
def test_measure__ten_days__takes_what_the_method_says(
    history: History, method: Method, up: bool, baseline: int
) -> None:
    measured = history.measure(method, up=up)
    assert (measured.has_baseline, measured.baseline_wh) == (True, (baseline,) * SLOTS)
    assert measured.actual_wh == (300,) * SLOTS


@pytest.mark.parametrize("method", [method for method in Method if method is not Method.FIXED])
def test_measure__one_day_too_few__has_no_baseline(method: Method) -> None:
    history = History()
    history.had(0, 300)
    for i in range(method.least - 1):
        history.had(8 + i, 1_000)
    assert not history.measure(method).has_baseline
    history.had(20, 1_000)
    assert history.measure(method).has_baseline


def test_measure__days_that_do_not_count__looks_further_back(history: History) -> None:
    history.had(18, 2_000)
    history.had(7, 9_000)  # its last slot was final an hour too late
    del history.net[EVENT - 9 * DAY]
    assert history.measure(event_days=1 << 7).baseline_wh == (1_160,) * SLOTS, "1,020 to 1,090 and 2,000"


@pytest.mark.parametrize(
    ("window_wh", "ratio", "baseline"), [(550, 11_000, 1_149), (900, 12_000, 1_254), (0, 8_000, 836), (-9, 8_000, 836)]
)
def test_measure__another_use_before_notice__adjusts_within_bounds(
    history: History, window_wh: int, ratio: int, baseline: int
) -> None:
    history.had(0, 300, window_wh)
    measured = history.measure()
    assert (measured.ratio_bps, measured.baseline_wh[0]) == (ratio, baseline)


def test_measure__a_meter_that_gives__rounds_down_and_adjusts_nothing(history: History) -> None:
    for i in range(10):
        history.had(8 + i, -101 if i == 0 else -100, window_wh=-50)
    measured = history.measure()
    assert (measured.ratio_bps, measured.baseline_wh[0]) == (10_000, -101)


@given(st.data())
def test_measure__whatever_is_recorded_after_notice__stays(data: st.DataObject) -> None:
    history = History()
    for i in range(12):
        history.had(8 + i, data.draw(st.integers(-3_000, 3_000)), data.draw(st.integers(-500, 3_000)))
    history.had(0, 0)
    method = data.draw(st.sampled_from(Method))
    before = history.measure(method)
    for back in range(1, 8):
        history.had(back, data.draw(st.integers(-3_000, 3_000)))
    history.net |= dict.fromkeys(range(EVENT - 4, EVENT), 3_000)
    after = history.measure(method)
    assert (after.has_baseline, after.baseline_wh) == (before.has_baseline, before.baseline_wh)
