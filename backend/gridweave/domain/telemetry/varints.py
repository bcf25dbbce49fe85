"""Numbers in as few bytes as they need: seven bits a byte, lowest first, the top bit set on all but the last."""

from __future__ import annotations

from collections.abc import Iterable

from gridweave.domain.telemetry.errors import ColumnsNotCanonical, ColumnsTruncated

_MOST_BYTES = 10


def zigzag(values: Iterable[int]) -> list[int]:
    """Signed numbers as unsigned ones, small for small: 0, -1, 1, -2 ... as 0, 1, 2, 3 ..."""
    return [value << 1 if value >= 0 else ~(value << 1) for value in values]


def unzigzag(values: Iterable[int]) -> list[int]:
    """The signed numbers again."""
    return [~(value >> 1) if value & 1 else value >> 1 for value in values]


def write_varint(value: int) -> bytes:
    """The bytes of a number that is not negative."""
    written = bytearray()
    while value > 0x7F:
        written.append(value & 0x7F | 0x80)
        value >>= 7
    return bytes([*written, value])


def read_varint(raw: bytes, place: int) -> tuple[int, int]:
    """The number at `place`, and the place after it. Raises ColumnsTruncated, ColumnsNotCanonical."""
    value = 0
    for length in range(_MOST_BYTES):
        if place + length >= len(raw):
            raise ColumnsTruncated(len(raw))
        byte = raw[place + length]
        value |= (byte & 0x7F) << 7 * length
        if byte <= 0x7F:
            if byte == 0 and length:
                raise ColumnsNotCanonical("a number has no empty last byte")
            return value, place + length + 1
    raise ColumnsNotCanonical(f"a number has at most {_MOST_BYTES} bytes")
