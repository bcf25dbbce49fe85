"""How a word between a device and its gateway is written and read: JSON of given names and no others.

Hashes and signatures are 0x hex, numbers are numbers, what is absent is null. A refusal is {name, values}.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Self, TypeVar

from gridweave.domain.errors import DomainError
from gridweave.domain.telemetry.gateway_errors import WordMalformed

__all__ = ["MOST_BYTES", "Json", "Refusal", "Word", "encode", "hex_of", "maybe"]

Json = dict[str, Any]
T = TypeVar("T")

MOST_BYTES = 4_096
"""Of a word."""

_HEX = re.compile("0x(?:[0-9a-f]{2})*")
_NAME = re.compile("[A-Za-z][A-Za-z0-9]{0,63}")


@dataclass(frozen=True)
class Refusal:
    """A refusal by name, with its values by theirs."""

    name: str
    values: Mapping[str, int | str]

    @classmethod
    def of(cls, refused: DomainError) -> Self:
        """As it is sent."""
        return cls(refused.name, refused.values)

    def to_json(self) -> Json:
        return {"name": self.name, "values": dict(self.values)}


@dataclass(frozen=True)
class Word:
    """A word that was read; each method gives one of its values, or raises WordMalformed."""

    values: Json

    @classmethod
    def of(cls, raw: bytes, *names: str) -> Word:
        """The word of these names and no others. Raises WordMalformed."""
        if len(raw) > MOST_BYTES:
            raise WordMalformed(f"at most {MOST_BYTES} bytes")
        try:
            values = json.loads(raw)
        except (ValueError, RecursionError) as fault:
            raise WordMalformed("JSON") from fault
        return cls._with(values, names)

    @classmethod
    def _with(cls, values: Any, names: tuple[str, ...]) -> Word:
        if not isinstance(values, dict) or set(values) != set(names):
            raise WordMalformed(f"an object of {', '.join(names)}")
        return cls(values)

    def inner(self, name: str, *names: str) -> Word:
        """The object within, of these names and no others."""
        return self._with(self.values[name], names)

    def hex(self, name: str, length: int) -> bytes:
        """So many bytes."""
        text = self.values[name]
        if not isinstance(text, str) or not _HEX.fullmatch(text) or len(text) != 2 + 2 * length:
            raise WordMalformed(f"{name} is 0x and {2 * length} lower-case hex digits")
        return bytes.fromhex(text[2:])

    def number(self, name: str, bits: int) -> int:
        """Of so many bits, without a sign."""
        value = self.values[name]
        if type(value) is not int or not 0 <= value < 1 << bits:
            raise WordMalformed(f"{name} is a number of {bits} bits")
        return int(value)

    def signed(self, name: str, bits: int) -> int:
        """Of so many bits, one of them the sign."""
        value = self.values[name]
        if type(value) is not int or not -(1 << bits - 1) <= value < 1 << bits - 1:
            raise WordMalformed(f"{name} is a number of {bits} bits with sign")
        return int(value)

    def text(self, name: str, pattern: re.Pattern[str]) -> str:
        """A text of that form."""
        value = self.values[name]
        if not isinstance(value, str) or not pattern.fullmatch(value):
            raise WordMalformed(f"{name} is a text like {pattern.pattern}")
        return value

    def maybe(self, name: str, read: Callable[[str], T]) -> T | None:
        """As `read` reads it, None where it is null."""
        return None if self.values[name] is None else read(name)

    def refusal(self) -> Refusal | None:
        """Why not, if it says so."""
        found = self.values["refused"]
        if found is None:
            return None
        values = self._with(found, ("name", "values")).values
        if not isinstance(values["name"], str) or not _NAME.fullmatch(values["name"]):
            raise WordMalformed("a refusal has a name")
        if not isinstance(values["values"], dict) or any(type(v) not in (int, str) for v in values["values"].values()):
            raise WordMalformed("a refusal's values are numbers and texts")
        return Refusal(values["name"], values["values"])


def encode(values: Json) -> bytes:
    """The word."""
    return json.dumps(values, separators=(",", ":")).encode()


def hex_of(raw: bytes) -> str:
    """As words have bytes."""
    return "0x" + raw.hex()


def maybe(value: T | None, write: Callable[[T], Any]) -> Any:
    """As `write` writes it, null if there is none."""
    return None if value is None else write(value)
