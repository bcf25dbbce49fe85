"""Who vouches for a block: an EIP-712 signature over its hash, in the registry's domain and so for one chain."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from gridweave.domain.eip712 import StructType, declare

__all__ = ["BlockWitness"]


@dataclass(frozen=True)
class BlockWitness:
    """The signer has seen the block of that hash, 32 bytes, on the registry's chain, and takes it for final.

    No contract reads it.
    """

    block_hash: bytes

    TYPE: ClassVar[StructType] = declare("BlockWitness(bytes32 blockHash)")
