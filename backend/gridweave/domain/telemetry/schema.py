"""A stream's schema: what each number of a reading means. Fixed for the life of a stream, named by its hash.

Canonical bytes: 0x01, the number of channels (1 byte), then for each channel in order: length of the name (1 byte),
name, length of the unit (1 byte), unit, scale (1 byte, two's complement), width (1 byte).
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from decimal import Decimal
from functools import cached_property
from hashlib import sha256

from gridweave.domain.telemetry.errors import ChannelMalformed, SchemaMalformed

MOST_CHANNELS = 32
WIDTHS = (1, 2, 4, 8)

SCHEMA_TAG = b"gridweave/telemetry/schema"
"""What a schema's hash begins with."""

_VERSION = 1
_NAME = re.compile(r"[a-z][a-z0-9_]{0,30}")
_UNIT = re.compile(r"[!-~]{1,31}")
_FURTHEST_SCALE = 24


@dataclass(frozen=True)
class Channel:
    """One number of a reading: value × 10^scale in `unit`, a case-sensitive UCUM code as in W, V, Cel, kPa or 1.

    `width` is the number's size in bytes, one of WIDTHS. Its lowest number stands for "not measured".
    """

    name: str
    unit: str
    scale: int
    width: int

    def __post_init__(self) -> None:
        """Raises ChannelMalformed."""
        if not _NAME.fullmatch(self.name):
            raise ChannelMalformed(self.name, "a name is 1 to 31 of a-z, 0-9 and _, and begins with a letter")
        if not _UNIT.fullmatch(self.unit):
            raise ChannelMalformed(self.name, "a unit is a UCUM code of 1 to 31 printable characters without a space")
        if not -_FURTHEST_SCALE <= self.scale <= _FURTHEST_SCALE:
            raise ChannelMalformed(self.name, f"a scale is from -{_FURTHEST_SCALE} to {_FURTHEST_SCALE}")
        if self.width not in WIDTHS:
            raise ChannelMalformed(self.name, "a width is 1, 2, 4 or 8 bytes")

    @property
    def not_measured(self) -> int:
        """The number that says that there is no value, the lowest of the width."""
        return -(1 << 8 * self.width - 1)

    @property
    def highest(self) -> int:
        """The largest number of the width."""
        return (1 << 8 * self.width - 1) - 1

    def quantity(self, value: int) -> Decimal | None:
        """The value in `unit`, None when it was not measured."""
        return None if value == self.not_measured else Decimal(value).scaleb(self.scale)

    def encode(self) -> bytes:
        """The channel's part of a schema's canonical bytes."""
        name, unit = self.name.encode(), self.unit.encode()
        numbers = self.scale.to_bytes(1, "big", signed=True) + bytes([self.width])
        return bytes([len(name)]) + name + bytes([len(unit)]) + unit + numbers


@dataclass(frozen=True)
class Schema:
    """The channels of a stream in the order of a reading's values."""

    channels: tuple[Channel, ...]

    def __post_init__(self) -> None:
        """Raises SchemaMalformed."""
        if not 1 <= len(self.channels) <= MOST_CHANNELS:
            raise SchemaMalformed(f"a stream has 1 to {MOST_CHANNELS} channels")
        if len({channel.name for channel in self.channels}) != len(self.channels):
            raise SchemaMalformed("no two channels of a stream share a name")

    def encode(self) -> bytes:
        """Canonical bytes."""
        return bytes([_VERSION, len(self.channels)]) + b"".join(channel.encode() for channel in self.channels)

    @classmethod
    def decode(cls, raw: bytes) -> Schema:
        """The schema of canonical bytes. Raises SchemaMalformed, ChannelMalformed."""
        at = _Cursor(raw)
        if at.byte() != _VERSION:
            raise SchemaMalformed("this program reads version 1")
        schema = cls(tuple(_channel(at) for _ in range(at.byte())))
        if at.place != len(raw):
            raise SchemaMalformed("bytes follow the last channel")
        return schema

    @cached_property
    def hash(self) -> bytes:
        """SHA-256 of "gridweave/telemetry/schema" and the canonical bytes, 32 bytes."""
        return sha256(SCHEMA_TAG + self.encode()).digest()


class _Cursor:
    def __init__(self, raw: bytes) -> None:
        self.raw, self.place = raw, 0

    def take(self, length: int) -> bytes:
        part = self.raw[self.place : self.place + length]
        if len(part) != length:
            raise SchemaMalformed("the bytes end within a channel")
        self.place += length
        return part

    def byte(self) -> int:
        return self.take(1)[0]

    def text(self) -> str:
        return self.take(self.byte()).decode("latin-1")


def _channel(at: _Cursor) -> Channel:
    name, unit = at.text(), at.text()
    return Channel(name, unit, int.from_bytes(at.take(1), "big", signed=True), at.byte())
