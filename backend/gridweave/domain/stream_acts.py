"""Signed acts of a stream's owner, who is its device's (TelemetryAnchor).

Nonces and deadlines as in `acts`; streams and hashes are 32 bytes, addresses hex strings.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from gridweave.domain.anchors import StreamMode
from gridweave.domain.eip712 import TYPES, StructType

__all__ = ["GrantAccess", "NewEpoch", "OpenStream"]


@dataclass(frozen=True)
class OpenStream:
    """An owner opens a stream of a device under a schema, and with it epoch 1."""

    device: str
    schema_hash: bytes
    mode: StreamMode
    nonce: int
    deadline: int

    TYPE: ClassVar[StructType] = TYPES["OpenStream"]


@dataclass(frozen=True)
class NewEpoch:
    """An owner begins a stream's epoch: the next batches are sealed under its keys."""

    stream: bytes
    epoch: int
    nonce: int
    deadline: int

    TYPE: ClassVar[StructType] = TYPES["NewEpoch"]


@dataclass(frozen=True)
class GrantAccess:
    """An owner opens windows of a stream, the last included, to a party.

    `sealed_hash` is keccak256 of the sealed grant.
    """

    stream: bytes
    to: str
    epoch: int
    first_window: int
    last_window: int
    sealed_hash: bytes
    nonce: int
    deadline: int

    TYPE: ClassVar[StructType] = TYPES["Grant"]
