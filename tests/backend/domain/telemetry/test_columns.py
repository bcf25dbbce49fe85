"""Packed readings: nothing is lost, one form is accepted, and no bytes make the reader take more than they may."""

from __future__ import annotations

import random
from dataclasses import replace
from itertools import product
from statistics import fmean

import pytest
import zstandard
from hypothesis import given, settings
from hypothesis import strategies as st

from gridweave.domain.telemetry.columns import pack, unpack
from gridweave.domain.telemetry.errors import (
    ColumnOutOfRange,
    ColumnsExtended,
    ColumnsNotCanonical,
    ColumnsNotCompressed,
    ColumnsRefusal,
    ColumnsSizeWrong,
    ColumnsTooMany,
    ColumnsTruncated,
    ReadingTimeRunsBack,
    TelemetryRefusal,
)
from gridweave.domain.telemetry.readings import MOST_READINGS, Reading, ReadingRun
from gridweave.domain.telemetry.varints import read_varint, unzigzag, write_varint, zigzag
from gridweave.domain.telemetry.windows import END_MS
from tests.backend.domain.telemetry.test_readings import runs
from tests.support.seed import seeded
from tests.support.telemetry import START_MS, home_seconds

RUN = home_seconds(seeded("columns"), 60)
PACKED = pack(RUN)
STEADY = ReadingRun.of(Reading(i, START_MS + 1_000 * i, 3, (5, 6, 7)) for i in range(5))
WIDTHS = 5
SEEDS = sum(len(write_varint(seed)) for seed in (START_MS, 1_000, 3, 5 * 2, 6 * 2, 7 * 2))
FRAME = PACKED.index(zstandard.FRAME_HEADER)


def framed(content: bytes, **options: object) -> bytes:
    return zstandard.ZstdCompressor(**options).compress(content)


@pytest.mark.parametrize("count", [-1, 0, MOST_READINGS + 1, 1 << 64])
def test_unpack__of_no_readings_or_too_many__is_refused(count: int) -> None:
    with pytest.raises(ColumnsTooMany):
        unpack(PACKED, 3, 0, count)


def test_pack__of_too_many__is_refused() -> None:
    rows = (Reading(i, START_MS, 1, (0,)) for i in range(MOST_READINGS + 1))
    with pytest.raises(ColumnsTooMany):
        pack(ReadingRun.of(rows))


@pytest.mark.parametrize("count", [59, 61, 1, 2, 600])
def test_unpack__of_another_count__is_refused(count: int) -> None:
    with pytest.raises((ColumnsSizeWrong, ColumnsExtended)):
        unpack(PACKED, 3, 0, count)


@pytest.mark.parametrize("channels", [1, 2, 4, 32])
def test_unpack__of_another_number_of_channels__is_refused(channels: int) -> None:
    with pytest.raises(ColumnsRefusal):
        unpack(PACKED, channels, 0, 60)


def test_unpack__of_truncated_bytes__is_refused() -> None:
    for length in range(len(PACKED)):
        with pytest.raises((ColumnsTruncated, ColumnsNotCompressed)):
            unpack(PACKED[:length], 3, 0, 60)


@pytest.mark.parametrize("extra", [b"\x00", b"\xff", PACKED[FRAME:], b"\x50\x2a\x4d\x18\x00\x00\x00\x00"])
def test_unpack__of_extended_bytes__is_refused(extra: bytes) -> None:
    with pytest.raises(ColumnsNotCompressed):
        unpack(PACKED + extra, 3, 0, 60)
    with pytest.raises(ColumnsExtended):
        unpack(pack(STEADY) + extra, 3, 0, 5)


@pytest.mark.parametrize("size", [1 << 16, 1 << 30, (1 << 64) - 1])
def test_unpack__of_a_frame_that_swells__is_refused_by_its_size(size: int) -> None:
    header = zstandard.FRAME_HEADER + bytes([0b1110_0000]) + size.to_bytes(8, "little")
    with pytest.raises((ColumnsSizeWrong, ColumnsNotCompressed)):
        unpack(PACKED[:FRAME] + header + bytes(20), 3, 0, 60)
    with pytest.raises(ColumnsSizeWrong):
        unpack(PACKED[:FRAME] + framed(bytes(1 << 14)), 3, 0, 60)
    with pytest.raises(ColumnsNotCompressed, match="one segment"):
        unpack(PACKED[:FRAME] + framed(bytes(1 << 24)), 3, 0, 60)


def test_unpack__of_a_frame_that_lies_about_its_size__is_refused() -> None:
    content = zstandard.ZstdDecompressor().decompress(PACKED[FRAME:])
    honest = framed(content + bytes(1_000_000))
    lying = zstandard.FRAME_HEADER + bytes([0b1110_0000]) + len(content).to_bytes(8, "little") + honest[9:]
    with pytest.raises(ColumnsNotCompressed):
        unpack(PACKED[:FRAME] + lying, 3, 0, 60)


@pytest.mark.parametrize("options", [{"write_checksum": True}, {"write_content_size": False}])
def test_unpack__of_a_frame_with_other_flags__is_refused(options: dict[str, bool]) -> None:
    content = zstandard.ZstdDecompressor().decompress(PACKED[FRAME:])
    with pytest.raises(ColumnsNotCompressed, match="one segment"):
        unpack(PACKED[:FRAME] + framed(content, **options), 3, 0, 60)
    assert unpack(PACKED[:FRAME] + framed(content), 3, 0, 60) == RUN


@pytest.mark.parametrize("column", range(WIDTHS))
def test_unpack__of_a_width_larger_than_need_be__is_refused(column: int) -> None:
    packed = pack(STEADY)
    wider = bytes([*packed[:column], 1, *packed[column + 1 :]]) + framed(bytes(4))
    with pytest.raises(ColumnsNotCanonical, match="width is the least"):
        unpack(wider, 3, 0, 5)
    widest = bytes([*packed[:column], 10, *packed[column + 1 :]]) + framed(bytes(40))
    with pytest.raises(ColumnsNotCanonical, match="at most 9"):
        unpack(widest, 3, 0, 5)


def test_unpack__of_another_step__is_refused() -> None:
    packed = pack(STEADY)
    assert packed == bytes(5) + b"".join(map(write_varint, (START_MS, 1_000, 3, 10, 12, 14)))
    step = write_varint(999)
    at = WIDTHS + len(write_varint(START_MS))
    forged = b"\x01" + packed[1:at] + step + packed[at + len(step) :] + framed(bytes([2] * 4))
    with pytest.raises(ColumnsNotCanonical, match="median"):
        unpack(forged, 3, 0, 5)


def test_unpack__of_a_varint_longer_than_need_be__is_refused() -> None:
    packed = pack(STEADY)
    with pytest.raises(ColumnsNotCanonical):
        unpack(packed[:-1] + bytes([packed[-1] | 0x80, 0]), 3, 0, 5)
    with pytest.raises(ColumnsNotCanonical):
        unpack(packed[:-1] + bytes([0x80] * 10 + [1]), 3, 0, 5)


@pytest.mark.parametrize(
    ("seeds", "column"),
    [
        ((END_MS, 3, 0, 0, 0), "atMs"),
        ((0, 1 << 32, 0, 0, 0), "firmware"),
        ((0, 0, 1 << 64, 0, 0), "values"),
        ((0, 0, 0, 0, (1 << 64) + 1), "values"),
    ],
)
def test_unpack__of_a_number_out_of_range__names_the_column(seeds: tuple[int, ...], column: str) -> None:
    with pytest.raises(ColumnOutOfRange, match=f"column={column},"):
        unpack(bytes(5) + b"".join(map(write_varint, seeds)), 3, 0, 1)


@pytest.mark.parametrize("first_index", [-1, 1 << 64, (1 << 64) - 59])
def test_unpack__of_indexes_out_of_range__is_refused(first_index: int) -> None:
    with pytest.raises(ColumnOutOfRange, match="index"):
        unpack(PACKED, 3, first_index, 60)
    assert unpack(PACKED, 3, (1 << 64) - 60, 60).end_index == 1 << 64


def test_unpack__of_times_that_run_back__is_refused() -> None:
    packed = pack(STEADY)
    backwards = b"\x02" + packed[1:] + framed(b"\x00\x07\x00\x00" + b"\x00\xd1\x00\x00")  # 1 s less, 1 s more, 0, 0
    with pytest.raises(ReadingTimeRunsBack):
        unpack(backwards, 3, 0, 5)


def test_unpack__with_any_byte_changed__refuses_or_reads_a_run() -> None:
    """Only what zstd itself ignores leaves the readings as they were, and it lies in the frame."""
    for place, flip in product(range(len(PACKED)), (*(1 << bit for bit in range(8)), *range(3, 256, 12))):
        changed = PACKED[:place] + bytes([PACKED[place] ^ flip]) + PACKED[place + 1 :]
        try:
            found = unpack(changed, 3, 0, 60)
        except TelemetryRefusal:
            continue
        assert ReadingRun.decode(found.raw, 3) == found
        assert found != RUN or place >= FRAME


@settings(max_examples=500, deadline=None)
@given(st.binary(max_size=80), st.integers(1, 4), st.integers(1, 30))
def test_unpack__of_any_bytes__refuses_by_name_or_reads_what_packs_alike(raw: bytes, channels: int, count: int) -> None:
    try:
        run = unpack(raw, channels, 0, count)
    except TelemetryRefusal:
        return
    assert unpack(pack(run), channels, 0, count) == run


@settings(max_examples=300, deadline=None)
@given(st.binary(max_size=40), st.integers(2, 12))
def test_unpack__of_any_compressed_bytes__refuses_by_name_or_reads_what_packs_alike(content: bytes, count: int) -> None:
    packed = bytes([2, 0, 1, 0, 0]) + b"".join(map(write_varint, (START_MS, 1_000, 3, 10, 12, 14))) + framed(content)
    try:
        run = unpack(packed, 3, 0, count)
    except TelemetryRefusal:
        return
    assert unpack(pack(run), 3, 0, count) == run


@settings(max_examples=300, deadline=None)
@given(runs())
def test_unpack__of_what_was_packed__is_the_same(run: ReadingRun) -> None:
    packed = pack(run)
    assert packed == pack(run)
    found = unpack(packed, 3, run.first_index, len(run))
    assert found == run
    assert found.columns[1:] == run.columns[1:]


@pytest.mark.parametrize("count", [1, 2, 3, 100, 600, 5_000])
def test_unpack__of_a_homes_seconds__is_the_same(count: int) -> None:
    run = home_seconds(seeded(f"home {count}"), count, first_index=77)
    assert unpack(pack(run), 3, 77, count) == run


def test_unpack__of_a_channel_that_was_not_measured__is_the_same() -> None:
    rows = [replace(row, values=(*row.values[:2], -32768)) if row.index % 7 else row for row in RUN]
    run = ReadingRun.of(rows)
    assert unpack(pack(run), 3, 0, 60) == run


def test_pack__of_600_of_a_homes_seconds__takes_under_4_bytes_a_reading() -> None:
    """Others reach 3.7 to 6.4 bytes; what noise the meter has decides, and this home's has 2 bytes of it."""
    sizes = [len(pack(home_seconds(random.Random(seed), 600))) / 600 for seed in range(10)]
    assert fmean(sizes) < 3.7
    assert max(sizes) < 4


@given(st.integers(0, (1 << 70) - 1), st.binary(max_size=3))
def test_read_varint__of_what_was_written__is_the_same(value: int, after: bytes) -> None:
    raw = write_varint(value)
    assert read_varint(b"xy" + raw + after, 2) == (value, 2 + len(raw))


@given(st.lists(st.integers(-(1 << 65), 1 << 65)))
def test_unzigzag__of_zigzag__is_the_same_and_never_negative(values: list[int]) -> None:
    assert unzigzag(zigzag(values)) == values
    assert min(zigzag(values), default=0) >= 0
