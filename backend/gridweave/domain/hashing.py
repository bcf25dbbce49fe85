"""keccak256, the chain's hash."""

from __future__ import annotations

import sha3


def keccak(data: bytes) -> bytes:
    """keccak256 of `data`, 32 bytes."""
    return bytes(sha3.keccak_256(data).digest())
