"""JSON of which every document has one spelling: what is read must be what would be written. No byte of it is idle."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Sequence
from typing import Any

__all__ = ["Fields", "encode_json", "hex_text", "read_json"]

_HEX = re.compile(r"0x(?:[0-9a-f]{2})*")


def encode_json(body: Any) -> bytes:
    """The one spelling."""
    return json.dumps(body, indent=1, ensure_ascii=True).encode() + b"\n"


def hex_text(raw: bytes) -> str:
    """0x and lower-case digits."""
    return "0x" + raw.hex()


def read_json(raw: bytes, refusal: Callable[[str], Exception]) -> Any:
    """Raises what `refusal` makes of the rule that was broken."""
    try:
        body = json.loads(raw)
        again = encode_json(body)
    except (ValueError, RecursionError) as error:
        raise refusal("JSON") from error
    if again != raw:
        raise refusal("JSON as it is written here, with the same line breaks")
    return body


class Fields:
    """The members of an object, which must be exactly `names` in their order. `refusal` as in read_json."""

    def __init__(self, body: Any, names: Sequence[str], refusal: Callable[[str], Exception]) -> None:
        if not isinstance(body, dict) or list(body) != list(names):
            raise refusal(f"an object of {', '.join(names)}")
        self._body: dict[str, Any] = body
        self._refusal = refusal

    def number(self, name: str, bits: int) -> int:
        """An unsigned number of so many bits."""
        value = self._body[name]
        if type(value) is not int or not 0 <= value < 1 << bits:
            raise self._refusal(f"{name} is a number of {bits} bits")
        return value

    def raw(self, name: str, length: int | None = None) -> bytes:
        """Bytes, of that length."""
        return self._bytes(name, self._body[name], length)

    def words(self, name: str, most: int) -> tuple[bytes, ...]:
        """Up to `most` hashes of 32 bytes."""
        words = self.parts(name, most)
        if any(len(word) != 32 for word in words):
            raise self._refusal(f"{name} are hashes of 32 bytes")
        return words

    def parts(self, name: str, most: int) -> tuple[bytes, ...]:
        """Up to `most` members of any length."""
        items = self._body[name]
        if not isinstance(items, list) or len(items) > most:
            raise self._refusal(f"{name} is a list of at most {most}")
        return tuple(self._bytes(name, item, None) for item in items)

    def items(self, name: str, most: int) -> list[Any]:
        """One to `most` members of a list."""
        found = self._body[name]
        if not isinstance(found, list) or not 1 <= len(found) <= most:
            raise self._refusal(f"{name} is a list of 1 to {most}")
        return found

    def text(self, name: str) -> str:
        """Any text."""
        value = self._body[name]
        if not isinstance(value, str):
            raise self._refusal(f"{name} is a text")
        return value

    def member(self, name: str) -> Any:
        """As it is."""
        return self._body[name]

    def _bytes(self, name: str, value: Any, length: int | None) -> bytes:
        if not isinstance(value, str) or not _HEX.fullmatch(value):
            raise self._refusal(f"{name} is 0x and hex digits")
        raw = bytes.fromhex(value[2:])
        if length is not None and len(raw) != length:
            raise self._refusal(f"{name} has {length} bytes")
        return raw
