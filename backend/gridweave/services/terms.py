"""Markets' terms, kept at hand: they are in every check and change once in a long while."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import fields

from gridweave.domain.terms import MarketTerms
from gridweave.store.markets import MarketReads
from gridweave.store.reading import Row

__all__ = ["TermsBook", "in_force", "terms_of_row"]

_FIELDS = tuple(field.name for field in fields(MarketTerms))


class TermsBook:
    """Terms by market and slot. `forget` when a block changed them or a reorganisation may have."""

    def __init__(self, reads: MarketReads) -> None:
        self._reads = reads
        self._versions: dict[int, list[MarketTerms]] | None = None
        self._forgotten = 0

    def forget(self) -> None:
        """The next question reads the index again; what is being read now is not kept."""
        self._versions = None
        self._forgotten += 1

    async def versions(self) -> dict[int, list[MarketTerms]]:
        """Every market's terms, oldest version first."""
        if self._versions is not None:
            return self._versions
        forgotten, found = self._forgotten, dict[int, list[MarketTerms]]()
        for row in await self._reads.terms():
            found.setdefault(row["market"], []).append(terms_of_row(row))
        if forgotten == self._forgotten:
            self._versions = found
        return found

    async def at(self, market: int, slot: int) -> MarketTerms | None:
        """The terms in force in a slot; before the first version, the first. None if there is no such market."""
        versions = (await self.versions()).get(market)
        return in_force(versions, slot) if versions else None


def in_force(versions: Sequence[MarketTerms], slot: int) -> MarketTerms:
    """The newest of a market's versions, oldest first, that has begun by the slot; before the first one, the first."""
    return next((terms for terms in reversed(versions) if terms.from_slot <= slot), versions[0])


def terms_of_row(row: Row) -> MarketTerms:
    """The terms in a row of `markets`."""
    return MarketTerms(**{name: row[name] for name in _FIELDS})
