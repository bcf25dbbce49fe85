"""Reorganisations that the indexer met since the start, and the newest of them."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field

from gridweave.store.index import IndexedBlock
from gridweave.timing import now_ms

__all__ = ["Reorg", "Reorgs"]

_KEPT = 10


@dataclass(frozen=True)
class Reorg:
    """Blocks above `fork` were thrown away, `depth` of them. Wall-clock milliseconds."""

    at_ms: int
    fork: int
    depth: int


@dataclass
class Reorgs:
    """`newest` is in order of time."""

    count: int = 0
    deepest: int = 0
    newest: deque[Reorg] = field(default_factory=lambda: deque(maxlen=_KEPT))

    def note(self, stood: IndexedBlock | None, fork: int) -> None:
        """The index stood on `stood` and went back to block `fork`."""
        depth = max(0, stood.number - fork) if stood else 0
        self.count += 1
        self.deepest = max(self.deepest, depth)
        self.newest.append(Reorg(now_ms(), fork, depth))
