"""One stream's way to the chain: sealed, countersigned by its device, handed to the service, followed to the end.

Each step is on disk before the next, and each may be done again: a gateway that was killed anywhere goes on from what
the spool says. At most one batch is on its way to be anchored; those that are anchored wait to be final behind it.
"""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

import structlog

from gridweave.domain.anchors import MOST_BODY, Batch, StreamMode
from gridweave.domain.eip712 import digest
from gridweave.domain.errors import DomainError
from gridweave.domain.telemetry.batches import SealedBatch
from gridweave.domain.telemetry.errors import TelemetryRefusal, WindowClosed
from gridweave.domain.telemetry.keytree import WindowKeys
from gridweave.domain.telemetry.messages import decode_message
from gridweave.domain.telemetry.schema import Schema
from gridweave.domain.telemetry.sealing import seal
from gridweave.domain.telemetry.segments import SignedRun
from gridweave.domain.telemetry.windows import window_at
from gridweave.domain.telemetry.words import BatchSignature, BatchStanding
from gridweave.gateway.anchorage import Anchorage, Fate, FateKind, StreamFacts, SubmissionRefused
from gridweave.gateway.desks import Desk, Desks, Disk
from gridweave.gateway.keyring import KeyRing
from gridweave.gateway.spool import BatchState, SpooledBatch

__all__ = ["Keeper", "SealingPace"]

log = structlog.get_logger(__name__)

Tell = Callable[[str, BatchStanding], Awaitable[None]]

_UNSIGNED = frozenset({"BatchNotAuthentic", "DeviceSignatureInvalid"})


@dataclass(frozen=True)
class SealingPace:
    """A batch is sealed with `readings`, or once the first has waited for `seconds`; when more wait, with up to `most`.

    The other times are seconds between two looks at what the service and the device say; `final_s` is that of batches
    which are anchored and only wait to be final.
    """

    readings: int = 600
    seconds: float = 300.0
    most: int = 16_384
    most_bytes: int = 2 << 20
    poll_s: float = 1.0
    final_s: float = 10.0
    ask_again_s: float = 5.0
    longest_pause_s: float = 60.0


class _Anew(Exception):
    """The batches on disk are others now: what was begun with them ends."""


class Keeper:
    """Takes `desk`'s stream to the chain. `tell` sends the device how its batches stand; `clock` is the gateway's, in
    milliseconds.
    """

    def __init__(
        self,
        desk: Desk,
        desks: Desks,
        disk: Disk,
        service: Anchorage,
        keys: KeyRing,
        tell: Tell,
        pace: SealingPace,
        clock: Callable[[], int],
    ) -> None:
        self.desk, self._clock = desk, clock
        self._desks, self._disk, self._service, self._keys = desks, disk, service, keys
        self._tell, self._pace = tell, pace
        self._asked_at = self._final_at = float("-inf")
        self._at_once = False
        self._trouble = self._unsigned = ""
        self._pause_s = pace.poll_s

    @property
    def stream(self) -> bytes:
        """The stream's id."""
        return self.desk.facts.stream

    async def run(self) -> None:
        """Goes on until it is cancelled."""
        while True:
            self.desk.news.clear()
            trouble = await self._step()
            if trouble != self._trouble:
                await self._note(trouble)
            self._pause_s = min(2 * self._pause_s, self._pace.longest_pause_s) if trouble else self._pace.poll_s
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(self._pause_s):
                    await self.desk.news.wait()

    def seal_now(self) -> None:
        """Seals what waits, however little and however lately it came, as before its device is sold."""
        self._at_once = True
        self.desk.news.set()

    async def hear(self, word: BatchSignature) -> None:
        """The device's answer: its signature is kept if it is one, its refusal told."""
        kept = next((row for row in await self._rows() if row.batch.head == word.head), None)
        if kept is None or kept.state is not BatchState.SEALED:
            return
        if word.signature is None:
            self._unsigned = word.refused.name if word.refused else ""
            return
        if not self.desk.facts.key.signed(digest(await self._desks.domain(), kept.batch), word.signature):
            await self._desks.refresh(self.desk, at_most_every_s=self._pace.poll_s)
            return
        self._unsigned = ""
        await self._move(kept, BatchState.SIGNED, word.signature)
        self.desk.news.set()

    async def standing(self) -> BatchStanding:
        """What the device is told."""
        rows = await self._rows()
        known = await self._disk.do(lambda spool: spool.known(self.stream))
        assert known is not None
        committed = [known.base_head, *(row.batch.head for row in rows if row.state is BatchState.COMMITTED)]
        to_sign = next((row.batch for row in rows if row.state is BatchState.SEALED), None)
        return BatchStanding(self.stream, known.final_head, committed[-1], to_sign)

    # steps

    async def _step(self) -> str:
        """Takes every step that can be taken; what is in the way, by name, empty if nothing is."""
        try:
            await self._desks.keep_fresh(self.desk)
            looks_at_final = time.monotonic() - self._final_at >= self._pace.final_s
            for row in await self._rows():
                if row.state is not BatchState.COMMITTED or looks_at_final:
                    await self._follow(row)
            if looks_at_final:
                self._final_at = time.monotonic()
            return await self._seal_next() or self._unsigned
        except _Anew:
            self._unsigned = ""
            self.desk.news.set()
            return ""
        except SubmissionRefused as refused:
            return refused.reason
        except TelemetryRefusal as refused:
            return refused.name

    async def _follow(self, row: SpooledBatch) -> None:
        if row.state is BatchState.SEALED:
            await self._ask_signature()
        elif row.state is BatchState.SIGNED:
            await self._submit(row)
        else:
            await self._look_after(row)

    async def _ask_signature(self) -> None:
        if time.monotonic() - self._asked_at >= self._pace.ask_again_s:
            self._asked_at = time.monotonic()
            await self._tell(self.desk.facts.device, await self.standing())

    async def _submit(self, row: SpooledBatch) -> None:
        assert row.signature is not None
        body = await self._disk.do(lambda spool: spool.body(row))
        try:
            request = await self._service.submit(row.batch, body, row.signature)
        except SubmissionRefused as refused:
            await self._judge(row, refused.reason)
            return
        await self._move(row, BatchState.SENT, row.signature, request)

    async def _look_after(self, row: SpooledBatch) -> None:
        assert row.request is not None
        fate = await self._service.fate(row.request)
        match fate.kind:
            case FateKind.UNKNOWN:
                await self._move(row, BatchState.SIGNED, row.signature)
            case FateKind.REFUSED:
                await self._judge(row, fate.reason)
            case _:
                await self._take_fate(row, fate)

    async def _take_fate(self, row: SpooledBatch, fate: Fate) -> None:
        if fate.kind is FateKind.FINAL:
            await self._finish(row)
        elif fate.kind is FateKind.COMMITTED and row.state is not BatchState.COMMITTED:
            await self._move(row, BatchState.COMMITTED, row.signature, row.request)
            await self._tell(self.desk.facts.device, await self.standing())
        elif fate.kind is FateKind.WAITING and row.state is BatchState.COMMITTED:
            await self._move(row, BatchState.SENT, row.signature, row.request)  # its block was undone

    async def _finish(self, row: SpooledBatch) -> None:
        await self._disk.do(lambda spool: spool.finish(row))
        log.info(
            "a batch is final", stream="0x" + self.stream.hex(), first=row.batch.first_index, count=row.batch.count
        )
        await self._tell(self.desk.facts.device, await self.standing())

    # refusals

    async def _judge(self, row: SpooledBatch, reason: str) -> None:
        """What to do about a batch that was refused. Raises SubmissionRefused when only time can tell."""
        batch = row.batch
        log.warning("a batch was refused", stream="0x" + self.stream.hex(), first=batch.first_index, reason=reason)
        await self._desks.refresh(self.desk)
        facts = self.desk.facts
        found = await self._service.found(batch)  # asked after the facts: else what comes between looks like another's
        if found.kind is not FateKind.UNKNOWN:
            await self._take_fate(row, found)
            return
        if facts.epoch != batch.epoch:
            await self._seal_anew(batch)
        elif reason in _UNSIGNED:
            await self._move(row, BatchState.SEALED)
            raise SubmissionRefused(reason)
        elif facts.next_index > batch.first_index:
            if trouble := await self._catch_up(facts):
                raise SubmissionRefused(trouble)
        elif facts.next_index == batch.first_index and facts.head != batch.previous_head:
            await self._seal_anew(batch)
        else:
            await self._move(row, BatchState.SIGNED, row.signature)
            raise SubmissionRefused(reason)

    async def _seal_anew(self, batch: Batch) -> None:
        """Its readings, and those of the batches after it, wait again."""
        await self._disk.do(lambda spool: spool.shelve(self.stream, batch.first_index))
        raise _Anew

    # sealing

    async def _seal_next(self) -> str:
        rows = await self._rows()
        if rows and rows[-1].state is not BatchState.COMMITTED:
            return ""
        first, head = await self._next_place(rows)
        if not await self._is_due(first):
            return ""
        is_told = await self._desks.renew(self.desk)
        facts = self.desk.facts
        if is_told and not rows and (facts.next_index, facts.head) != (first, head):
            return await self._catch_up(facts)
        if await self._disk.do(lambda spool: spool.take_up(self.stream, first, facts.epoch, head)):
            raise _Anew
        keys = self._keys.keys(self.stream, facts.epoch)
        messages = await self._disk.do(
            lambda spool: spool.messages(self.stream, first, self._pace.most, self._pace.most_bytes)
        )
        sealed = await asyncio.to_thread(_seal, keys, facts.schema, facts.mode, messages)
        batch = _batch_of(sealed, head)
        await self._disk.do(lambda spool: spool.keep(batch, sealed.body))
        self._asked_at = float("-inf")
        await self._ask_signature()
        return ""

    async def _next_place(self, rows: list[SpooledBatch]) -> tuple[int, bytes]:
        """First index and previous head of the next batch."""
        if rows:
            return rows[-1].end_index, rows[-1].batch.head
        known = await self._disk.do(lambda spool: spool.known(self.stream))
        assert known is not None
        return known.base_index, known.base_head

    async def _is_due(self, first: int) -> bool:
        waiting = await self._disk.do(lambda spool: spool.waiting(self.stream, first))
        long_enough = self._clock() - waiting.since_ms >= self._pace.seconds * 1_000
        self._at_once = self._at_once and waiting.readings > 0
        return waiting.readings >= self._pace.readings or (waiting.readings > 0 and (long_enough or self._at_once))

    async def _catch_up(self, facts: StreamFacts) -> str:
        """The chain is not where this gateway left the stream: another gateway was at it, or blocks were undone."""
        if not await self._disk.do(lambda spool: spool.has_from(self.stream, facts.next_index)):
            return "AnchoredElsewhere"
        await self._disk.do(lambda spool: spool.rebase(self.stream, facts.next_index, facts.head))
        raise _Anew

    # disk

    async def _rows(self) -> list[SpooledBatch]:
        return await self._disk.do(lambda spool: spool.batches(self.stream))

    async def _move(
        self, row: SpooledBatch, state: BatchState, signature: bytes | None = None, request: str | None = None
    ) -> None:
        await self._disk.do(lambda spool: spool.move(row, state, signature, request))

    async def _note(self, trouble: str) -> None:
        if trouble:
            log.warning("a stream does not go on", stream="0x" + self.stream.hex(), trouble=trouble)
        self._trouble = trouble
        try:
            await self._disk.do(lambda spool: spool.note(self.stream, trouble))
        except DomainError:
            return  # the disk is what is in the way


def _seal(keys: WindowKeys, schema: Schema, mode: StreamMode, messages: list[bytes]) -> SealedBatch:
    """The largest batch of the first messages that the keys open and the mode allows. Raises WindowClosed."""
    sent = _opened(keys, [decode_message(message) for message in messages])
    while True:
        sealed = seal(keys, schema, sent)
        if len(sealed.body) <= MOST_BODY[mode] or len(sent) == 1:
            return sealed
        sent = sent[: (len(sent) + 1) // 2]


def _opened(keys: WindowKeys, sent: list[SignedRun]) -> list[SignedRun]:
    for place, part in enumerate(sent):
        window = window_at(part.run.first_ms)
        if not keys.opens(window):
            if place == 0:
                raise WindowClosed(window)
            return sent[:place]
    return sent


def _batch_of(sealed: SealedBatch, previous_head: bytes) -> Batch:
    header = sealed.header
    return Batch(
        header.stream,
        header.first_index,
        header.count,
        header.first_ms,
        header.last_ms,
        header.epoch,
        previous_head,
        header.root,
        sealed.body_hash,
    )
