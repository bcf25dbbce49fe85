"""A stream in memory: what a chain would keep of it, and a source that tells it. Two quarters to a batch."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass, field

from gridweave.client import DeviceKey
from gridweave.client.telemetry import (
    AnchoredBatch,
    EpochKeys,
    Ledger,
    Openings,
    StreamFacts,
    StreamKeys,
    StreamReader,
)
from gridweave.client.telemetry.refusals import BodyUnavailable, StreamNotOpened
from gridweave.domain.acts import KeyKind
from gridweave.domain.anchors import Batch, StreamMode, Tip, stream_id
from gridweave.domain.eip712 import Domain
from gridweave.domain.telemetry.keytree import WindowKeys
from gridweave.domain.telemetry.readings import Reading, ReadingRun
from gridweave.domain.telemetry.salts import SaltedRun
from gridweave.domain.telemetry.schema import Channel, Schema
from gridweave.domain.telemetry.sealing import seal
from gridweave.domain.telemetry.segments import SignedRun, StreamTail
from gridweave.domain.telemetry.verifying import DeviceKey as PublicKey
from gridweave.domain.telemetry.windows import WINDOW_MS
from tests.backend.client.simulator import CHAIN_ID

DOMAIN = Domain.of("TelemetryAnchor", CHAIN_ID, "0x" + "7e" * 20)
SCHEMA = Schema((Channel("power", "W", -1, 4),))
WINDOW = 2_000_000
START_MS = WINDOW * WINDOW_MS
OWNER = "0x" + "00" * 19 + "0A"
EACH = 4


@dataclass
class MemoryStream:
    """A BatchSource. `seen` are the keys that the registry has told."""

    key: DeviceKey = field(default_factory=lambda: DeviceKey.create(KeyKind.SECP256K1))
    anchored: list[AnchoredBatch] = field(default_factory=list)
    bodies: dict[bytes, bytes] = field(default_factory=dict)
    signatures: dict[int, bytes] = field(default_factory=dict)
    raw: bytes = b""

    def __post_init__(self) -> None:
        self.stream = stream_id(self.key.device, StreamMode.HASH, SCHEMA.hash)
        self.tail, self.tip = StreamTail.start(self.stream), Tip.start(0)
        self.keys = StreamKeys(self.stream, SCHEMA, (EpochKeys(OWNER, WindowKeys.fresh(1)),))

    @classmethod
    def of(cls, batches: int, rng: random.Random) -> MemoryStream:
        made = cls()
        for number in range(batches):
            made.add(number, rng)
        return made

    def add(self, number: int, rng: random.Random) -> None:
        """Batch `number`, from 0 on: EACH readings in each of its two quarters."""
        sent = []
        for quarter in (2 * number, 2 * number + 1):
            first, at = self.tail.next_index, START_MS + quarter * WINDOW_MS
            run = ReadingRun.of(
                Reading(first + n, at + n * 1_000, 3 + number % 2, (rng.randrange(30_000),)) for n in range(EACH)
            )
            salted = SaltedRun(run, rng.randbytes(32))
            segment = self.tail.segment(salted)
            sent.append(SignedRun(salted, segment, self.key.sign(DOMAIN, segment)))
            self.tail = self.tail.after(segment)
            self.raw += run.raw
        sealed = seal(self.keys.of(1).keys, SCHEMA, sent)
        header = sealed.header
        places = header.first_index, header.count, header.first_ms, header.last_ms, header.epoch
        batch = Batch(self.stream, *places, self.tip.head, header.root, sealed.body_hash)
        block, time = 10 + number, 1_800_100_000 + number
        self.tip = self.tip.after(batch, block, time, 0)
        hashes = batch.head, batch.root, batch.body_hash
        self.anchored.append(AnchoredBatch(self.stream, self.tip.span, *hashes, block, time, f"0x{number:064x}", 0))
        self.bodies[sealed.body_hash] = sealed.body
        self.signatures[self.tip.span.number] = self.key.sign(DOMAIN, batch)

    @property
    def reader(self) -> StreamReader:
        return StreamReader(Ledger.check(self, self.stream), self, Openings.of_owner(self.keys), DOMAIN)

    def facts(self, stream: bytes) -> StreamFacts:
        if stream != self.stream:
            raise StreamNotOpened("0x" + stream.hex())
        return StreamFacts(stream, SCHEMA.hash, len(self.anchored), 1, self.tip.hash, {1: OWNER}, 0)

    def batches(self, stream: bytes) -> Sequence[AnchoredBatch]:
        return self.anchored

    def body(self, batch: AnchoredBatch) -> bytes:
        if batch.body_hash not in self.bodies:
            raise BodyUnavailable(batch.number, "0x" + batch.body_hash.hex())
        return self.bodies[batch.body_hash]

    def device_keys(self, device: str, block: int) -> Sequence[PublicKey]:
        return [PublicKey(self.key.kind, self.key.x, self.key.y)]

    def signature_of(self, batch: AnchoredBatch) -> bytes | None:
        return self.signatures[batch.number]
