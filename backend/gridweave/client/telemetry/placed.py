"""A batch in its chain, as proofs bring it: span, root, block, and the path to what the contract keeps."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from gridweave.client.telemetry.ledger import Ledger
from gridweave.client.telemetry.refusals import PathWrong
from gridweave.domain.anchors import PAGE_BITS, PAGE_SIZE, Span, Tip, batch_leaf
from gridweave.domain.hashing import keccak
from gridweave.domain.telemetry.batches import BatchHeader

__all__ = ["PlacedBatch", "decode_tip"]


@dataclass(frozen=True)
class PlacedBatch:
    """`anchored_at` is the block's time, seconds; `path` leads to the page's root, or to the peak of the tip."""

    span: Span
    root: bytes
    block: int
    anchored_at: int
    path: tuple[bytes, ...]

    @classmethod
    def of(cls, ledger: Ledger, number: int) -> PlacedBatch:
        """A batch of a checked stream."""
        batch = ledger.batches[number - 1]
        return cls(batch.span, batch.root, batch.block, batch.time, ledger.path(number))

    @property
    def page(self) -> int:
        """The page that it stands in."""
        return (self.span.number - 1) // PAGE_SIZE

    def header(self, stream: bytes, schema_hash: bytes) -> BatchHeader:
        """As its body was sealed under."""
        span = self.span
        places = span.epoch, span.first_index, span.count, span.first_ms, span.last_ms
        return BatchHeader(stream, schema_hash, *places, self.root)

    def climbed(self) -> bytes:
        """Where leaf and path lead: the root of the page, or of the subtree that the path is as high as."""
        node = batch_leaf(self.span, self.root, self.block, self.anchored_at)
        place = (self.span.number - 1) % PAGE_SIZE
        for sibling in self.path:
            node = keccak(sibling + node) if place & 1 else keccak(node + sibling)
            place >>= 1
        return node

    def must_reach(self, tip: Tip | None) -> None:
        """Return if the path is as long as it must be and, in the tip's open page, ends in a peak. Raises PathWrong."""
        number = self.span.number
        if number < 1:
            raise PathWrong(number)
        if tip is None or self.page != tip.span.number // PAGE_SIZE:
            if len(self.path) != PAGE_BITS:
                raise PathWrong(number)
            return
        peak, height = _peak_over(tip, number)
        if len(self.path) != height or self.climbed() != peak:
            raise PathWrong(number)


def decode_tip(words: Sequence[bytes]) -> Tip | None:
    """The tip of a proof's words, None for none. Raises PathWrong for what is no tip, WordMalformed."""
    if not words:
        return None
    if len(words) < 2:
        raise PathWrong(0)
    return Tip(Span.unpack(words[0]), words[1], tuple(words[2:]))


def _peak_over(tip: Tip, number: int) -> tuple[bytes, int]:
    """The peak that stands over a batch of the open page, and its height. Raises PathWrong."""
    last, place, low = tip.span.number % PAGE_SIZE, (number - 1) % PAGE_SIZE, 0
    which = 0
    for height in range(PAGE_BITS - 1, -1, -1):
        if not last >> height & 1:
            continue
        if place < low + (1 << height):
            if which >= len(tip.peaks):
                break
            return tip.peaks[which], height
        low, which = low + (1 << height), which + 1
    raise PathWrong(number)
