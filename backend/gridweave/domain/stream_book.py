"""The TelemetryAnchor as a pure state machine: the same calls give the same tips, pages, events and refusals.

It checks in the contract's order. A call that raises has changed nothing. Owners' consent is judged by a `Witness`;
whether a device signed a batch is asked where the contract asks.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from hashlib import sha256

from gridweave.domain.addresses import ZERO_ADDRESS
from gridweave.domain.anchors import MODE_AT, MOST_BODY, Batch, Span, StreamMode, Tip, stream_id
from gridweave.domain.device_errors import SignerNotAllowed
from gridweave.domain.device_roll import DeviceRoll
from gridweave.domain.device_rules import Witness, hex_of
from gridweave.domain.devices import Moment
from gridweave.domain.errors import DomainError
from gridweave.domain.stream_acts import GrantAccess, NewEpoch, OpenStream
from gridweave.domain.stream_errors import (
    BatchEmpty,
    BatchFromFuture,
    BatchLeavesGap,
    BatchNotAuthentic,
    BatchOverlaps,
    BatchTimeRunsBack,
    BodyCountDiffers,
    BodyDiffers,
    BodyMissing,
    BodyTooLong,
    BodyUnwanted,
    EpochNotBegun,
    EpochNotNewer,
    EpochOfFormerOwner,
    EpochRunsBack,
    EpochTooFar,
    GrantIsEmpty,
    GrantToNobody,
    GrantTooLong,
    StreamAlreadyOpen,
    StreamUnknown,
    TipDiffers,
    TooManyBatches,
)
from gridweave.domain.stream_outcomes import (
    AccessGranted,
    BatchAnchored,
    BatchRefused,
    BodyAnchored,
    EpochBegun,
    StreamOpened,
    StreamOutcome,
)

__all__ = [
    "CLOCK_TOLERANCE",
    "MOST_BATCHES",
    "MOST_SEALED",
    "BroughtBatch",
    "StreamBook",
    "StreamRecord",
    "require_count",
]

CLOCK_TOLERANCE = 60
"""Seconds that a device's clock may be ahead of the block's."""
MOST_SEALED = 1 << 14
MOST_BATCHES = 100
MOST_EPOCH_STEP = 256


@dataclass(frozen=True)
class BroughtBatch:
    """A batch as a transaction brings it: after `tip`, with what was sealed; `body` None: by the call that takes none.

    Number and device's nonce of its `span` are anything: the contract puts its own there.
    """

    stream: bytes
    span: Span
    tip: Tip
    root: bytes
    body_hash: bytes
    body: bytes | None = None

    @property
    def batch(self) -> Batch:
        """What its device signs."""
        span = self.span
        said = span.first_index, span.count, span.first_ms, span.last_ms, span.epoch
        return Batch(self.stream, *said, self.tip.head, self.root, self.body_hash)


@dataclass
class StreamRecord:
    """A stream as it stands. `keeper` began its present epoch; `pages` are the roots of its full pages, in order."""

    device: str
    schema_hash: bytes
    mode: StreamMode
    tip: Tip
    keeper: str
    pages: list[bytes] = field(default_factory=list)

    @property
    def epoch(self) -> int:
        return self.tip.span.epoch


class StreamBook:
    """Every stream of one TelemetryAnchor. `devices` are the registry's, as they stand when a call is made."""

    def __init__(self, devices: DeviceRoll) -> None:
        self.streams: dict[bytes, StreamRecord] = {}
        self._devices = devices

    # streams

    def open(self, said: OpenStream, signer: str, witness: Witness) -> list[StreamOutcome]:
        """Raises StreamAlreadyOpen, what the witness does, SignerNotAllowed."""
        stream = stream_id(said.device, said.mode, said.schema_hash)
        if stream in self.streams:
            raise StreamAlreadyOpen(hex_of(stream))
        witness.require_consent(signer, said)
        self._require_owner(said.device, signer)
        tip = Tip.start(self._nonce_of(said.device))
        self.streams[stream] = StreamRecord(said.device, said.schema_hash, said.mode, tip, signer)
        opened = StreamOpened(stream, said.device, said.schema_hash, said.mode)
        return [opened, EpochBegun(stream, signer, tip.span.epoch, _number(tip.span))]

    def begin_epoch(self, said: NewEpoch, tip_hash: bytes, signer: str, witness: Witness) -> list[StreamOutcome]:
        """`tip_hash` is that of the tip which was brought.

        Raises StreamUnknown, EpochNotNewer, EpochTooFar, what the witness does, SignerNotAllowed, TipDiffers.
        """
        record = self._record(said.stream)
        if said.epoch <= record.epoch:
            raise EpochNotNewer(hex_of(said.stream), said.epoch, record.epoch)
        most = record.epoch + MOST_EPOCH_STEP
        if said.epoch > most:
            raise EpochTooFar(hex_of(said.stream), said.epoch, most)
        witness.require_consent(signer, said)
        self._require_owner(record.device, signer)
        self._require_tip(said.stream, tip_hash)
        record.tip = record.tip.rekeyed(said.epoch, self._nonce_of(record.device))
        record.keeper = signer
        return [EpochBegun(said.stream, signer, said.epoch, _number(record.tip.span))]

    # batches

    def anchor(self, brought: BroughtBatch, at: Moment, is_authentic: Callable[[], bool]) -> list[StreamOutcome]:
        """`is_authentic`: whether the device, which is active, signed the batch.

        Raises BodyMissing, BodyUnwanted, BodyTooLong, BodyDiffers, TipDiffers, StreamUnknown, BatchEmpty,
        BatchLeavesGap, BatchOverlaps, BatchTimeRunsBack, BatchFromFuture, EpochRunsBack, EpochNotBegun,
        BatchNotAuthentic, EpochOfFormerOwner: the first that applies.
        """
        _require_body(brought)
        self._require_tip(brought.stream, brought.tip.hash)
        record, batch = self.streams[brought.stream], brought.batch
        _require_next(batch, record.tip.span, at)
        if not is_authentic():
            raise BatchNotAuthentic(hex_of(brought.stream), record.device)
        nonce = self._nonce_of(record.device)
        if nonce != record.tip.span.device_nonce:
            self._require_keeper(brought.stream, record, self._devices.owner_of(record.device))

        page = record.tip.page_closed_by(batch, at.block, at.time, nonce)
        record.tip = record.tip.after(batch, at.block, at.time, nonce)
        record.pages += [page] if page else []
        span = record.tip.span
        anchored = BatchAnchored(batch.stream, _number(span), record.tip.head, batch.root, batch.body_hash)
        return [anchored, *([BodyAnchored(batch.stream, span.number, brought.body)] if brought.body else [])]

    @staticmethod
    def refused(brought: BroughtBatch, refusal: DomainError) -> BatchRefused:
        """What is said of one of many that was not anchored."""
        return BatchRefused(brought.stream, _number(brought.span), refusal.data)

    # grants

    def grant(self, said: GrantAccess, sealed: bytes, signer: str, witness: Witness) -> list[StreamOutcome]:
        """`said.sealed_hash` is that of `sealed`.

        Raises GrantToNobody, GrantIsEmpty, GrantTooLong, StreamUnknown, EpochNotBegun, EpochOfFormerOwner,
        SignerNotAllowed, what the witness does.
        """
        if said.to == ZERO_ADDRESS:
            raise GrantToNobody
        if said.first_window > said.last_window:
            raise GrantIsEmpty(said.first_window, said.last_window)
        if len(sealed) > MOST_SEALED:
            raise GrantTooLong(len(sealed), MOST_SEALED)
        record = self._record(said.stream)
        if said.epoch > record.epoch:
            raise EpochNotBegun(hex_of(said.stream), said.epoch, record.epoch)
        self._require_keeper(said.stream, record, self._owner_of(record.device))
        if signer != record.keeper:
            raise SignerNotAllowed(signer)
        witness.require_consent(signer, said)
        return [AccessGranted(said.stream, said.to, said.epoch, said.first_window, said.last_window, sealed)]

    # requirements

    def _record(self, stream: bytes) -> StreamRecord:
        record = self.streams.get(stream)
        if record is None:
            raise StreamUnknown(hex_of(stream))
        return record

    def _require_tip(self, stream: bytes, tip_hash: bytes) -> None:
        kept = self._record(stream).tip.hash
        if kept != tip_hash:
            raise TipDiffers(hex_of(stream), hex_of(tip_hash), hex_of(kept))

    def _require_owner(self, device: str, signer: str) -> None:
        if self._owner_of(device) != signer:
            raise SignerNotAllowed(signer)

    @staticmethod
    def _require_keeper(stream: bytes, record: StreamRecord, owner: str) -> None:
        if owner != record.keeper:
            raise EpochOfFormerOwner(hex_of(stream), record.keeper, owner)

    def _owner_of(self, device: str) -> str:
        """Of a device in service or not, the zero address if there is none."""
        found = self._devices.devices.get(device)
        return found.owner if found else ZERO_ADDRESS

    def _nonce_of(self, device: str) -> int:
        found = self._devices.devices.get(device)
        return found.nonce if found else 0


def require_count(batches: int, bodies: int) -> None:
    """What many batches in one call must meet. Raises TooManyBatches, BodyCountDiffers."""
    if batches > MOST_BATCHES:
        raise TooManyBatches(batches, MOST_BATCHES)
    if bodies != batches:
        raise BodyCountDiffers(bodies, batches)


def _require_body(brought: BroughtBatch) -> None:
    stream, body = brought.stream, brought.body or b""
    if stream[MODE_AT] != StreamMode.FULL:
        if body:
            raise BodyUnwanted(hex_of(stream))
        return
    if not body:
        raise BodyMissing(hex_of(stream))
    if len(body) > MOST_BODY[StreamMode.FULL]:
        raise BodyTooLong(len(body), MOST_BODY[StreamMode.FULL])
    computed = sha256(body).digest()
    if computed != brought.body_hash:
        raise BodyDiffers(hex_of(brought.body_hash), hex_of(computed))


def _require_next(batch: Batch, last: Span, at: Moment) -> None:
    """The batch continues the stream in number, in time and in epoch."""
    stream, expected = hex_of(batch.stream), last.next_index
    if not batch.count:
        raise BatchEmpty(stream)
    if batch.first_index < expected:
        raise BatchOverlaps(stream, batch.first_index, expected)
    if batch.first_index > expected:
        raise BatchLeavesGap(stream, batch.first_index, expected)
    if batch.first_ms < last.last_ms:
        raise BatchTimeRunsBack(stream, batch.first_ms, last.last_ms)
    if batch.last_ms < batch.first_ms:
        raise BatchTimeRunsBack(stream, batch.last_ms, batch.first_ms)
    latest = (at.time + CLOCK_TOLERANCE) * 1_000
    if batch.last_ms > latest:
        raise BatchFromFuture(stream, batch.last_ms, latest)
    if batch.epoch < last.epoch:
        raise EpochRunsBack(stream, batch.epoch, last.epoch)
    if batch.epoch > last.epoch:
        raise EpochNotBegun(stream, batch.epoch, last.epoch)


def _number(span: Span) -> int:
    return int.from_bytes(span.pack(), "big")
