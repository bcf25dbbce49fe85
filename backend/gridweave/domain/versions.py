"""Markets' terms, version by version."""

from __future__ import annotations

from dataclasses import replace

from gridweave.domain.errors import UnknownMarket
from gridweave.domain.slots import SlotClock
from gridweave.domain.terms import MarketTerms


class MarketVersions:
    """Every market's terms, oldest first; what is in force in a slot is the newest that has begun by then."""

    def __init__(self, clock: SlotClock, hold_length: int) -> None:
        self._clock, self._hold_length = clock, hold_length
        self._versions: dict[int, list[MarketTerms]] = {}

    @property
    def count(self) -> int:
        """Markets are numbered from 1 up to this."""
        return len(self._versions)

    def create(self, terms: MarketTerms, now: int) -> int:
        """The next market's first terms, in force from the current slot on; returns its number.

        Raises TermsNotAllowed.
        """
        terms.validate(self._clock, self._hold_length)
        market = len(self._versions) + 1
        self._versions[market] = [replace(terms, from_slot=self._clock.slot_at(now))]
        return market

    def change(self, market: int, terms: MarketTerms, now: int) -> int:
        """A market's next terms; returns their version. Raises TermsNotAllowed, UnknownMarket."""
        terms.validate(self._clock, self._hold_length)
        versions = self._versions.get(market)
        if versions is None:
            raise UnknownMarket(market)
        terms.validate_change(versions[-1], self._clock.slot_at(now))
        versions.append(terms)
        return len(versions)

    def at(self, market: int, slot: int) -> MarketTerms:
        """The terms in force in the slot. Raises UnknownMarket."""
        for terms in reversed(self._versions.get(market, [])):
            if terms.from_slot <= slot:
                return terms
        raise UnknownMarket(market)
