"""Streams on the real contracts and in the domain: every act goes to both. Leaves and proofs are the library's own."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from hashlib import sha256
from itertools import count
from typing import Any

from gridweave import artifacts
from gridweave.chain import Authority, Role
from gridweave.chain.abi import abi_of
from gridweave.chain.contracts.acts import Act
from gridweave.chain.contracts.device_registry import DeviceRegistry
from gridweave.chain.contracts.telemetry_anchor import RangePart, ReadingProof, SignedBatch, TelemetryAnchor
from gridweave.chain.errors import error_name, reverted
from gridweave.chain.events import decode_logs
from gridweave.chain.types import Call
from gridweave.domain.acts import DeviceStatus, Endorsement, KeyKind, Possession, StatusChange
from gridweave.domain.addresses import checksum_address
from gridweave.domain.anchors import (
    PAGE_SIZE,
    Batch,
    Span,
    StreamMode,
    Tip,
    batch_leaf,
    device_of,
    page_path,
    stream_id,
)
from gridweave.domain.device_acts import Handover, TransferAcceptance, TransferOffer
from gridweave.domain.device_keys import DevicePublicKey
from gridweave.domain.device_registry import DeviceBook
from gridweave.domain.devices import Moment
from gridweave.domain.eip712 import Domain, digest
from gridweave.domain.errors import DomainError
from gridweave.domain.hashing import keccak
from gridweave.domain.stream_acts import GrantAccess, NewEpoch, OpenStream
from gridweave.domain.stream_book import BroughtBatch, StreamBook, StreamRecord
from gridweave.domain.stream_outcomes import BatchAnchored, BatchRefused
from gridweave.domain.telemetry.merkle import MerkleTree
from gridweave.domain.telemetry.readings import Reading, ReadingRun
from gridweave.domain.telemetry.salts import SaltedRun
from tests.e2e.differential.chain import Chain, Mined
from tests.e2e.differential.devices import Clerk, said_of
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
    book: StreamBook
    schema: bytes
    anchored: list[Anchored] = field(default_factory=list)

    @property
    def record(self) -> StreamRecord:
        return self.book.streams[self.id]

    @property
    def tip(self) -> Tip:
        """As the domain has it."""
        return self.record.tip

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


Apply = Callable[[Moment, Clerk], Sequence[object]]


class Streams:
    """The contracts on `chain`, `book` and `registry` beside them; people own a device on each curve, with a stream of
    each mode."""

    def __init__(self, chain: Chain, rng: random.Random) -> None:
        self.chain, self.rng, self.nonces = chain, rng, count(1)
        self.maker, self.operator, self.stranger = Person(rng), Person(rng), Person(rng)
        self.people = [Person(rng), Person(rng)]
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
        roles = {"enrol": (Role.MAKER, self.maker), "setStatus": (Role.OPERATOR, self.operator)}
        for function, (role, person) in roles.items():
            selector = abi_of("DeviceRegistry").selector(function)
            allowed = authority.set_function_role(self.at["DeviceRegistry"], [selector], role)
            chain.must([allowed, authority.grant_role(role, person.address)])
        self._roles = {function: {person.address} for function, (_, person) in roles.items()}
        self._used: set[tuple[str, int]] = set()
        self.registry = DeviceBook()
        self.book = StreamBook(self.registry)
        self.seen: Counter[str] = Counter()
        self._leaves: dict[bytes, list[bytes]] = {}
        self.streams = [self._open(self._enrol(kind), mode) for kind in KeyKind for mode in StreamMode]

    def domain(self, contract: str = "TelemetryAnchor") -> Domain:
        """The EIP-712 domain of one of the contracts."""
        return Domain.of(contract, self.chain.chain_id, self.at[contract])

    def run(self, name: str, call: Call, apply: Apply, act: Act | None = None, signature: bytes = b"") -> str:
        """Mines one call and compares how it ended with what the domain says of it; how it did, by name."""
        (mined,) = self.chain.mine([call])
        at = Moment(self.chain.now, int(self.chain.rpc("eth_blockNumber"), 16))
        contract = next(each for each, address in self.at.items() if address == call.to)
        clerk = Clerk(self.domain(contract), self._roles, self._used, name, act)
        clerk.now, clerk.signature = self.chain.now, signature
        try:
            outcomes = apply(at, clerk)
        except DomainError as refusal:
            self._compare_refusal(refusal, mined)
            name = refusal.name
        else:
            assert mined.succeeded, f"{name}: {reverted(self.chain.revert_of(mined))}"
            clerk.file()
            due = [(type(outcome).__name__, *vars(outcome).values()) for outcome in outcomes]
            assert [said_of(event) for event in decode_logs(mined.logs)] == due
            self._note(outcomes, at)
        self.seen[name] += 1
        self.compare()
        return name

    def _compare_refusal(self, refusal: DomainError, mined: Mined) -> None:
        assert not mined.succeeded, f"not refused with {refusal}"
        assert self.chain.revert_of(mined) == refusal.data, f"not {refusal}"

    def _note(self, outcomes: Sequence[object], at: Moment) -> None:
        for outcome in outcomes:
            self.seen[type(outcome).__name__] += 1
            if isinstance(outcome, BatchAnchored):
                stream = next(each for each in self.streams if each.id == outcome.stream)
                span = Span.unpack(outcome.span.to_bytes(32, "big"))
                leaves = self._leaves[outcome.root]
                stream.anchored.append(Anchored(span, outcome.root, at.block, at.time, leaves))
            elif isinstance(outcome, BatchRefused):
                self.seen[f"many: {error_name(outcome.reason[:4])}"] += 1

    def compare(self) -> None:
        """Tips and keepers of every stream."""
        calls = [self.anchors.call(name, each) for each in self.book.streams for name in ("tipHashOf", "keeperOf")]
        answers = self.chain.view(calls)
        functions = abi_of("TelemetryAnchor").functions
        for at, record in enumerate(self.book.streams.values()):
            assert answers[2 * at] == record.tip.hash
            keeper = functions["keeperOf"].decode(answers[2 * at + 1])
            assert keeper == (record.keeper.lower(), record.epoch)

    def owner_of(self, device: Device) -> Person:
        """Whoever of the people owns it."""
        owner = self.registry.devices[checksum_address(device.id)].owner
        return next(person for person in self.people if person.address == owner)

    def consent(self, by: Person, said: Any, contract: str = "TelemetryAnchor") -> Act:
        return by.consent(self.domain(contract), said)

    # building

    def _enrol(self, kind: KeyKind) -> Device:
        device, space = Device(self.rng, kind), self.domain("DeviceRegistry")
        name = checksum_address(device.id)
        parties = name, self.maker.address, self.people[0].address
        said = Endorsement(*parties, MODEL, kind, *device.point, next(self.nonces), FAR)
        possession = device.sign(space, Possession(*parties, FAR))
        act = self.consent(self.maker, said, "DeviceRegistry")
        call = self.devices.enrol(said, act.signature, possession)
        assert self.run("enrol", call, lambda at, w: self.registry.enrol(said, at, w), act, possession) == "enrol"
        return device

    def _open(self, device: Device, mode: StreamMode) -> Stream:
        schema = self.rng.randbytes(32)
        assert self.open(device, mode, schema, self.people[0]) == "open"
        return Stream(stream_id(device.id, mode, schema), mode, device, self.book, schema)

    def open(self, device: Device, mode: StreamMode, schema: bytes, by: Person) -> str:
        """A stream, be it open already."""
        said = OpenStream(checksum_address(device.id), schema, mode, next(self.nonces), FAR)
        act = self.consent(by, said)
        call = self.anchors.open(said.device, schema, mode, act)
        return self.run("open", call, lambda _, witness: self.book.open(said, by.address, witness), act)

    # batches

    def draft(self, stream: Stream, readings: int, tip: Tip | None = None) -> tuple[Batch, bytes]:
        """The batch that follows the stream's tip, or that one, and its body."""
        tip = tip or stream.tip
        index, last, now = tip.span.next_index, tip.span.last_ms, self.chain.now * 1_000
        times = sorted(self.rng.randrange(max(last, now - 60_000), max(last, now) + 1) for _ in range(readings))
        values = [(self.rng.randrange(-(1 << 63), 1 << 63), self.rng.randrange(1_000)) for _ in times]
        run = ReadingRun.of(
            Reading(index + at, ms, self.rng.randrange(1 << 32), value)
            for at, (ms, value) in enumerate(zip(times, values, strict=True))
        )
        leaves = list(SaltedRun(run, self.rng.randbytes(32)).leaves)
        body = self.rng.randbytes(5 * readings) if stream.mode is StreamMode.FULL else b""
        root = MerkleTree.of(leaves).root
        self._leaves[root] = leaves
        said = index, readings, times[0], times[-1], tip.span.epoch, tip.head, root, sha256(body).digest()
        return Batch(stream.id, *said), body

    def signed(self, stream: Stream, batch: Batch, tip: Tip | None = None) -> SignedBatch:
        """As the stream's device signs it, after the stream's tip or that one."""
        signature = stream.device.sign(self.domain(), batch)
        if self.rng.random() < 0.2:
            signature += b"".join(stream.device.point)
        return SignedBatch(batch, tip or stream.tip, signature)

    def brought(self, signed: SignedBatch, body: bytes | None) -> tuple[BroughtBatch, Callable[[], bool]]:
        """As the domain takes it, and whether its device signed it."""
        batch = signed.batch
        hashes = batch.root, batch.body_hash
        made = BroughtBatch(batch.stream, batch.span(), signed.tip, *hashes, body)
        said = digest(self.domain(), made.batch)
        return made, lambda: self.registry.is_authentic(device_of(batch.stream), said, signed.signature)

    def anchor(self, signed: SignedBatch, body: bytes | None) -> str:
        """One batch; `body` None: by the call that takes none."""
        made, is_authentic = self.brought(signed, body)
        call = self.anchors.anchor(signed) if body is None else self.anchors.anchor_with_body(signed, body)
        return self.run("anchor", call, lambda at, _: self.book.anchor(made, at, is_authentic))

    def anchor_all(self, batches: Sequence[tuple[SignedBatch, bytes]]) -> str:
        """Several, of which some are refused."""

        def apply(at: Moment, _: Clerk) -> list[object]:
            outcomes: list[object] = []
            for signed, body in batches:
                made, is_authentic = self.brought(signed, body)
                try:
                    outcomes += self.book.anchor(made, at, is_authentic)
                except DomainError as refusal:
                    outcomes.append(self.book.refused(made, refusal))
            return outcomes

        return self.run("anchorAll", self.anchors.anchor_all(batches), apply)

    # what owners do

    def new_epoch(self, stream: Stream, by: Person, epoch: int, tip: Tip) -> str:
        """Somebody begins an epoch after a tip."""
        said = NewEpoch(stream.id, epoch, next(self.nonces), FAR)
        act = self.consent(by, said)
        call = self.anchors.new_epoch(stream.id, epoch, tip, act)
        apply: Apply = lambda _, witness: self.book.begin_epoch(said, tip.hash, by.address, witness)  # noqa: E731
        return self.run("newEpoch", call, apply, act)

    def grant(self, stream: Stream, by: Person, epoch: int, windows: tuple[int, int], sealed: bytes, to: str) -> str:
        """Somebody grants access; now and then to what was not what they signed."""
        said = GrantAccess(stream.id, to, epoch, *windows, keccak(sealed), next(self.nonces), FAR)
        act = self.consent(by, said)
        call = self.anchors.grant(stream.id, to, epoch, windows, sealed, act)
        return self.run("grant", call, lambda _, witness: self.book.grant(said, sealed, by.address, witness), act)

    def sell(self, device: Device) -> str:
        """To whoever does not own it."""
        name, owner = checksum_address(device.id), self.owner_of(device)
        other = next(person for person in self.people if person is not owner)
        space = "DeviceRegistry"
        offer = TransferOffer(name, other.address, FAR, next(self.nonces), FAR)
        act = self.consent(owner, offer, space)
        call = self.devices.offer_transfer(name, other.address, FAR, act)
        self.run("offerTransfer", call, lambda _, w: self.registry.offer(offer, owner.address, w), act)
        taken = TransferAcceptance(name, owner.address, next(self.nonces), FAR)
        accepted, nonce = self.consent(other, taken, space), self.registry.devices[name].nonce
        signature = device.sign(self.domain(space), Handover(name, owner.address, other.address, nonce, FAR))
        key = DevicePublicKey(device.kind, *device.point)
        call = self.devices.accept_transfer(name, key, accepted, signature)
        said = key.name, other.address, taken.nonce, FAR
        apply: Apply = lambda at, w: self.registry.accept(name, *said, at, w)  # noqa: E731
        return self.run("acceptTransfer", call, apply, accepted, signature)

    def status(self, device: Device, status: DeviceStatus) -> str:
        """By the operator."""
        said = StatusChange(checksum_address(device.id), status, next(self.nonces), FAR)
        act = self.consent(self.operator, said, "DeviceRegistry")
        call = self.devices.set_status(said.device, status, act)
        apply: Apply = lambda at, w: self.registry.set_status(said, self.operator.address, at, w)  # noqa: E731
        return self.run("setStatus", call, apply, act)
