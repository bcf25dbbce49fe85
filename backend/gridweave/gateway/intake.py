"""Taking segments in: verified, put to disk together with what others sent meanwhile, and only then acknowledged.

Memory is bounded: what waits for the disk by `most_pending`, and the disk by `most_kept`. Beyond either the sender is
told so by name, and keeps what it has.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from weakref import WeakValueDictionary

from gridweave.domain.anchors import StreamMode, device_of
from gridweave.domain.errors import DomainError
from gridweave.domain.telemetry.errors import SegmentOverlap, SegmentSignatureInvalid
from gridweave.domain.telemetry.gateway_errors import (
    DeviceNotActive,
    IntakeBusy,
    SegmentConflicts,
    SegmentOfOtherDevice,
    SegmentTooLarge,
    SpoolFull,
    SpoolUnwritable,
)
from gridweave.domain.telemetry.messages import decode_message
from gridweave.domain.telemetry.segments import SignedRun, StreamTail
from gridweave.domain.telemetry.verifying import ClockLimits, judge_clock, verify_segment
from gridweave.domain.telemetry.words import Refusal, SegmentAck
from gridweave.gateway.desks import Desk, Desks, Disk
from gridweave.gateway.spool import NewSegment
from gridweave.timing import now_ms

__all__ = ["Intake", "IntakeLimits"]

_NO_STREAM = bytes(32)
_MOST_MESSAGE = {StreamMode.FULL: 96 << 10, StreamMode.HASH: 512 << 10}
"""Bytes of which a batch of the mode can hold at least one, however little they compress."""

_ASK_KEY_EVERY_S = 2.0


@dataclass(frozen=True)
class IntakeLimits:
    """Bytes: of what waits for the disk, and of what the disk keeps. How far clocks may differ."""

    most_pending: int = 32 << 20
    most_kept: int = 1 << 30
    clock: ClockLimits = field(default_factory=ClockLimits)


@dataclass
class _Entry:
    desk: Desk
    new: NewSegment
    kept: asyncio.Future[StreamTail]
    tail: StreamTail


class Intake:
    """`run` writes to disk what `take` verified. `clock` is the gateway's, in milliseconds."""

    def __init__(self, desks: Desks, disk: Disk, limits: IntakeLimits, clock: Callable[[], int] = now_ms) -> None:
        self._desks, self._disk, self._limits, self._clock = desks, disk, limits, clock
        self._pending: list[_Entry] = []
        self._pending_bytes = 0
        self._arrived = asyncio.Event()
        self._turns: WeakValueDictionary[bytes, asyncio.Lock] = WeakValueDictionary()
        self._writing: list[_Entry] = []

    async def take(self, device: str | None, raw: bytes) -> SegmentAck:
        """Acknowledges a message that came from `device` (None: whoever), or refuses it by name."""
        stream = _NO_STREAM
        try:
            sent = decode_message(raw)
            stream = sent.segment.stream
            must_be_own(device, stream)
            async with self._turns.setdefault(stream, asyncio.Lock()):  # messages of a stream in the order they came
                desk = await self._desks.of(stream)
                late_ms, kept = await self._begin(desk, sent, raw)
            if kept is not None:
                await asyncio.shield(kept)
        except DomainError as refused:
            return self._refusal(stream, refused)
        return SegmentAck(stream, desk.tail.next_index, desk.tail.head, late_ms)

    async def run(self) -> None:
        """Writes until it is cancelled."""
        while True:
            await self._arrived.wait()
            self._arrived.clear()
            self._writing, self._pending = self._pending, []
            self._pending_bytes = 0
            if self._writing:
                await self._write(self._writing)

    def _refusal(self, stream: bytes, refused: DomainError) -> SegmentAck:
        desk = self._desks.find(stream)
        why = Refusal.of(refused)
        if desk is None or desk.open_at is not None:
            return SegmentAck(stream, 0, b"", 0, why)
        return SegmentAck(stream, desk.tail.next_index, desk.tail.head, 0, why)

    async def _begin(self, desk: Desk, sent: SignedRun, raw: bytes) -> tuple[int, asyncio.Future[StreamTail] | None]:
        """By how much it is late, and when it is on disk; None: it is."""
        received = self._clock()
        if sent.segment.end_index <= desk.ahead.next_index:
            return 0, await self._as_before(desk, sent)
        late_ms = judge_clock(sent.segment, received, self._limits.clock)
        tail = await self._verified(desk, sent)
        self._must_have_room(desk, len(raw))
        return late_ms, self._append(_entry(desk, NewSegment(sent.segment, raw, received, late_ms), tail))

    async def _as_before(self, desk: Desk, sent: SignedRun) -> asyncio.Future[StreamTail] | None:
        """What the gateway has already is acknowledged again once it is on disk, unless it was something else."""
        segment = sent.segment
        if desk.is_opening:
            await self._learn_head(desk, sent)
            return None
        for entry in (*self._writing, *self._pending):
            if entry.desk is desk and entry.new.segment.first_index == segment.first_index:
                _must_be_same(segment.first_index, segment.head, entry.new.segment.head)
                return entry.kept
        kept = await self._disk.do(lambda spool: spool.head_of(segment.stream, segment.first_index))
        if kept is not None:
            _must_be_same(segment.first_index, segment.head, kept)
        return None

    async def _learn_head(self, desk: Desk, sent: SignedRun) -> None:
        """Of what another gateway anchored: the device says, and signs, which head its next segment continues."""
        if sent.segment.end_index != desk.open_at:
            raise SegmentOverlap(sent.segment.first_index, desk.tail.next_index)
        _must_be_active(desk)
        desk.facts.key.must_have_signed(sent.segment, sent.signature, await self._desks.domain())
        desk.opened(sent.segment.head)

    async def _verified(self, desk: Desk, sent: SignedRun) -> StreamTail:
        """The tail once this is taken. A signature that fails may be that of a key that the device has changed to."""
        try:
            return await self._verify(desk, sent)
        except (SegmentSignatureInvalid, DeviceNotActive):
            if not await self._desks.refresh(desk, at_most_every_s=_ASK_KEY_EVERY_S):
                raise
            return await self._verify(desk, sent)

    async def _verify(self, desk: Desk, sent: SignedRun) -> StreamTail:
        _must_be_active(desk)
        facts, tail = desk.facts, desk.ahead
        if desk.is_opening and desk.open_at == sent.segment.first_index:
            tail = replace(tail, head=sent.segment.previous_head)
        return verify_segment(tail, facts.schema, sent, facts.key, await self._desks.domain())

    def _must_have_room(self, desk: Desk, length: int) -> None:
        if length > (most := _MOST_MESSAGE[desk.facts.mode]):
            raise SegmentTooLarge(length, most)
        if self._pending_bytes + length > self._limits.most_pending:
            raise IntakeBusy(self._pending_bytes, self._limits.most_pending)
        on_the_way = self._pending_bytes + sum(len(entry.new.message) for entry in self._writing)
        if (kept := self._disk.spool.bytes_kept + on_the_way) + length > self._limits.most_kept:
            raise SpoolFull(kept, self._limits.most_kept)

    def _append(self, entry: _Entry) -> asyncio.Future[StreamTail]:
        entry.desk.ahead = entry.tail
        self._pending.append(entry)
        self._pending_bytes += len(entry.new.message)
        self._arrived.set()
        return entry.kept

    async def _write(self, entries: list[_Entry]) -> None:
        try:
            await self._disk.do(lambda spool: spool.add([entry.new for entry in entries]))
        except SpoolUnwritable as refused:
            self._give_back([*entries, *self._pending], refused)
            return
        finally:
            self._writing = []
        for entry in entries:
            entry.desk.tail, entry.desk.open_at = entry.tail, None
            entry.desk.news.set()
            entry.kept.set_result(entry.tail)

    def _give_back(self, entries: list[_Entry], refused: SpoolUnwritable) -> None:
        """Nothing of it is kept, nor of what was to follow it."""
        self._pending, self._pending_bytes = [], 0
        for entry in entries:
            entry.desk.ahead = entry.desk.tail
            entry.kept.set_exception(refused)
            with contextlib.suppress(SpoolUnwritable):
                entry.kept.exception()


def _entry(desk: Desk, new: NewSegment, tail: StreamTail) -> _Entry:
    return _Entry(desk, new, asyncio.get_running_loop().create_future(), tail)


def _must_be_active(desk: Desk) -> None:
    if not desk.facts.is_active:
        raise DeviceNotActive(desk.facts.device, desk.facts.status)


def _must_be_same(first_index: int, said: bytes, kept: bytes) -> None:
    if said != kept:
        raise SegmentConflicts(first_index, "0x" + said.hex(), "0x" + kept.hex())


def must_be_own(device: str | None, stream: bytes) -> None:
    """Return if the stream is the device's. Raises SegmentOfOtherDevice."""
    if device is not None and device.lower() != device_of(stream).lower():
        raise SegmentOfOtherDevice(device, device_of(stream))
