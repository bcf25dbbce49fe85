"""What a relayer signs for each request that it accepts, and for which a bond answers."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from gridweave.domain.addresses import ZERO_ADDRESS
from gridweave.domain.eip712 import TYPES, StructType
from gridweave.domain.hashing import keccak

__all__ = ["Acknowledgement"]


@dataclass(frozen=True)
class Acknowledgement:
    """The relayer promises to commit `request` before `commit_before`, or to have it refused on chain.

    `request` is an EIP-712 digest and `signature_hash` keccak256 of the signature that came with it, both 32 bytes; a
    key's signature counts in its compact form of 64 bytes. `sponsor` is whose bond answers, ZERO_ADDRESS: nobody's.
    `commit_before` is chain time, seconds.
    """

    request: bytes
    signature_hash: bytes
    sponsor: str
    commit_before: int

    TYPE: ClassVar[StructType] = TYPES["Acknowledgement"]

    @classmethod
    def of(cls, request: bytes, signature: bytes, sponsor: str | None, commit_before: int) -> Acknowledgement:
        """The promise about a request with that signature."""
        return cls(request, keccak(signature), sponsor or ZERO_ADDRESS, commit_before)
