"""A service in place of the real one, as far as a gateway sees it: it anchors batches on a real chain, in this process.

It brings the tip, as the service does, and reads it back from the chain's events alone.
"""

from __future__ import annotations

import asyncio
import itertools
from dataclasses import dataclass, field, replace

from gridweave.chain.contracts.telemetry_anchor import SignedBatch
from gridweave.chain.errors import Reverted
from gridweave.chain.events import BatchAnchored, BodyAnchored, EpochBegun, decode_logs
from gridweave.chain.types import Receipt
from gridweave.domain.acts import KeyKind
from gridweave.domain.anchors import Batch, Span, StreamMode, Tip, stream_id
from gridweave.domain.eip712 import Domain, digest
from gridweave.domain.stream_acts import NewEpoch, OpenStream
from gridweave.domain.telemetry.gateway_errors import ServiceAway, StreamNotOpen
from gridweave.domain.telemetry.schema import Schema
from gridweave.domain.telemetry.verifying import DeviceKey
from gridweave.gateway.anchorage import Fate, FateKind, StreamFacts, SubmissionRefused
from tests.support.town import FOREVER, DeviceKeyPair, TestHome, Town

_numbers = itertools.count(1)


@dataclass
class Anchored:
    """A batch in the chain."""

    batch: Batch
    span: Span
    body: bytes
    block: int


@dataclass
class Berth:
    """A stream: its tip, and all that was anchored."""

    key: DeviceKeyPair
    schema: Schema
    mode: StreamMode
    tip: Tip
    anchored: list[Anchored] = field(default_factory=list)
    refused: list[str] = field(default_factory=list)


class Harbour:
    """`depth` blocks after its own a batch is final; `away` while nobody answers, `takes_none` while no batch is taken.

    While `is_slow` it says of a batch that it is not yet on chain, while `undone` that it is not any more.
    """

    def __init__(self, town: Town, depth: int = 0) -> None:
        self.town, self.depth, self.away = town, depth, False
        self.berths: dict[bytes, Berth] = {}
        self.refuses = ""
        self.takes_none = self.is_slow = self.undone = False
        self.status = "active"
        self.turn = asyncio.Lock()
        self._requests: dict[str, Batch] = {}

    async def open(self, home: TestHome, schema: Schema, mode: StreamMode) -> bytes:
        """Opens a stream of the home's device."""
        device = home.key.device
        said = OpenStream(device, schema.hash, mode, next(_numbers), FOREVER)
        act = self.town.act(home.secret, "TelemetryAnchor", said)
        stream = stream_id(device, mode, schema.hash)
        await self.town.send([self.town.contracts.anchors.open(device, schema.hash, mode, act)])
        self.berths[stream] = Berth(home.key, schema, mode, Tip.start(0))
        return stream

    def forget(self) -> None:
        """Of requests: the chain keeps what it has."""
        self._requests.clear()

    async def new_epoch(self, home: TestHome, stream: bytes) -> int:
        """Begins the stream's next epoch; its number."""
        berth = self.berths[stream]
        epoch = berth.tip.span.epoch + 1
        act = self.town.act(home.secret, "TelemetryAnchor", NewEpoch(stream, epoch, next(_numbers), FOREVER))
        (receipt,) = await self.town.send([self.town.contracts.anchors.new_epoch(stream, epoch, berth.tip, act)])
        (begun,) = [event for event in decode_logs(receipt.logs) if isinstance(event, EpochBegun)]
        berth.tip = replace(berth.tip, span=Span.unpack(begun.tip.to_bytes(32, "big")))
        return epoch

    # what a gateway asks

    async def domain(self) -> Domain:
        self._must_answer()
        return self.town.domain("TelemetryAnchor")

    async def facts(self, stream: bytes) -> StreamFacts:
        self._must_answer()
        berth = self.berths.get(stream)
        if berth is None:
            raise StreamNotOpen("0x" + stream.hex())
        span, key = berth.tip.span, berth.key
        public = DeviceKey(KeyKind(key.kind), *key.point)
        numbers = span.epoch, span.number, span.next_index, span.last_ms
        return StreamFacts(stream, key.device, berth.mode, berth.schema, public, self.status, *numbers, berth.tip.head)

    async def submit(self, batch: Batch, body: bytes, signature: bytes) -> str:
        self._must_answer()
        if self.refuses:
            raise SubmissionRefused(self.refuses)
        if self.takes_none:
            raise ServiceAway("it takes no batch")
        request = digest(self.town.domain("TelemetryAnchor"), batch).hex()
        if request not in self._requests:
            await self.anchor(batch, body, signature)
            self._requests[request] = batch
        return request

    async def anchor(self, batch: Batch, body: bytes, signature: bytes) -> None:
        """Puts it on the chain. Raises SubmissionRefused."""
        berth = self.berths[batch.stream]
        brought = b"".join(berth.key.point) if berth.key.kind is KeyKind.P256 else b""
        signed = SignedBatch(batch, berth.tip, signature + brought)
        sent = body if berth.mode is StreamMode.FULL else b""
        (receipt,) = await self.town.attempt([self.town.contracts.anchors.anchor_with_body(signed, sent)], 10_000_000)
        if not receipt.succeeded:
            berth.refused.append(await self._reason(signed, sent))
            raise SubmissionRefused(berth.refused[-1])
        await self._take(berth, batch, body, receipt)

    async def fate(self, request: str) -> Fate:
        self._must_answer()
        batch = self._requests.get(request)
        if batch is None:
            return Fate(FateKind.UNKNOWN)
        return Fate(FateKind.WAITING) if self.is_slow or self.undone else await self.found(batch)

    async def found(self, batch: Batch) -> Fate:
        self._must_answer()
        head = await self.town.chain.node.head()
        for each in self.berths[batch.stream].anchored:
            if each.batch == batch:
                return Fate(FateKind.FINAL if head.number >= each.block + self.depth else FateKind.COMMITTED)
        return Fate(FateKind.UNKNOWN)

    async def _reason(self, signed: SignedBatch, body: bytes) -> str:
        try:
            await self.town.chain.node.call(self.town.contracts.anchors.anchor_with_body(signed, body))
        except Reverted as why:
            return why.name
        raise AssertionError("it was refused before")

    async def _take(self, berth: Berth, batch: Batch, body: bytes, receipt: Receipt) -> None:
        told = list(decode_logs(receipt.logs))
        (anchored,) = [event for event in told if isinstance(event, BatchAnchored)]
        bodies = [event.body for event in told if isinstance(event, BodyAnchored)]
        span = Span.unpack(anchored.span.to_bytes(32, "big"))
        block = await self.town.chain.node.block(receipt.logs[0].block_number)
        assert block is not None
        berth.tip = berth.tip.after(batch, block.number, block.timestamp, span.device_nonce)
        assert berth.tip.hash == await self.town.contracts.anchors.tip_hash_of(batch.stream)
        berth.anchored.append(Anchored(batch, span, bodies[0] if bodies else body, block.number))

    def _must_answer(self) -> None:
        if self.away:
            raise ServiceAway("the test says so")
