from __future__ import annotations

import random
import re

import pytest

from gridweave.demo.charts import Axis, area, band, nice_axis, spark, stacks, steps

AXIS = Axis(0, 100, (0, 50, 100))


@pytest.mark.parametrize(
    ("low", "high", "marks"),
    [
        (0, 300_000, (0, 50_000, 100_000, 150_000, 200_000, 250_000, 300_000)),
        (-1_900, 6_200, (-2_000, 0, 2_000, 4_000, 6_000, 8_000)),
        (0, 0, (0, 1)),
        (5, 5, (5, 6)),
    ],
)
def test_nice_axis__given_a_span__marks_round_numbers(low: int, high: int, marks: tuple[int, ...]) -> None:
    assert nice_axis(low, high, 6).marks == marks


def test_nice_axis__given_any_span__holds_it_between_few_marks(rng: random.Random) -> None:
    for _ in range(500):
        low = rng.randint(-(10**9), 10**9)
        axis = nice_axis(low, low + rng.randint(0, 10**9))
        assert axis.low <= low
        assert axis.high >= low
        assert 2 <= len(axis.marks) <= 7


def test_axis_y__given_its_ends__is_top_and_bottom() -> None:
    assert (AXIS.y(100), AXIS.y(0), AXIS.y(25)) == ("0.00", "100.00", "75.00")


def test_steps__given_a_gap__lifts_the_pen() -> None:
    assert steps([10, 20, None, 30], AXIS) == "M0 90.00H1L1 80.00H2M3 70.00H4"


def test_steps__given_nothing__draws_nothing() -> None:
    assert (steps([], AXIS), steps([None], AXIS), area([], AXIS)) == ("", "", "")


def test_area__given_values__closes_on_the_ground() -> None:
    assert area([10, 20], AXIS) == "M0 100.00L0 90.00H1L1 80.00H2V100.00Z"


def test_band__given_a_slot_without_an_interval__leaves_it_out() -> None:
    shapes = band([10, None, 30], [20, 20, None], AXIS)
    assert len(re.findall("M", shapes)) == 1


@pytest.mark.parametrize(
    ("values", "width", "line"),
    [
        ([], 8, ""),
        ([None, None], 8, "··"),
        ([1, 2, 3], 8, "▁▄█"),
        ([5, 5], 8, "▁▁"),
        ([0, 0, 8, 8], 2, "▁█"),
        ([None, 0, 8, None], 4, "·▁█·"),
    ],
)
def test_spark__given_values__shows_their_course(values: list[int | None], width: int, line: str) -> None:
    assert spark(values, width) == line


def test_stacks__given_values_alike__stands_them_on_each_other() -> None:
    assert stacks([0, 1, 1, 50, 100], AXIS, 10) == [(0, 0), (0, 1), (0, 2), (5, 0), (9, 0)]
