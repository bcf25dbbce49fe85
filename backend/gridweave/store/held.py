"""What the sender asks the outbox in every round, kept at hand: a long queue is read once, not in every round."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import islice

from gridweave.store.records import Item

__all__ = ["Held"]

_MOST_QUEUED = 20_000


class Held:
    """The first items of the queue, in order, and what open batches carry. True as long as every change is told."""

    def __init__(self) -> None:
        self._queued: dict[int, Item] = {}
        self._is_whole = False
        self._carried: dict[int, list[Item]] = {}

    def forget(self) -> None:
        """Something changed in a way that is not known."""
        self._queued.clear()
        self._is_whole = False
        self._carried.clear()

    def queued(self, limit: int) -> list[Item] | None:
        """The oldest items that no batch carries; None where they must be read."""
        if not self._is_whole and len(self._queued) < limit:
            return None
        return list(islice(self._queued.values(), limit))

    def learn(self, items: Sequence[Item], asked: int) -> None:
        """These are the oldest `asked` that no batch carries, or all."""
        self._queued = {item.seq: item for item in items}
        self._is_whole = len(items) < asked

    def add(self, items: Iterable[Item]) -> None:
        """These were queued behind all others."""
        if self._is_whole:
            self._queued.update((item.seq, item) for item in items)
            self._is_whole = len(self._queued) < _MOST_QUEUED

    def drop(self, seqs: Iterable[int]) -> None:
        """These are queued no longer."""
        for seq in seqs:
            self._queued.pop(seq, None)

    def load(self, batch: int, seqs: Sequence[int]) -> None:
        """A new batch carries these."""
        taken = [self._queued.pop(seq, None) for seq in seqs]
        known = [item.carried_by(batch) for item in taken if item is not None]
        if len(known) == len(seqs):
            self._carried[batch] = known

    def carried(self, batch: int) -> list[Item] | None:
        """What an open batch carries, in order; None where it must be read."""
        return self._carried.get(batch)

    def land(self, batches: Iterable[int]) -> None:
        """These batches are mined, or open again with their items changed."""
        for batch in batches:
            self._carried.pop(batch, None)
