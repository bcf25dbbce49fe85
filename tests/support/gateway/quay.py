"""What a service says of streams, without a chain: for tests of what happens before anything is anchored."""

from __future__ import annotations

from dataclasses import dataclass, field

from gridweave.domain.anchors import NO_HEAD, Batch, StreamMode
from gridweave.domain.eip712 import Domain
from gridweave.domain.telemetry.gateway_errors import ServiceAway, StreamNotOpen
from gridweave.domain.telemetry.verifying import DeviceKey
from gridweave.gateway.anchorage import Fate, FateKind, StreamFacts, SubmissionRefused
from tests.support.telemetry import DOMAIN, SCHEMA


@dataclass
class Quay:
    """Knows what it is told, and takes no batch."""

    known: dict[bytes, StreamFacts] = field(default_factory=dict)
    asked: int = 0
    away: bool = False

    def tell(self, stream: bytes, device: str, mode: StreamMode, key: DeviceKey, next_index: int = 0) -> None:
        """A stream that is open, anchored up to an index."""
        numbers = 1, int(next_index > 0), next_index, 0
        self.known[stream] = StreamFacts(stream, device, mode, SCHEMA, key, "active", *numbers, NO_HEAD)

    async def domain(self) -> Domain:
        return DOMAIN

    async def facts(self, stream: bytes) -> StreamFacts:
        self.asked += 1
        if self.away:
            raise ServiceAway("the test says so")
        if stream not in self.known:
            raise StreamNotOpen("0x" + stream.hex())
        return self.known[stream]

    async def submit(self, batch: Batch, body: bytes, signature: bytes) -> str:
        raise SubmissionRefused("Quay")

    async def fate(self, request: str) -> Fate:
        return Fate(FateKind.UNKNOWN)

    async def found(self, batch: Batch) -> Fate:
        return Fate(FateKind.UNKNOWN)
