"""Making proofs out of a stream that one can open: of one reading, or of all in a range."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from gridweave.client.telemetry.anchored import AnchoredBatch
from gridweave.client.telemetry.evidence import BatchConsent, ReadingEvidence
from gridweave.client.telemetry.ledger import Ledger
from gridweave.client.telemetry.opening import ClosedSection, StreamReader
from gridweave.client.telemetry.placed import PlacedBatch
from gridweave.client.telemetry.range_evidence import MOST_PARTS, MOST_READINGS, RangeEvidence, RangePiece, Times
from gridweave.client.telemetry.refusals import ReadingNotAnchored, TimesNotShown
from gridweave.domain.telemetry.errors import WindowClosed
from gridweave.domain.telemetry.proofs import prove_range, prove_reading, prove_signature

__all__ = ["FindSignature", "prove_indexes", "prove_one", "prove_times"]

FindSignature = Callable[[AnchoredBatch], bytes | None]
"""The device's signature of a batch, None where nobody knows it: the chain keeps it in the transaction alone."""

_Slice = tuple[AnchoredBatch, int, int]


def prove_one(reader: StreamReader, index: int, signature_of: FindSignature = lambda _: None) -> ReadingEvidence:
    """The proof of a reading. Raises ReadingNotAnchored, EpochClosed, WindowClosed, and as StreamReader."""
    ledger = reader.ledger
    batch = ledger.having(index)
    (section,) = reader.opened(batch, index, index + 1)
    tip, signature = ledger.tip_over(batch.number), signature_of(batch)
    head = ledger.previous_head(batch.number)
    return ReadingEvidence(
        domain=reader.domain,
        stream=ledger.facts.stream,
        schema=reader.openings.schema,
        placed=PlacedBatch.of(ledger, batch.number),
        tip=tip.words if tip else (),
        proof=prove_reading(section, index),
        consent=None if signature is None else BatchConsent(head, batch.body_hash, signature),
        signature=prove_signature(section, index),
        key=reader.signer_of(section, batch, index),
    )


def prove_indexes(reader: StreamReader, first: int, end: int, times: Times | None = None) -> RangeEvidence:
    """The proof of readings [first, end). Raises ReadingNotAnchored, EpochClosed, WindowClosed, as StreamReader."""
    ledger = reader.ledger
    if not 0 <= first < end <= ledger.end_index:
        raise ReadingNotAnchored(first if first >= end else end - 1, ledger.end_index)
    calls: list[tuple[RangePiece, ...]] = []
    opens = False
    for call in _calls(ledger, first, end):
        calls.append(tuple(_piece(reader, *each) for each in call))
        opens = opens or any(ledger.tip_over(batch.number) for batch, _, _ in call)
    return RangeEvidence(
        domain=reader.domain,
        stream=ledger.facts.stream,
        schema=reader.openings.schema,
        times=times,
        tip=ledger.tip.words if opens else (),
        calls=tuple(calls),
    )


def prove_times(reader: StreamReader, from_ms: int, end_ms: int) -> RangeEvidence:
    """The proof of all readings in [from_ms, end_ms), with the one before and the one behind: so none is left out.

    Raises TimesNotShown if there is none behind yet, WindowClosed and EpochClosed if these cannot be shown.
    """
    behind = _first_from(reader, end_ms)
    if behind is None:
        raise TimesNotShown("behind", end_ms)
    first = _first_from(reader, from_ms)
    return prove_indexes(reader, max(0, (behind if first is None else first) - 1), behind + 1, Times(from_ms, end_ms))


def _first_from(reader: StreamReader, ms: int) -> int | None:
    """Index of the first reading at or after a time, None if there is none."""
    batch = next((each for each in reader.ledger.batches if each.span.last_ms >= ms), None)
    if batch is None:
        return None
    span = batch.span
    if span.first_ms >= ms:
        return span.first_index
    for part in reader.sections(batch, from_ms=ms):
        if isinstance(part, ClosedSection):
            raise WindowClosed(part.window)
        place = next((at for at, at_ms in enumerate(part.run.columns[1]) if at_ms >= ms), None)
        if place is not None:
            return part.run.first_index + place
    return None


def _calls(ledger: Ledger, first: int, end: int) -> Iterator[list[_Slice]]:
    """[first, end) as slices of batches, in as many calls as the contract's limits ask for."""
    call: list[_Slice] = []
    room = MOST_READINGS
    while first < end:
        if room == 0 or len(call) == MOST_PARTS:
            yield call
            call, room = [], MOST_READINGS
        batch = ledger.having(first)
        until = min(end, batch.span.next_index, first + room)
        call.append((batch, first, until))
        room, first = room - (until - first), until
    yield call


def _piece(reader: StreamReader, batch: AnchoredBatch, first: int, end: int) -> RangePiece:
    sections = reader.opened(batch, first, end)
    return RangePiece(PlacedBatch.of(reader.ledger, batch.number), prove_range(sections, first, end))
