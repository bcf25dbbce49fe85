"""keccak256, the chain's hash, and words as its ABI spells them."""

from __future__ import annotations

import sha3


def keccak(data: bytes) -> bytes:
    """keccak256 of `data`, 32 bytes."""
    return bytes(sha3.keccak_256(data).digest())


def abi_word(kind: str, value: int | str) -> bytes:
    """A value in 32 bytes: numbers and addresses to the right, bytes as their hex says. TypeError for another kind."""
    if kind.startswith("uint"):
        return int(value).to_bytes(32, "big")
    if kind not in ("address", "bytes32"):
        raise TypeError(f"{kind} is no word")
    return bytes.fromhex(str(value)[2:]).rjust(32, b"\0")
