"""What the gateway needs of the service, whichever way it reaches it."""

from __future__ import annotations

import json
from dataclasses import dataclass
from enum import Enum
from typing import Protocol, Self

from gridweave.domain.acts import KeyKind
from gridweave.domain.anchors import Batch, StreamMode
from gridweave.domain.eip712 import Domain
from gridweave.domain.telemetry.schema import Schema
from gridweave.domain.telemetry.verifying import DeviceKey

__all__ = ["Anchorage", "Fate", "FateKind", "StreamFacts", "SubmissionRefused"]


@dataclass(frozen=True)
class StreamFacts:
    """A stream as the service knows it: its device's present key and standing, its epoch, and its last batch.

    `next_index`, `last_ms` and `head` are 0, 0 and zeros before the first batch.
    """

    stream: bytes
    device: str
    mode: StreamMode
    schema: Schema
    key: DeviceKey
    status: str
    epoch: int
    number: int
    next_index: int
    last_ms: int
    head: bytes

    @property
    def is_active(self) -> bool:
        """Whether the registry lets the device speak."""
        return self.status == "active"

    def encode(self) -> bytes:
        """As it is kept over a restart."""
        key = self.key
        return json.dumps(
            {
                "stream": self.stream.hex(),
                "device": self.device,
                "mode": self.mode.name,
                "schema": self.schema.encode().hex(),
                "key": [key.kind.name, key.x.hex(), key.y.hex()],
                "status": self.status,
                "numbers": [self.epoch, self.number, self.next_index, self.last_ms],
                "head": self.head.hex(),
            }
        ).encode()

    @classmethod
    def decode(cls, raw: bytes) -> Self:
        """What was kept."""
        said = json.loads(raw)
        kind, x, y = said["key"]
        epoch, number, next_index, last_ms = map(int, said["numbers"])
        return cls(
            bytes.fromhex(said["stream"]),
            said["device"],
            StreamMode[said["mode"]],
            Schema.decode(bytes.fromhex(said["schema"])),
            DeviceKey(KeyKind[kind], bytes.fromhex(x), bytes.fromhex(y)),
            said["status"],
            epoch,
            number,
            next_index,
            last_ms,
            bytes.fromhex(said["head"]),
        )


class FateKind(Enum):
    """What became of a batch that was handed over."""

    UNKNOWN = "unknown"
    WAITING = "waiting"
    COMMITTED = "committed"
    FINAL = "final"
    REFUSED = "refused"


@dataclass(frozen=True)
class Fate:
    """`reason` is the error's name if it was refused."""

    kind: FateKind
    reason: str = ""


class SubmissionRefused(Exception):
    """The service did not take a batch; `reason` is the error's name."""

    def __init__(self, reason: str, message: str = "") -> None:
        super().__init__(f"{reason}: {message}" if message else reason)
        self.reason = reason


class Anchorage(Protocol):
    """Every call may be repeated. Raises ServiceAway while there is no answer."""

    async def domain(self) -> Domain:
        """The TelemetryAnchor's."""

    async def facts(self, stream: bytes) -> StreamFacts:
        """Raises StreamNotOpen, SchemaNotKnown."""

    async def submit(self, batch: Batch, body: bytes, signature: bytes) -> str:
        """Hands a batch over with what was sealed; the id to ask by. `signature` is the device's, 64 bytes.

        Raises SubmissionRefused.
        """

    async def fate(self, request: str) -> Fate:
        """What became of it."""

    async def found(self, batch: Batch) -> Fate:
        """Whether the batch stands in the stream, whoever brought it there: UNKNOWN, COMMITTED or FINAL."""
