"""Readings of a stream, one by one for people and as a run of bytes for machines.

Canonical bytes of a reading, big endian: index (8), time in milliseconds UTC (8), firmware counter (4), then for each
channel of the schema a signed number (8). A run is any number of them, one after the other.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import cache
from itertools import chain, pairwise
from operator import gt, ne
from struct import Struct, error

from gridweave.domain.errors import FieldOutOfRange
from gridweave.domain.telemetry.errors import (
    ChannelCountWrong,
    ReadingGap,
    ReadingsMalformed,
    ReadingTimeOutOfRange,
    ReadingTimeRunsBack,
    ValueOutsideChannel,
)
from gridweave.domain.telemetry.schema import MOST_CHANNELS, Schema
from gridweave.domain.telemetry.windows import END_MS, WINDOW_MS, window_at

Column = Sequence[int]

MOST_READINGS = 1 << 14
"""Under one signature or in one packed run: 18 a second for a whole window. Nobody need make room for more."""

_FIXED = 3  # columns before those of the channels
_FIXED_SIZE = 20  # and their bytes
_TYPES = ("uint64", "uint64", "uint32")


@cache
def layout(channels: int) -> Struct:
    """How a reading of that many channels is packed."""
    if not 1 <= channels <= MOST_CHANNELS:
        raise ReadingsMalformed(0, f"a reading has 1 to {MOST_CHANNELS} channels")
    return Struct(f">QQI{channels}q")


@dataclass(frozen=True)
class Reading:
    """What a device measured `at_ms`, milliseconds UTC by its own clock, as the `index`th reading of its stream.

    `firmware` is the counter of the release that the device ran; `values` one number per channel of the schema.
    """

    index: int
    at_ms: int
    firmware: int
    values: tuple[int, ...]

    def pack(self) -> bytes:
        """Canonical bytes. Raises FieldOutOfRange."""
        return _pack((self.index, self.at_ms, self.firmware, *self.values))

    @classmethod
    def unpack(cls, raw: bytes) -> Reading:
        """The reading of canonical bytes. Raises as ReadingRun.decode."""
        run = ReadingRun.decode(raw, (len(raw) - _FIXED_SIZE) // 8)
        if len(run) != 1:
            raise ReadingsMalformed(len(raw), "one reading")
        return next(iter(run))


@dataclass(frozen=True)
class ReadingRun:
    """Readings of one stream, at least one: indexes without a gap, times that never run back.

    `columns` are the same readings the other way round: indexes, times, firmware counters, then each channel's values.
    """

    channels: int
    raw: bytes = field(repr=False)
    columns: tuple[Column, ...] = field(repr=False, compare=False)

    @classmethod
    def decode(cls, raw: bytes, channels: int) -> ReadingRun:
        """The run of canonical bytes.

        Raises ReadingsMalformed, ReadingGap, ReadingTimeRunsBack, ReadingTimeOutOfRange.
        """
        size = layout(channels).size
        if not raw or len(raw) % size:
            raise ReadingsMalformed(len(raw), f"one or more times {size} bytes")
        columns = tuple(zip(*layout(channels).iter_unpack(raw), strict=True))
        _must_be_in_order(columns[0], columns[1])
        return cls(channels, raw, columns)

    @classmethod
    def of(cls, readings: Iterable[Reading]) -> ReadingRun:
        """The run of these readings. Raises FieldOutOfRange and as `decode`."""
        rows = list(readings)
        if not rows:
            raise ReadingsMalformed(0, "a run has at least one reading")
        return cls.decode(b"".join(reading.pack() for reading in rows), len(rows[0].values))

    @classmethod
    def of_columns(cls, columns: tuple[Column, ...]) -> ReadingRun:
        """The run of these columns, all equally long and in range of their types. Raises as `decode`."""
        _must_be_in_order(columns[0], columns[1])
        channels, count = len(columns) - _FIXED, len(columns[0])
        row = layout(channels).format.removeprefix(">")
        raw = Struct(">" + row * count).pack(*chain.from_iterable(zip(*columns, strict=True)))
        return cls(channels, raw, columns)

    @classmethod
    def joined(cls, runs: Sequence[ReadingRun]) -> ReadingRun:
        """One run of several that follow each other. Raises ChannelCountWrong, ReadingGap, ReadingTimeRunsBack."""
        if len(runs) == 1:
            return runs[0]
        for before, after in pairwise(runs):
            _must_follow(before, after)
        columns = tuple(tuple(chain.from_iterable(parts)) for parts in zip(*(run.columns for run in runs), strict=True))
        return cls(runs[0].channels, b"".join(run.raw for run in runs), columns)

    def __len__(self) -> int:
        return len(self.columns[0])

    def __iter__(self) -> Iterator[Reading]:
        for index, at_ms, firmware, *values in zip(*self.columns, strict=True):
            yield Reading(index, at_ms, firmware, tuple(values))

    @property
    def first_index(self) -> int:
        """Index of the first reading."""
        return self.columns[0][0]

    @property
    def end_index(self) -> int:
        """The index that the next reading has."""
        return self.columns[0][-1] + 1

    @property
    def first_ms(self) -> int:
        """Time of the first reading, milliseconds UTC."""
        return self.columns[1][0]

    @property
    def last_ms(self) -> int:
        """Time of the last reading, milliseconds UTC."""
        return self.columns[1][-1]

    @property
    def records(self) -> list[bytes]:
        """Canonical bytes of each reading."""
        raw, size = self.raw, layout(self.channels).size
        return [raw[at : at + size] for at in range(0, len(raw), size)]

    def cut(self, first: int, end: int) -> ReadingRun:
        """The readings with indexes [first, end), which must lie in the run."""
        low, high = first - self.first_index, end - self.first_index
        size = layout(self.channels).size
        return ReadingRun(
            self.channels, self.raw[low * size : high * size], tuple(column[low:high] for column in self.columns)
        )

    def by_window(self) -> Iterator[tuple[int, ReadingRun]]:
        """The run's windows in order, each with its part of the run."""
        first = self.first_index
        while first < self.end_index:
            times = self.columns[1]
            window = window_at(times[first - self.first_index])
            end = self.first_index + bisect_left(times, (window + 1) * WINDOW_MS)
            yield window, self.cut(first, end)
            first = end

    def must_fit(self, schema: Schema) -> None:
        """Return if the readings are of this schema. Raises ChannelCountWrong, ValueOutsideChannel."""
        if self.channels != len(schema.channels):
            raise ChannelCountWrong(self.channels, len(schema.channels))
        for channel, column in zip(schema.channels, self.columns[_FIXED:], strict=True):
            for value in (min(column), max(column)):
                if not channel.not_measured <= value <= channel.highest:
                    raise ValueOutsideChannel(self.first_index + column.index(value), channel.name, value)


def _must_follow(before: ReadingRun, after: ReadingRun) -> None:
    if after.channels != before.channels:
        raise ChannelCountWrong(after.channels, before.channels)
    if after.first_index != before.end_index:
        raise ReadingGap(after.first_index, before.end_index)
    if after.first_ms < before.last_ms:
        raise ReadingTimeRunsBack(after.first_index, after.first_ms, before.last_ms)


def _must_be_in_order(indexes: Column, times: Column) -> None:
    first, count = indexes[0], len(indexes)
    if any(map(ne, indexes, range(first, first + count))):
        place = next(at for at, index in enumerate(indexes) if index != first + at)
        raise ReadingGap(indexes[place], first + place)
    if any(map(gt, times, times[1:])):
        place = next(at for at in range(1, count) if times[at - 1] > times[at])
        raise ReadingTimeRunsBack(indexes[place], times[place], times[place - 1])
    if times[-1] >= END_MS:
        place = bisect_left(times, END_MS)
        raise ReadingTimeOutOfRange(indexes[place], times[place])


def _pack(row: tuple[int, ...]) -> bytes:
    try:
        return layout(len(row) - _FIXED).pack(*row)
    except error as refused:
        for name, type_, value in zip(("index", "atMs", "firmware"), _TYPES, row, strict=False):
            if not 0 <= value < 1 << int(type_.removeprefix("uint")):
                raise FieldOutOfRange(name, type_, str(value)) from refused
        value = next(value for value in row[_FIXED:] if not -(1 << 63) <= value < 1 << 63)
        raise FieldOutOfRange("values", "int64", str(value)) from refused
