"""Whether a chain verifies P-256 signatures in its precompile at 0x100 (RIP-7212): readings cost a tenth there."""

from __future__ import annotations

from cryptography.hazmat.primitives.asymmetric import ec

from gridweave.chain.errors import ChainError, NodeUnavailable
from gridweave.chain.node import Node
from gridweave.chain.types import Call
from gridweave.domain.hashing import keccak
from gridweave.domain.signatures import p256_point, sign_p256

__all__ = ["has_p256"]

_PRECOMPILE = "0x0000000000000000000000000000000000000100"


async def has_p256(node: Node) -> bool:
    """Asks with a signature of a throw-away key. Raises NodeUnavailable."""
    key = ec.derive_private_key(int.from_bytes(keccak(b"gridweave probe")[1:], "big"), ec.SECP256R1())
    hash_ = keccak(b"gridweave")
    x, y = p256_point(key)
    try:
        answer = await node.call(Call(_PRECOMPILE, hash_ + sign_p256(key, hash_) + x + y))
    except NodeUnavailable:
        raise
    except ChainError:
        return False
    return int.from_bytes(answer, "big") == 1
