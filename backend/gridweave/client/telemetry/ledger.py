"""A stream's batches, checked: they follow each other, their heads chain, and they lead to what the chain keeps."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import sha256
from itertools import pairwise

from gridweave.client.telemetry.anchored import AnchoredBatch, BatchSource, StreamFacts
from gridweave.client.telemetry.refusals import (
    BatchesMissing,
    BatchHeadWrong,
    BatchNotNext,
    BodyHashWrong,
    PageDiffers,
    ReadingNotAnchored,
    TipDisagrees,
)
from gridweave.domain.anchors import NO_HEAD, PAGE_SIZE, Span, Tip, page_path, page_peaks, page_root
from gridweave.domain.telemetry.batches import SealedBatch

__all__ = ["Ledger"]

_NONCES = 1 << 16


@dataclass(frozen=True)
class Ledger:
    """All batches of a stream. Made by `check` alone."""

    facts: StreamFacts
    batches: tuple[AnchoredBatch, ...]
    tip: Tip

    @classmethod
    def check(cls, source: BatchSource, stream: bytes) -> Ledger:
        """The stream's, if what the source tells is one stream and leads to the tip, and the pages, that are kept.

        Raises StreamNotOpened, BatchNotNext, BatchHeadWrong, BatchesMissing, PageDiffers, TipDisagrees.
        """
        facts, batches = source.facts(stream), tuple(source.batches(stream))
        if len(batches) != facts.number:
            raise BatchesMissing(len(batches), facts.number)
        _must_follow(stream, batches)
        leaves = [batch.leaf for batch in batches]
        _must_be_pages(facts, leaves)
        return cls(facts, batches, _tip(facts, batches, leaves))

    @property
    def end_index(self) -> int:
        """Of the reading that follows the last one."""
        return self.batches[-1].span.next_index if self.batches else 0

    def having(self, index: int) -> AnchoredBatch:
        """The batch with that reading. Raises ReadingNotAnchored."""
        if not 0 <= index < self.end_index:
            raise ReadingNotAnchored(index, self.end_index)
        return self.batches[bisect_right(self.batches, index, key=lambda batch: batch.span.first_index) - 1]

    def between(self, from_ms: int, end_ms: int) -> tuple[AnchoredBatch, ...]:
        """Batches that reach into [from_ms, end_ms)."""
        return tuple(b for b in self.batches if b.span.first_ms < end_ms and from_ms <= b.span.last_ms)

    def previous_head(self, number: int) -> bytes:
        """The head that batch `number` follows."""
        return self.batches[number - 2].head if number > 1 else NO_HEAD

    def path(self, number: int) -> tuple[bytes, ...]:
        """From a batch up to its page's root or, of the open page, to the peak over it."""
        first = (number - 1) // PAGE_SIZE * PAGE_SIZE
        return page_path([batch.leaf for batch in self.batches[first : first + PAGE_SIZE]], number - 1 - first)

    def tip_over(self, number: int) -> Tip | None:
        """What a proof of the batch must bring: the tip if its page is open."""
        return self.tip if (number - 1) // PAGE_SIZE == len(self.batches) // PAGE_SIZE else None

    def sealed(self, source: BatchSource, batch: AnchoredBatch) -> SealedBatch:
        """Header and body of a batch, the body being the one that was signed. Raises BodyHashWrong, BodyUnavailable."""
        body = source.body(batch)
        computed = sha256(body).digest()
        if computed != batch.body_hash:
            raise BodyHashWrong(batch.number, "0x" + computed.hex(), "0x" + batch.body_hash.hex())
        return SealedBatch(batch.header(self.facts.schema_hash), body)


def _must_follow(stream: bytes, batches: Sequence[AnchoredBatch]) -> None:
    head, before = NO_HEAD, Span(0, 0, 0, 0, 0)
    for number, batch in enumerate(batches, 1):
        span = batch.span
        for name, said, expected in (
            ("stream", int.from_bytes(batch.stream, "big"), int.from_bytes(stream, "big")),
            ("number", span.number, number),
            ("firstIndex", span.first_index, before.next_index),
        ):
            if said != expected:
                raise BatchNotNext(number, name, said, expected)
        for name, said, least in (("count", span.count, 1), ("firstMs", span.first_ms, before.last_ms)):
            if said < least:
                raise BatchNotNext(number, name, said, least)
        computed = batch.signed(head).head
        if computed != batch.head:
            raise BatchHeadWrong(number, "0x" + batch.head.hex(), "0x" + computed.hex())
        head, before = batch.head, span
    for left, right in pairwise(batches):
        if (left.block, left.log_index) >= (right.block, right.log_index):
            raise BatchNotNext(right.number, "block", right.block, left.block)


def _must_be_pages(facts: StreamFacts, leaves: Sequence[bytes]) -> None:
    if facts.page_roots is None:
        return
    for page, kept in enumerate(facts.page_roots):
        computed = page_root(leaves[page * PAGE_SIZE : (page + 1) * PAGE_SIZE])
        if computed != kept:
            raise PageDiffers(page, "0x" + computed.hex(), "0x" + kept.hex())


def _tip(facts: StreamFacts, batches: Sequence[AnchoredBatch], leaves: Sequence[bytes]) -> Tip:
    """The tip that the chain keeps. Where nobody tells the device's nonce in it, the hash says which of all it is."""
    last = batches[-1].span if batches else Tip.start(0).span
    head = batches[-1].head if batches else NO_HEAD
    open_ = leaves[len(leaves) // PAGE_SIZE * PAGE_SIZE :]
    tip = Tip(last, head, page_peaks(open_))
    nonces = range(_NONCES) if facts.tip_nonce is None else (facts.tip_nonce,)
    if facts.tip_nonce is None and tip.hash == facts.tip_hash:
        return tip
    for nonce in nonces:
        rekeyed = tip.rekeyed(facts.epoch, nonce)
        if rekeyed.hash == facts.tip_hash:
            return rekeyed
    raise TipDisagrees("0x" + tip.rekeyed(facts.epoch, last.device_nonce).hash.hex(), "0x" + facts.tip_hash.hex())
