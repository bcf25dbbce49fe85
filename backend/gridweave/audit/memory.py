"""What an audit of any length may keep: the ring's slots, and readings until their slot's place is taken over."""

from __future__ import annotations

from collections.abc import Mapping, Set

from gridweave.domain.ledger import LedgerBook, Stored
from gridweave.domain.market import MarketBook
from gridweave.domain.slotbook import SlotBook

__all__ = ["BoundedLedger", "RingedMarket"]


class BoundedLedger(LedgerBook):
    """A LedgerBook whose old slots can be taken out."""

    def take_out(self, before: int, keep: Set[int]) -> dict[tuple[int, int], Stored]:
        """Removes and returns what is stored of slots before `before` but for those in `keep`, by meter and slot."""
        old = {key: stored for key, stored in self._stored.items() if key[1] < before and key[1] not in keep}
        for key in old:
            del self._stored[key]
        return old


class RingedMarket(MarketBook):
    """A MarketBook that shows its ring."""

    @property
    def places(self) -> Mapping[tuple[int, int], SlotBook]:
        """The newest slot of each place, by market and ring index."""
        return self._slots
