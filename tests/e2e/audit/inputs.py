"""Inputs of calls with one of their values changed, as a lying node would show them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from eth_abi.abi import decode, encode

from gridweave.chain.abi import abi_of

Edit = Callable[[Any], Any]

__all__ = ["Edit", "add", "edited", "flip_byte", "put"]


def edited(contract: str, function: str, *changes: tuple[Sequence[int], Edit]) -> Callable[[bytes], bytes]:
    """Changes of the input of a call, each at a path through its arguments, structs and arrays."""
    inputs = abi_of(contract).functions[function].inputs

    def change(data: bytes) -> bytes:
        arguments = decode(inputs, data[4:])
        for path, edit in changes:
            arguments = _at(arguments, path, edit)
        return data[:4] + encode(inputs, arguments)

    return change


def _at(value: Any, path: Sequence[int], edit: Edit) -> Any:
    if not path:
        return edit(value)
    index = path[0] % len(value)
    return tuple(_at(each, path[1:], edit) if at == index else each for at, each in enumerate(value))


def put(value: Any) -> Edit:
    """That value instead."""
    return lambda _: value


def add(number: int) -> Edit:
    """So much more."""
    return lambda value: value + number


def flip_byte(at: int = 3) -> Edit:
    """One bit of one byte."""
    return lambda value: value[:at] + bytes([value[at] ^ 1]) + value[at + 1 :]
