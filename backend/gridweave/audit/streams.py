"""The TelemetryAnchor replayed: every stream's epochs, batches and grants, down to heads, tips and pages."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from gridweave.audit.device_acts import Bench, DeviceWitness
from gridweave.audit.devices import Devices
from gridweave.audit.differences import Kind, Subject
from gridweave.audit.findings import Findings
from gridweave.audit.matching import Expected
from gridweave.audit.report import Checked
from gridweave.audit.signed import SignedAct
from gridweave.audit.stream_calls import (
    AnchoringBatches,
    BeginningEpoch,
    GrantingAccess,
    OpeningStream,
    SeenBatch,
    StreamCall,
)
from gridweave.chain import events as chain
from gridweave.chain.events import EVENTS, Event
from gridweave.chain.hexes import to_hex
from gridweave.domain.acts import DeviceStatus
from gridweave.domain.anchors import Tip, device_of, stream_id
from gridweave.domain.devices import Moment
from gridweave.domain.errors import DomainError
from gridweave.domain.hashing import keccak
from gridweave.domain.stream_acts import GrantAccess, NewEpoch, OpenStream
from gridweave.domain.stream_book import BroughtBatch, StreamBook, require_count
from gridweave.domain.stream_errors import BatchNotAuthentic
from gridweave.domain.stream_outcomes import BatchAnchored, StreamOutcome

__all__ = ["CONTRACT", "Streams"]

CONTRACT = "TelemetryAnchor"
Told = chain.BatchAnchored | chain.BatchRefused

_BARE = 64
"""Bytes of a signature without its key."""


class Streams:
    """One anchor's `book`, with the devices of the registry that it asks."""

    def __init__(self, anchor: str, devices: Devices, bench: Bench) -> None:
        self.book = StreamBook(devices.book)
        self._anchor, self._devices, self._bench = anchor, devices, bench
        self._findings: Findings = bench.findings

    def apply(self, call: StreamCall, at: Moment, said: Sequence[Event]) -> list[Expected]:
        """The events that a call must leave, `said` being those that it left. Raises what the rules refuse it with."""
        outcomes = self._apply(call, at, said)
        return [Expected(EVENTS[type(made).__name__], self._anchor, vars(made)) for made in outcomes]

    def _apply(self, call: StreamCall, at: Moment, said: Sequence[Event]) -> list[StreamOutcome]:
        match call:
            case OpeningStream(device, schema_hash, mode, act):
                stream = stream_id(device, mode, schema_hash)
                opened = OpenStream(device, schema_hash, mode, act.nonce, act.deadline)
                return self.book.open(opened, act.signer, self._witness("open", stream, act, at))
            case BeginningEpoch(stream, epoch, tip, act):
                begun = NewEpoch(stream, epoch, act.nonce, act.deadline)
                witness = self._witness("newEpoch", stream, act, at)
                return self.book.begin_epoch(begun, self._tip(stream, tip).hash, act.signer, witness)
            case GrantingAccess(stream, to, epoch, first, last, sealed, act):
                record = self.book.streams.get(stream)
                act = replace(act, signer=record.keeper) if record and not act.signer else act
                said_ = GrantAccess(stream, to, epoch, first, last, keccak(sealed), act.nonce, act.deadline)
                return self.book.grant(said_, sealed, act.signer, self._witness("grant", stream, act, at))
            case AnchoringBatches():
                return self._anchor_all(call, at, said)

    def _witness(self, function: str, stream: bytes, act: SignedAct, at: Moment) -> DeviceWitness:
        subject = Subject(stream=to_hex(stream), device=device_of(stream))
        return DeviceWitness(self._bench, function, subject, at.time, act, Kind.OWNER_SIGNATURE, contract=CONTRACT)

    def _tip(self, stream: bytes, brought: Tip | None) -> Tip:
        """The tip that was brought; of a call seen from outside the one that had to be."""
        record = self.book.streams.get(stream)
        return brought or (record.tip if record else Tip.start(0))

    # batches

    def _anchor_all(self, call: AnchoringBatches, at: Moment, said: Sequence[Event]) -> list[StreamOutcome]:
        if call.in_batch:
            require_count(len(call.items), call.bodies)
        outcomes: list[StreamOutcome] = []
        for item, told in zip(call.items, _each(call, said), strict=True):
            brought = BroughtBatch(
                item.stream, item.span, self._tip(item.stream, item.tip), item.root, item.body_hash, item.body
            )
            try:
                outcomes += self._anchor_one(item, brought, at, told, taken=not call.in_batch)
            except DomainError as refusal:
                if not call.in_batch:
                    raise
                outcomes.append(self.book.refused(brought, refusal))
        return outcomes

    def _anchor_one(
        self, item: SeenBatch, brought: BroughtBatch, at: Moment, told: Told | None, *, taken: bool
    ) -> list[StreamOutcome]:
        taken = taken or isinstance(told, chain.BatchAnchored)
        outcomes = self.book.anchor(brought, at, lambda: self._is_authentic(item, brought, told, taken=taken))
        anchored = [made for made in outcomes if isinstance(made, BatchAnchored)]
        self._findings.count(Checked.TELEMETRY_READINGS, sum(brought.span.count for _ in anchored))
        return outcomes

    def _is_authentic(self, item: SeenBatch, brought: BroughtBatch, told: Told | None, *, taken: bool) -> bool:
        """Whether the device signed. Tells if it did not and the contract took the batch, which the replay does too."""
        name = device_of(item.stream)
        device = self._devices.device(name)
        if device is None or device.status is not DeviceStatus.ACTIVE:
            return False
        if item.signature is None or not self._findings.reviewing:
            self._findings.count(Checked.BY_CONTRACT_ONLY, item.signature is None)
            return not _is_refused_as_forged(told)
        if taken and len(item.signature) == _BARE and device.judging_key is None:
            self._devices.keep_unseen(name)
        self._findings.count(Checked.BATCH_SIGNATURES)
        said = self._bench.proofs.digest(CONTRACT, brought.batch)
        if self._devices.book.is_authentic(name, said, item.signature):
            return True
        if taken:
            subject = Subject(stream=to_hex(item.stream), device=name)
            self._findings.differ(Kind.BATCH_SIGNATURE, subject, "the device's current key", "another key")
        return taken


def _is_refused_as_forged(told: Told | None) -> bool:
    return isinstance(told, chain.BatchRefused) and told.reason[:4] == BatchNotAuthentic.selector()


def _each(call: AnchoringBatches, said: Sequence[Event]) -> Sequence[Told | None]:
    """What was said of each batch of a call, which leaves one of two events each, in their order."""
    told = [event for event in said if isinstance(event, chain.BatchAnchored | chain.BatchRefused)]
    return told if len(told) == len(call.items) else [None] * len(call.items)
