"""Unordered nonces: any number that the signer has not used in that contract before."""

from __future__ import annotations

import secrets

__all__ = ["fresh_nonce"]


def fresh_nonce() -> int:
    """53 random bits, so that every JSON reader keeps it whole. Two of a million collide with a chance below 0.01 %."""
    return secrets.randbits(53)
