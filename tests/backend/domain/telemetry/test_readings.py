"""Readings: a fixed layout, and runs without a gap whose time never runs back."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gridweave.domain.errors import FieldOutOfRange
from gridweave.domain.telemetry.errors import (
    ChannelCountWrong,
    ReadingGap,
    ReadingsMalformed,
    ReadingTimeOutOfRange,
    ReadingTimeRunsBack,
    ValueOutsideChannel,
)
from gridweave.domain.telemetry.readings import Reading, ReadingRun
from gridweave.domain.telemetry.schema import Channel, Schema
from gridweave.domain.telemetry.windows import END_MS, WINDOW_MS, window_at
from tests.support.seed import seeded
from tests.support.telemetry import SCHEMA, START_MS, home_seconds

READING = Reading(5, START_MS, 3, (230, -4, 1 << 40))
int64 = st.integers(-(1 << 63), (1 << 63) - 1)


@st.composite
def runs(draw, channels: int = 3, most: int = 20) -> ReadingRun:
    """Any run, with numbers as large as they may be."""
    count = draw(st.integers(1, most))
    first = draw(st.one_of(st.just(0), st.integers(0, (1 << 64) - most)))
    times = sorted(draw(st.lists(st.integers(0, END_MS - 1), min_size=count, max_size=count)))
    firmware = st.integers(0, (1 << 32) - 1)
    values = st.tuples(*[int64] * channels)
    return ReadingRun.of(Reading(first + i, times[i], draw(firmware), draw(values)) for i in range(count))


@pytest.mark.parametrize("length", [0, 1, 43, 45, 87])
def test_decode__of_bytes_cut_elsewhere__is_refused(length: int) -> None:
    with pytest.raises(ReadingsMalformed, match="44 bytes"):
        ReadingRun.decode((READING.pack() * 2)[:length], 3)


@pytest.mark.parametrize("channels", [-1, 0, 33])
def test_decode__of_no_channels_or_too_many__is_refused(channels: int) -> None:
    with pytest.raises(ReadingsMalformed, match="1 to 32 channels"):
        ReadingRun.decode(READING.pack(), channels)


@pytest.mark.parametrize("raw", [b"", bytes(20), READING.pack()[:-1], READING.pack() + b"\x00", READING.pack() * 2])
def test_unpack__of_anything_but_one_reading__is_refused(raw: bytes) -> None:
    with pytest.raises((ReadingsMalformed, ReadingGap)):
        Reading.unpack(raw)


@pytest.mark.parametrize("index", [0, 5, 7, (1 << 64) - 1])
def test_run__with_any_other_index_next__is_refused(index: int) -> None:
    with pytest.raises(ReadingGap) as refusal:
        ReadingRun.of([READING, replace(READING, index=index)])
    assert refusal.value.values == {"index": index, "expected": 6}


def test_run__with_two_readings_swapped__is_refused() -> None:
    rows = list(home_seconds(seeded("swapped"), 6))
    with pytest.raises(ReadingGap):
        ReadingRun.of([*rows[:2], rows[3], rows[2], *rows[4:]])


def test_run__when_time_runs_back__is_refused() -> None:
    with pytest.raises(ReadingTimeRunsBack) as refusal:
        ReadingRun.of([READING, replace(READING, index=6, at_ms=START_MS - 1)])
    assert refusal.value.values == {"index": 6, "atMs": START_MS - 1, "previousMs": START_MS}


@pytest.mark.parametrize("at_ms", [END_MS, (1 << 64) - 1])
def test_run__when_time_has_no_window__is_refused(at_ms: int) -> None:
    with pytest.raises(ReadingTimeOutOfRange):
        ReadingRun.of([READING, replace(READING, index=6, at_ms=at_ms)])


def test_joined__of_runs_that_do_not_follow__is_refused() -> None:
    run = home_seconds(seeded("joined"), 9)
    later = home_seconds(seeded("joined later"), 3, first_index=9, start_ms=START_MS + 60_000)
    for others in ([run, run], [run.cut(0, 3), run.cut(4, 9)], [run.cut(3, 9), run.cut(0, 3)]):
        with pytest.raises(ReadingGap):
            ReadingRun.joined(others)
    with pytest.raises(ReadingTimeRunsBack):
        ReadingRun.joined([run, home_seconds(seeded("earlier"), 3, first_index=9, start_ms=START_MS - 60_000)])
    with pytest.raises(ChannelCountWrong):
        ReadingRun.joined([run, ReadingRun.of([Reading(9, START_MS + 60_000, 3, (1, 2))])])
    assert ReadingRun.joined([run, later]) == ReadingRun.of([*run, *later])


def test_run__of_nothing__is_refused() -> None:
    with pytest.raises(ReadingsMalformed, match="at least one"):
        ReadingRun.of([])


@pytest.mark.parametrize(
    ("changed", "field"),
    [
        ({"index": -1}, "index"),
        ({"index": 1 << 64}, "index"),
        ({"at_ms": 1 << 64}, "atMs"),
        ({"firmware": 1 << 32}, "firmware"),
        ({"values": (0, 1 << 63, 0)}, "values"),
        ({"values": (0, 0, -(1 << 63) - 1)}, "values"),
    ],
)
def test_pack__given_a_number_out_of_range__names_the_field(changed: dict[str, object], field: str) -> None:
    with pytest.raises(FieldOutOfRange, match=f"field={field},"):
        replace(READING, **changed).pack()


@pytest.mark.parametrize(("channel", "value"), [(0, 1 << 31), (0, -(1 << 31) - 1), (1, 1 << 15), (2, -(1 << 15) - 1)])
def test_must_fit__given_a_value_beyond_its_width__names_reading_and_channel(channel: int, value: int) -> None:
    rows = list(home_seconds(seeded("beyond"), 9, first_index=100))
    values = list(rows[4].values)
    values[channel] = value
    rows[4] = replace(rows[4], values=tuple(values))
    with pytest.raises(ValueOutsideChannel) as refusal:
        ReadingRun.of(rows).must_fit(SCHEMA)
    assert refusal.value.values == {"index": 104, "channel": SCHEMA.channels[channel].name, "value": value}


def test_must_fit__given_other_channels__is_refused() -> None:
    with pytest.raises(ChannelCountWrong):
        home_seconds(seeded("count"), 3).must_fit(Schema((Channel("power", "W", 0, 4),)))


def test_must_fit__given_the_ends_of_each_width__returns() -> None:
    low = tuple(channel.not_measured for channel in SCHEMA.channels)
    high = tuple(channel.highest for channel in SCHEMA.channels)
    ReadingRun.of([replace(READING, values=low), replace(READING, index=6, values=high)]).must_fit(SCHEMA)


def test_pack__of_a_reading__is_the_documented_layout() -> None:
    raw = (5).to_bytes(8, "big") + START_MS.to_bytes(8, "big") + (3).to_bytes(4, "big")
    raw += (230).to_bytes(8, "big") + (-4).to_bytes(8, "big", signed=True) + (1 << 40).to_bytes(8, "big")
    assert READING.pack() == raw
    assert Reading.unpack(raw) == READING


@settings(max_examples=100, deadline=None)
@given(runs())
def test_run__in_any_form__is_the_same(run: ReadingRun) -> None:
    assert ReadingRun.decode(run.raw, 3) == run == ReadingRun.of(run) == ReadingRun.of_columns(run.columns)
    assert ReadingRun.of_columns(run.columns).columns == run.columns
    assert [Reading.unpack(record) for record in run.records] == list(run)
    parts = [run.cut(index, index + 1) for index in range(run.first_index, run.end_index)]
    assert ReadingRun.joined(parts) == run


def test_by_window__of_a_run_over_three__gives_each_its_own() -> None:
    run = home_seconds(seeded("windows"), 1_000, first_index=40, start_ms=START_MS - 50_000)
    parts = list(run.by_window())
    assert [window for window, _ in parts] == [window_at(START_MS) + offset for offset in (-1, 0, 1)]
    assert [len(part) for _, part in parts] == [50, 900, 50]
    assert ReadingRun.joined([part for _, part in parts]) == run
    assert all(window_at(r.at_ms) == window for window, part in parts for r in part)
    assert START_MS % WINDOW_MS == 0
