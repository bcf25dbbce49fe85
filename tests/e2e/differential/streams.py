"""Streams on the real contracts and in the domain. Readings, leaves and proofs are the library's own."""

from __future__ import annotations

import random
from dataclasses import dataclass, field, replace
from hashlib import sha256
from itertools import count
from typing import Any

from gridweave import artifacts
from gridweave.chain import Authority, Role
from gridweave.chain.abi import abi_of
from gridweave.chain.contracts.device_registry import DeviceRegistry
from gridweave.chain.contracts.telemetry_anchor import RangePart, ReadingProof, SignedBatch, TelemetryAnchor
from gridweave.domain.acts import Endorsement, KeyKind, Possession
from gridweave.domain.anchors import PAGE_SIZE, Batch, Span, StreamMode, Tip, batch_leaf, page_path, stream_id
from gridweave.domain.eip712 import Domain
from gridweave.domain.stream_acts import NewEpoch, OpenStream
from gridweave.domain.telemetry.merkle import MerkleTree
from gridweave.domain.telemetry.readings import Reading, ReadingRun
from gridweave.domain.telemetry.salts import SaltedRun
from tests.e2e.differential.chain import Chain
from tests.e2e.differential.town import FAR, Device, Person

MODEL = 7


@dataclass(frozen=True)
class Anchored:
    """A batch in the chain, and what it was made of."""

    span: Span
    root: bytes
    block_number: int
    anchored_at: int
    leaves: list[bytes] = field(repr=False)

    @property
    def leaf(self) -> bytes:
        return batch_leaf(self.span, self.root, self.block_number, self.anchored_at)

    @property
    def tree(self) -> MerkleTree:
        return MerkleTree.of(self.leaves)


@dataclass
class Stream:
    """A stream in the domain."""

    id: bytes
    mode: StreamMode
    device: Device
    tip: Tip
    anchored: list[Anchored] = field(default_factory=list)

    def path(self, number: int) -> tuple[bytes, ...]:
        """From batch `number` up, as of now."""
        first = (number - 1) // PAGE_SIZE * PAGE_SIZE
        leaves = [each.leaf for each in self.anchored[first : first + PAGE_SIZE]]
        return page_path(leaves, number - 1 - first)

    def is_open(self, number: int) -> bool:
        """Whether the batch's page is."""
        return (number - 1) // PAGE_SIZE == len(self.anchored) // PAGE_SIZE

    def proof(self, number: int, index: int) -> ReadingProof:
        """Of the reading at `index`, which batch `number` has."""
        batch, place = self.anchored[number - 1], index - self.anchored[number - 1].span.first_index
        return ReadingProof(
            self.id,
            batch.span,
            batch.root,
            batch.block_number,
            batch.anchored_at,
            batch.leaves[place],
            batch.tree.prove(place),
            self.path(number),
            self.tip if self.is_open(number) else None,
        )

    def part(self, number: int, first: int, end: int) -> RangePart:
        """Of readings [first, end), as far as batch `number` has them."""
        batch = self.anchored[number - 1]
        low, high = (max(0, min(at - batch.span.first_index, batch.span.count)) for at in (first, end))
        placed = batch.span, batch.root, batch.block_number, batch.anchored_at, self.path(number)
        return RangePart(*placed, tuple(batch.leaves[low:high]), batch.tree.prove_range(low, high))


class Streams:
    """The contracts on `chain`; one owner with a device on each curve and a stream of each mode."""

    def __init__(self, chain: Chain, rng: random.Random) -> None:
        self.chain, self.rng, self.nonces = chain, rng, count(1)
        self.maker, self.owner = Person(rng), Person(rng)
        self.at: dict[str, str] = {}
        for name, arguments in (
            ("Authority", (chain.sender,)),
            ("DeviceRegistry", ("Authority",)),
            ("TelemetryAnchor", ("Authority", "DeviceRegistry")),
        ):
            values = [self.at.get(argument, argument) for argument in arguments]
            code = artifacts.load(name).bytecode + abi_of(name).creation_arguments(*values)
            self.at[name] = Domain.of("Vault", 1, chain.create(code)).verifying_contract
        nobody: Any = None
        self.devices = DeviceRegistry(nobody, self.at["DeviceRegistry"])
        self.anchors = TelemetryAnchor(nobody, self.at["TelemetryAnchor"])
        authority = Authority(nobody, self.at["Authority"])
        selectors = [abi_of("DeviceRegistry").selector("enrol")]
        chain.must(
            [
                authority.set_function_role(self.at["DeviceRegistry"], selectors, Role.MAKER),
                authority.grant_role(Role.MAKER, self.maker.address),
            ]
        )
        self.streams = [self._open(self._enrol(kind), mode) for kind in KeyKind for mode in StreamMode]

    def domain(self, contract: str = "TelemetryAnchor") -> Domain:
        """The EIP-712 domain of one of the contracts."""
        return Domain.of(contract, self.chain.chain_id, self.at[contract])

    def _enrol(self, kind: KeyKind) -> Device:
        device, space = Device(self.rng, kind), self.domain("DeviceRegistry")
        parties = device.id, self.maker.address, self.owner.address
        said = Endorsement(*parties, MODEL, kind, *device.point, next(self.nonces), FAR)
        possession = device.sign(space, Possession(*parties, FAR))
        self.chain.must([self.devices.enrol(said, self.maker.consent(space, said).signature, possession)])
        return device

    def _open(self, device: Device, mode: StreamMode) -> Stream:
        schema = self.rng.randbytes(32)
        said = OpenStream(device.id, schema, mode, next(self.nonces), FAR)
        self.chain.must([self.anchors.open(device.id, schema, mode, self.owner.consent(self.domain(), said))])
        return Stream(stream_id(device.id, mode, schema), mode, device, Tip.start(0))

    def draft(self, stream: Stream, readings: int) -> tuple[Batch, bytes, list[bytes]]:
        """The stream's next batch, its body and its leaves."""
        index, last, now = stream.tip.span.next_index, stream.tip.span.last_ms, self.chain.now * 1_000
        times = sorted(self.rng.randrange(max(last, now - 60_000), now + 1) for _ in range(readings))
        values = [(self.rng.randrange(-(1 << 63), 1 << 63), self.rng.randrange(1_000)) for _ in times]
        run = ReadingRun.of(
            Reading(index + at, ms, self.rng.randrange(1 << 32), value)
            for at, (ms, value) in enumerate(zip(times, values, strict=True))
        )
        leaves = list(SaltedRun(run, self.rng.randbytes(32)).leaves)
        body = self.rng.randbytes(5 * readings) if stream.mode is StreamMode.FULL else b""
        batch = Batch(
            stream.id,
            index,
            readings,
            times[0],
            times[-1],
            stream.tip.span.epoch,
            stream.tip.head,
            MerkleTree.of(leaves).root,
            sha256(body).digest(),
        )
        return batch, body, leaves

    def signed(self, stream: Stream, batch: Batch) -> SignedBatch:
        """As the stream's device signs it."""
        return SignedBatch(batch, stream.tip, stream.device.sign(self.domain(), batch))

    def take(self, stream: Stream, batch: Batch, leaves: list[bytes], block: int) -> None:
        """The batch is anchored in the newest block."""
        stream.tip = stream.tip.after(batch, block, self.chain.now, 0)
        stream.anchored.append(Anchored(stream.tip.span, batch.root, block, self.chain.now, leaves))

    def new_epoch(self, stream: Stream, by: Person) -> bool:
        """Whether that person could begin the stream's next epoch."""
        said = NewEpoch(stream.id, stream.tip.span.epoch + 1, next(self.nonces), FAR)
        call = self.anchors.new_epoch(stream.id, said.epoch, stream.tip, by.consent(self.domain(), said))
        (mined,) = self.chain.mine([call])
        if mined.succeeded:
            stream.tip = replace(stream.tip, span=stream.tip.rekeyed(said.epoch, 0).span)
        return mined.succeeded
