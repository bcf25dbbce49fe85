"""What the sender did since it started: figures that only grow."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field

from gridweave.store.records import COMMITTED, REJECTED, ItemOutcome

__all__ = ["Tally"]


@dataclass
class Tally:
    """Transactions sent again, fees raised, transactions that reverted, nonces that others took, transactions that the
    node refused, batches that a reorganisation threw out; items committed, and refused by reason."""

    resends: int = 0
    fee_raises: int = 0
    reverts: int = 0
    nonces_lost: int = 0
    refused_by_node: int = 0
    thrown_out: int = 0
    committed: int = 0
    refused: Counter[str] = field(default_factory=Counter)

    def count(self, outcomes: Iterable[ItemOutcome]) -> None:
        """Items whose outcome is known now."""
        for outcome in outcomes:
            if outcome.status == COMMITTED:
                self.committed += 1
            elif outcome.status == REJECTED:
                self.refused[outcome.reason or ""] += 1
