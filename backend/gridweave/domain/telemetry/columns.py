"""Readings packed by column: what changes little from one to the next takes few bytes. Nothing is lost.

Packed are times, firmware counters and each channel's values; indexes follow from the first and the number of
readings, which stand elsewhere. Per column: its first value, then the differences from each value to the next, those of
times less the `step`, their lower median. A difference is zigzagged (0, -1, 1 ... as 0, 1, 2 ...) and all of a column
are written in as many bytes as the largest needs, its width, most significant bytes of all first.

    widths        1 byte each, 0 to 9, in the order of the columns
    first values  varints: of the time followed by the step if there are two readings, of the firmware, of each channel
                  zigzagged
    differences   a zstd frame (RFC 8878) of one segment, without checksum or dictionary; nothing if all widths are 0

Only the shortest widths and varints and the median step are accepted, so readings have one packed form, up to the
choices that RFC 8878 leaves to whoever compresses.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import accumulate, chain
from operator import sub
from statistics import median_low
from struct import Struct

import zstandard

from gridweave.domain.telemetry.errors import (
    ColumnOutOfRange,
    ColumnsExtended,
    ColumnsNotCanonical,
    ColumnsNotCompressed,
    ColumnsSizeWrong,
    ColumnsTooMany,
    ColumnsTruncated,
)
from gridweave.domain.telemetry.readings import MOST_READINGS, Column, ReadingRun
from gridweave.domain.telemetry.varints import read_varint, unzigzag, write_varint, zigzag
from gridweave.domain.telemetry.windows import END_MS

_LEVEL = 12  # the level from which planes of noise get a table of their own
_WIDEST = 9  # two int64 are up to 65 bits apart
_ROOM = ((1, "B"), (1, "B"), (2, "H"), (4, "I"), (4, "I"), (8, "Q"), (8, "Q"), (8, "Q"), (8, "Q"), (9, ""))
"""By width: how many bytes a number is first written in, and struct's letter for it; the upper ones are left out."""

_MAGIC = zstandard.FRAME_HEADER
_ALL_FLAGS = 0b0011_1111  # of a frame's descriptor, but for those that say how its size is written
_ONE_SEGMENT = 0b0010_0000  # no checksum, no dictionary, and no more memory than the size


def pack(run: ReadingRun) -> bytes:
    """The run's packed form. Raises ColumnsTooMany."""
    _must_be_few(len(run))
    _, times, *others = run.columns
    differences = [_steps(times), *(zigzag(_differences(column)) for column in others)]
    widths = [_width(column) for column in differences]
    planes = [plane for column, width in zip(differences, widths, strict=True) for plane in _planes(column, width)]
    return bytes(widths) + _firsts(run) + _compress(planes)


def unpack(raw: bytes, channels: int, first_index: int, count: int) -> ReadingRun:
    """The run of `count` readings from `first_index` on that was packed.

    Raises a ColumnsRefusal for the form, and as ReadingRun.decode for what the readings say.
    """
    _must_be_few(count)
    if not 0 <= first_index <= (1 << 64) - count:
        raise ColumnOutOfRange("index", "uint64")
    columns = 2 + channels
    widths = list(raw[:columns])
    if len(widths) < columns:
        raise ColumnsTruncated(len(raw))
    if max(widths) > _WIDEST:
        raise ColumnsNotCanonical(f"a width is at most {_WIDEST}")
    firsts, place = _read_firsts(raw, columns, count)
    planes = _decompress(raw[place:], sum(widths) * (count - 1))
    return ReadingRun.of_columns((range(first_index, first_index + count), *_columns(planes, widths, firsts, count)))


def _steps(times: Column) -> list[int]:
    if len(times) == 1:
        return []
    differences = _differences(times)
    step = median_low(differences)
    return zigzag([difference - step for difference in differences])


def _differences(column: Column) -> list[int]:
    return list(map(sub, column[1:], column))


def _width(zigzagged: Sequence[int]) -> int:
    return (max(zigzagged, default=0).bit_length() + 7) // 8


def _planes(column: Sequence[int], width: int) -> Iterator[bytes]:
    """All most significant bytes, then all next ones, and so on."""
    room, code = _ROOM[width]
    together = Struct(f">{len(column)}{code}").pack(*column) if code else _nines(column)
    yield from (together[place::room] for place in range(room - width, room))


def _nines(column: Sequence[int]) -> bytes:
    return b"".join([value.to_bytes(_WIDEST, "big") for value in column])


def _firsts(run: ReadingRun) -> bytes:
    _, times, firmware, *channels = run.columns
    step = [median_low(_differences(times))] if len(times) > 1 else []
    firsts = [times[0], *step, firmware[0], *zigzag(column[0] for column in channels)]
    return b"".join(map(write_varint, firsts))


def _read_firsts(raw: bytes, columns: int, count: int) -> tuple[list[int], int]:
    """First time, step (0 for one reading), first firmware, first values; and the place after them."""
    firsts, place = [], columns
    for _ in range(columns + (count > 1)):
        first, place = read_varint(raw, place)
        firsts.append(first)
    if count == 1:
        firsts.insert(1, 0)
    return [*firsts[:3], *unzigzag(firsts[3:])], place


def _compress(planes: Sequence[bytes]) -> bytes:
    """One frame with a block for each plane, for each is distributed in its own way."""
    if not planes:
        return b""
    compressor = zstandard.ZstdCompressor(level=_LEVEL).compressobj(size=sum(map(len, planes)))
    parts = [compressor.compress(plane) + compressor.flush(zstandard.COMPRESSOBJ_FLUSH_BLOCK) for plane in planes]
    return b"".join(parts) + compressor.flush()


def _decompress(frame: bytes, expected: int) -> bytes:
    """The frame's content, no byte of which is made room for unless it names the expected size."""
    if expected == 0:
        if frame:
            raise ColumnsExtended(len(frame))
        return b""
    if len(frame) <= len(_MAGIC):
        raise ColumnsTruncated(len(frame))
    if not frame.startswith(_MAGIC) or frame[len(_MAGIC)] & _ALL_FLAGS != _ONE_SEGMENT:
        raise ColumnsNotCompressed("a zstd frame of one segment, without checksum and dictionary")
    try:
        size = zstandard.frame_content_size(frame)
        if size != expected:
            raise ColumnsSizeWrong(size, expected)
        content: bytes = zstandard.ZstdDecompressor().decompress(frame, allow_extra_data=False)
    except zstandard.ZstdError as error:
        raise ColumnsNotCompressed(str(error)) from error
    return content


def _columns(planes: bytes, widths: Sequence[int], firsts: Sequence[int], count: int) -> Iterator[Column]:
    first_ms, step, firmware, *values = firsts
    taken = _zigzagged(planes, widths, count - 1)
    yield _times(first_ms, step, unzigzag(next(taken)))
    yield _within("firmware", accumulate(chain([firmware], unzigzag(next(taken)))), 0, 1 << 32)
    for first, zigzagged in zip(values, taken, strict=True):
        yield _within("values", accumulate(chain([first], unzigzag(zigzagged))), -(1 << 63), 1 << 63)


def _zigzagged(planes: bytes, widths: Sequence[int], each: int) -> Iterator[Sequence[int]]:
    """Each column's differences. Raises ColumnsNotCanonical when a width is larger than need be."""
    place = 0
    for width in widths:
        part = planes[place : place + width * each]
        place += len(part)
        if width and not any(part[:each]):
            raise ColumnsNotCanonical("a width is the least that holds the largest difference")
        yield _values(part, width, each)


def _values(part: bytes, width: int, each: int) -> Sequence[int]:
    if width == 0:
        return [0] * each
    room, code = _ROOM[width]
    together = bytearray(room * each)
    for place in range(width):
        together[room - width + place :: room] = part[place * each : (place + 1) * each]
    if code:
        return Struct(f">{each}{code}").unpack(together)
    return [int.from_bytes(together[at : at + room], "big") for at in range(0, len(together), room)]


def _times(first_ms: int, step: int, residues: list[int]) -> Column:
    if residues and median_low(residues) != 0:
        raise ColumnsNotCanonical("the step is the median of the differences")
    return _within("atMs", accumulate(chain([first_ms], [step + residue for residue in residues])), 0, END_MS)


def _within(name: str, values: Iterable[int], low: int, end: int) -> Column:
    column = tuple(values)
    if min(column) < low or max(column) >= end:
        raise ColumnOutOfRange(name, f"from {low} to below {end}")
    return column


def _must_be_few(count: int) -> None:
    if not 1 <= count <= MOST_READINGS:
        raise ColumnsTooMany(count, MOST_READINGS)
