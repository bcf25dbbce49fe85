"""Where the parts of an audit put what they find: counts and differences, and where they stand while they look."""

from __future__ import annotations

from collections import Counter
from typing import Any

from gridweave.audit.differences import NOWHERE, Difference, Kind, Place, Subject
from gridweave.audit.report import Checked

__all__ = ["Findings"]


class Findings:
    """Collects for one report. Differences at blocks before `since` are counted as known and left out."""

    def __init__(self, since: int = 0) -> None:
        self.counts: Counter[Checked] = Counter()
        self.differences: list[Difference] = []
        self.where = NOWHERE
        """The transaction under review: the place of differences that name none."""
        self.reviewing = since == 0
        """Whether the block under review counts: signatures before are taken as the contract took them."""
        self._since = since

    def review(self, where: Place) -> None:
        """Turns to the next transaction."""
        self.where = where
        self.reviewing = (where.block or 0) >= self._since

    def counts_at(self, place: Place) -> bool:
        """Whether what is found there belongs in the report."""
        return place.block is None or place.block >= self._since

    def tell(self, difference: Difference) -> None:
        """Takes one difference."""
        if self.counts_at(difference.place):
            self.differences.append(difference)

    def differ(
        self, kind: Kind, subject: Subject, expected: Any, found: Any, *, place: Place | None = None, why: str = ""
    ) -> None:
        """The same from its parts, by default at the transaction under review."""
        self.tell(Difference(kind, subject, str(expected), str(found), place or self.where, why))

    def check(self, holds: bool, kind: Kind, subject: Subject, expected: Any, found: Any, why: str = "") -> bool:
        """Differs unless it holds; returns whether it does."""
        if not holds:
            self.differ(kind, subject, expected, found, why=why)
        return holds

    def count(self, what: Checked, number: int = 1) -> None:
        """Counts what was checked."""
        self.counts[what] += number
