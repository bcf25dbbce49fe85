"""Refusals of telemetry: each names what is wrong with the bytes or the request, and with which numbers."""

from __future__ import annotations

from gridweave.domain.errors import LocalRefusal


class TelemetryRefusal(LocalRefusal):
    """Something of a stream is not as it must be. Never reaches a contract."""


class ProofRefusal(TelemetryRefusal):
    """A proof does not show what it is said to show."""


class OutsideTree(ProofRefusal):
    """Leaves [first, end) are none of a tree of this size, or no leaf at all."""

    parameters = ("uint256 first", "uint256 end", "uint256 size")


class ProofLengthWrong(ProofRefusal):
    """A proof for this place in a tree of this size has another number of hashes."""

    parameters = ("uint256 hashes", "uint256 expected")


class ProofHashMalformed(ProofRefusal):
    """A hash of a proof is not 32 bytes long."""

    parameters = ("uint256 place", "uint256 bytesLong")


class RootMismatch(ProofRefusal):
    """Leaves and proof lead to another root: a leaf, its place, the size or a hash differs from what was recorded."""

    parameters = ("string computed", "string recorded")
