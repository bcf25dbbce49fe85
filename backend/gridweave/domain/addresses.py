"""Addresses: 20 bytes, spelled as EIP-55 text everywhere in the program."""

from __future__ import annotations

from functools import lru_cache

from gridweave.domain.hashing import keccak

ZERO_ADDRESS = "0x" + "0" * 40
"""Nobody's."""


@lru_cache(maxsize=65_536)
def checksum_address(address: bytes | str) -> str:
    """The EIP-55 spelling of an address given as 20 bytes or hex; ValueError for anything else."""
    raw = address_bytes(address) if isinstance(address, str) else address
    if len(raw) != 20:
        raise ValueError(f"an address has 20 bytes, not {len(raw)}")
    digits = raw.hex()
    bits = keccak(digits.encode()).hex()
    return "0x" + "".join(c.upper() if int(bit, 16) > 7 else c for c, bit in zip(digits, bits, strict=False))


def address_bytes(address: str) -> bytes:
    """The 20 bytes of an address in hex, whatever its case, with or without 0x; ValueError for anything else."""
    raw = bytes.fromhex(address.removeprefix("0x"))
    if len(raw) != 20:
        raise ValueError(f"an address has 20 bytes, not {len(raw)}")
    return raw
