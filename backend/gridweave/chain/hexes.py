"""Hex as JSON-RPC spells it. Hashes are bytes inside the program, addresses EIP-55 text."""

from __future__ import annotations

__all__ = ["from_hex", "int_of", "quantity", "to_hex"]


def to_hex(value: bytes) -> str:
    """0x and lower-case digits."""
    return "0x" + value.hex()


def from_hex(text: str) -> bytes:
    """The bytes of 0x-prefixed or bare hex; ValueError otherwise."""
    return bytes.fromhex(text.removeprefix("0x"))


def quantity(value: int) -> str:
    """A JSON-RPC quantity: hex without leading zeros."""
    return hex(value)


def int_of(text: str | int) -> int:
    """The integer of a quantity; TypeError or ValueError if it is none."""
    return text if isinstance(text, int) else int(text, 16)
