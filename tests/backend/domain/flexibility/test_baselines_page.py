"""The example in docs/baselines.md is what the domain computes: inputs are read from the page, numbers compared."""

from __future__ import annotations

from pathlib import Path

from gridweave.domain.flexibility.baselines import Called, Gauge, Measuring, Method
from gridweave.domain.flexibility.days import CalendarBook
from gridweave.domain.slots import SlotClock

PAGE = Path(__file__).resolve().parents[4] / "docs" / "baselines.md"
CLOCK = SlotClock(900)
FIRST, DAY = 2_000_000, 96
WINDOW, EVENT = 60, 72
METER = 7


def _tables() -> list[list[list[str]]]:
    """The two tables of the example: cells of each row below its head."""
    section = PAGE.read_text().split("## An example\n")[1].split("\n## ")[0]
    tables: list[list[list[str]]] = [[]]
    for line in section.splitlines():
        if line.startswith("|"):
            tables[-1].append([cell.strip() for cell in line[1:-1].split("|")])
        elif tables[-1]:
            tables.append([])
    return [table[2:] for table in tables if table]


def test_example__as_it_stands_on_the_page__is_what_the_domain_computes() -> None:
    history, told = _tables()
    net: dict[int, int] = {}
    for back, row in zip((5, 4, 3, 2, 1, 0), history, strict=True):
        first = FIRST + (5 - back) * DAY
        places = first + EVENT, first + EVENT + 1, first + WINDOW, first + WINDOW + 1
        net |= dict(zip(places, map(int, row[1:]), strict=True))
    calendars = CalendarBook(CLOCK)
    calendars.publish(calendars.open("operator", "Europe/Berlin", 0, FIRST), 0, bytes((0, DAY, 1)) * 6, now=0)
    event = FIRST + 5 * DAY + EVENT
    called = Called(event, 2, CLOCK.start(event - EVENT + WINDOW + 2))
    measuring = Measuring(Method.TEN_OF_TEN, False, True, 1, 2, 0, final_after=0)
    measured = Gauge(CLOCK, calendars, lambda _, slot: net.get(slot)).measure(measuring, METER, called)
    rows = {row[0]: [int(cell) for cell in row[1:]] for row in told}
    assert list(measured.baseline_wh) == rows["baseline"]
    assert [measured.ratio_bps] * 2 == rows["ratio"]
    assert list(measured.actual_wh) == [int(cell) for cell in history[-1][1:3]]
    plain = Gauge(CLOCK, calendars, lambda _, slot: net.get(slot)).measure(
        Measuring(Method.TEN_OF_TEN, False, False, 1, 2, 0, final_after=0), METER, called
    )
    assert list(plain.baseline_wh) == rows["mean"]
