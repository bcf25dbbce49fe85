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


def int_of(text: str | int | None) -> int:
    """The integer of a quantity; 0 for an absent one."""
    if isinstance(text, int):
        return text
    return int(text, 16) if text else 0
