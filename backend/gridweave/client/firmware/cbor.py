"""CBOR of which every value has one spelling: what cbor2 reads must be what it would write (RFC 8949, 4.2).

So no byte of a message can be changed without changing what it says.
"""

from __future__ import annotations

from typing import Any

import cbor2

__all__ = [
    "Unreadable",
    "encode",
    "read",
    "read_bytes",
    "read_known",
    "read_list",
    "read_map",
    "read_text",
    "read_uint",
]

_DEPTH = 16


class Unreadable(Exception):
    """The value, whose name is the argument, is not there or not of its type."""


def encode(value: Any) -> bytes:
    """The one spelling of ints, bytes, text, lists and maps of them."""
    return cbor2.dumps(value, canonical=True)


def read(data: bytes, part: str) -> Any:
    """What the bytes say. Raises Unreadable for anything but one whole value in its one spelling."""
    try:
        value = cbor2.loads(data, max_depth=_DEPTH)
        again = encode(value)
    except Exception as error:
        raise Unreadable(part) from error
    if again != data:
        raise Unreadable(part)
    return value


def read_uint(value: Any, bits: int, part: str) -> int:
    """The value, if it is a number of so many bits."""
    if type(value) is not int or not 0 <= value < 1 << bits:
        raise Unreadable(part)
    return value


def read_known(value: Any, known: int, part: str) -> None:
    """Nothing, if the value is that number: `true` and 1.0 are equal to 1, and are other bytes."""
    if type(value) is not int or value != known:
        raise Unreadable(part)


def read_bytes(value: Any, part: str, size: int | None = None) -> bytes:
    """The value, if it is bytes of that size."""
    if type(value) is not bytes or size not in (None, len(value)):
        raise Unreadable(part)
    return value


def read_text(value: Any, part: str) -> str:
    """The value, if it is text."""
    if type(value) is not str:
        raise Unreadable(part)
    return value


def read_list(value: Any, part: str, size: int | None = None) -> list[Any]:
    """The value, if it is a list of that size."""
    if type(value) is not list or size not in (None, len(value)):
        raise Unreadable(part)
    return value


def read_map(value: Any, part: str) -> dict[Any, Any]:
    """The value, if it is a map by numbers."""
    if type(value) is not dict or any(type(key) is not int for key in value):
        raise Unreadable(part)
    return value
