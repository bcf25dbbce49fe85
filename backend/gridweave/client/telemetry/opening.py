"""Reading a stream with an owner's keys or those of grants. What they do not open is told, not hidden."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from gridweave.client.telemetry.anchored import AnchoredBatch, BatchSource
from gridweave.client.telemetry.ledger import Ledger
from gridweave.client.telemetry.refusals import EpochClosed
from gridweave.client.telemetry.stream_keys import StreamKeys
from gridweave.domain.eip712 import Domain
from gridweave.domain.telemetry.batches import Section
from gridweave.domain.telemetry.errors import SegmentSignatureInvalid, WindowClosed
from gridweave.domain.telemetry.grants import Grant
from gridweave.domain.telemetry.keytree import WindowKeys
from gridweave.domain.telemetry.opening import OpenedSection, open_section
from gridweave.domain.telemetry.readings import ReadingRun
from gridweave.domain.telemetry.schema import Schema
from gridweave.domain.telemetry.segments import StreamTail
from gridweave.domain.telemetry.verifying import DeviceKey
from gridweave.domain.telemetry.windows import END_MS, WINDOW_MS

__all__ = ["ClosedSection", "Openings", "StreamReader"]


@dataclass(frozen=True)
class ClosedSection:
    """Readings of a window that these keys do not open."""

    epoch: int
    window: int
    first_index: int
    count: int


@dataclass(frozen=True)
class Openings:
    """Keys that open parts of a stream."""

    stream: bytes
    schema: Schema
    keys: tuple[WindowKeys, ...] = field(repr=False)

    @classmethod
    def of_owner(cls, keys: StreamKeys) -> Openings:
        """All that an owner has."""
        return cls(keys.stream, keys.schema, tuple(each.keys for each in keys.epochs))

    @classmethod
    def of_grants(cls, stream: bytes, schema: Schema, grants: Sequence[Grant]) -> Openings:
        """What a party was given of one stream."""
        return cls(stream, schema, tuple(grant.keys for grant in grants if grant.stream == stream))

    def to(self, epoch: int, window: int) -> WindowKeys | None:
        """Keys that open the window, None without any."""
        return next((keys for keys in self.keys if keys.epoch == epoch and keys.opens(window)), None)

    def must_open(self, epoch: int, window: int) -> WindowKeys:
        """Raises EpochClosed, WindowClosed."""
        found = self.to(epoch, window)
        if found is not None:
            return found
        if not any(keys.epoch == epoch for keys in self.keys):
            raise EpochClosed(epoch)
        raise WindowClosed(window)


class StreamReader:
    """Opens a checked stream. `domain` is the TelemetryAnchor's: every segment that is opened must be its device's.

    Raises a SourceRefusal, BatchRefusal or SegmentRefusal for anything that is not as its device sent it.
    """

    def __init__(self, ledger: Ledger, source: BatchSource, openings: Openings, domain: Domain) -> None:
        self.ledger, self.source, self.openings, self.domain = ledger, source, openings, domain
        self._tail: StreamTail | None = None
        self._keys: tuple[DeviceKey, ...] = ()

    def runs(self, from_ms: int = 0, end_ms: int = END_MS) -> Iterator[ReadingRun | ClosedSection]:
        """Readings of [from_ms, end_ms) in their order, window by window, and the windows that stay closed."""
        for batch in self.ledger.between(from_ms, end_ms):
            for part in self.sections(batch, from_ms, end_ms):
                if isinstance(part, ClosedSection):
                    yield part
                elif (cut := _within(part.run, from_ms, end_ms)) is not None:
                    yield cut

    def sections(
        self, batch: AnchoredBatch, from_ms: int = 0, end_ms: int = END_MS
    ) -> Iterator[OpenedSection | ClosedSection]:
        """The batch's windows that reach into [from_ms, end_ms)."""
        sealed = self.ledger.sealed(self.source, batch)
        for section in sealed.sections():
            if not (from_ms < (section.window + 1) * WINDOW_MS and section.window * WINDOW_MS < end_ms):
                continue
            keys = self.openings.to(batch.span.epoch, section.window)
            if keys is None:
                yield _closed(batch, section)
                continue
            opened = open_section(keys, self.openings.schema, sealed.header, section)
            self._must_be_devices(opened, batch)
            yield opened

    def opened(self, batch: AnchoredBatch, first: int, end: int) -> tuple[OpenedSection, ...]:
        """The batch's windows with readings of [first, end). Raises EpochClosed, WindowClosed."""
        sealed, found = self.ledger.sealed(self.source, batch), []
        for section in sealed.sections():
            if section.first_index < end and first < section.first_index + section.count:
                keys = self.openings.must_open(batch.span.epoch, section.window)
                found.append(open_section(keys, self.openings.schema, sealed.header, section))
                self._must_be_devices(found[-1], batch)
        return tuple(found)

    def signer_of(self, section: OpenedSection, batch: AnchoredBatch, index: int) -> DeviceKey:
        """The key that signed the segment with that reading. Raises SegmentSignatureInvalid."""
        part = next(p for p in section.sent if p.segment.first_index <= index < p.segment.end_index)
        for key in self._keys_at(batch):
            try:
                key.must_have_signed(part.segment, part.signature, self.domain)
            except SegmentSignatureInvalid:
                continue
            return key
        raise SegmentSignatureInvalid("0x" + part.segment.stream.hex(), part.segment.first_index)

    def _must_be_devices(self, section: OpenedSection, batch: AnchoredBatch) -> None:
        """Its segments continue what was opened before it, where that ends here, and are signed by the device."""
        first = section.sent[0].segment
        tail = self._tail
        if tail is None or tail.next_index != first.first_index:
            tail = StreamTail.start(first.stream) if first.first_index == 0 else StreamTail.before(first)
        self._tail = section.follow(tail)
        for part in section.sent:
            self.signer_of(section, batch, part.segment.first_index)

    def _keys_at(self, batch: AnchoredBatch) -> tuple[DeviceKey, ...]:
        return tuple(self.source.device_keys(self.ledger.facts.device, batch.block))


def _closed(batch: AnchoredBatch, section: Section) -> ClosedSection:
    return ClosedSection(batch.span.epoch, section.window, section.first_index, section.count)


def _within(run: ReadingRun, from_ms: int, end_ms: int) -> ReadingRun | None:
    times = run.columns[1]
    places = [at for at, ms in enumerate(times) if from_ms <= ms < end_ms]
    if not places:
        return None
    return run.cut(run.first_index + places[0], run.first_index + places[-1] + 1)
