"""How the street's homes bid: zero intelligence within what cannot hurt, and a little patience.

Gode and Sunder (1993) showed that traders who draw random prices, but never trade at a loss, find most of a market's
gains. The homes do the same. A seller never asks less than the feed-in price, a buyer never pays more, fee included,
than retail. Between these bounds each draws uniformly from a range that its own forecast narrows:

- A seller's range ends lower the more it expects to have: from the top of the grid with next to nothing down to a fifth
  of the span above feed-in at PLENTY_WH and beyond. Whoever has plenty wants to sell.
- A buyer's range starts higher the more it needs: from the bottom of the grid up to half of the span at PLENTY_WH. A
  flexible home (every third) draws from the lower half of its range before the evening, for it can wait.
- With a later forecast a home replaces its order and moves its limit half of the way towards what it would still take.

Every draw comes from a `random.Random` named by seed, home and slot, so a day is the same on every machine.
"""

from __future__ import annotations

import random
from dataclasses import dataclass

from gridweave.domain.orders import Side
from gridweave.domain.terms import MarketTerms

__all__ = ["NAME", "Quote", "Trader", "improved"]

NAME = "Homes bid with zero intelligence within what cannot hurt them (Gode and Sunder, 1993), and a little patience."

PLENTY_WH = 1_200
_EVENING = 68
_MILLE = 1_000


@dataclass(frozen=True)
class Quote:
    """What a home wants of one slot: Wh at a limit, micro per kWh (all-in for a bid, net for an ask)."""

    side: Side
    energy_wh: int
    limit_price: int


@dataclass(frozen=True)
class Trader:
    """One home's way to bid. `flexible` homes can shift part of their load."""

    name: str
    seed: int
    flexible: bool

    def quote(self, slot_of_day: int, net_wh: int, terms: MarketTerms) -> Quote | None:
        """A first order for `net_wh` expected Wh, positive for a surplus; None below the market's least energy."""
        energy_wh = abs(net_wh)
        if energy_wh < max(terms.min_energy_wh, 1):
            return None
        draw = random.Random(f"{self.seed}:{self.name}:{slot_of_day}").randint(0, _MILLE)
        plenty = min(energy_wh, PLENTY_WH) * _MILLE // PLENTY_WH
        if net_wh > 0:
            top = _MILLE - plenty * 4 // 5
            return Quote(Side.ASK, energy_wh, _at(terms, Side.ASK, draw * top // _MILLE))
        bottom, top = plenty // 2, _MILLE
        if self.flexible and slot_of_day < _EVENING:
            top = (bottom + top) // 2
        return Quote(Side.BID, energy_wh, _at(terms, Side.BID, bottom + draw * (top - bottom) // _MILLE))


def improved(quote: Quote, energy_wh: int, terms: MarketTerms) -> Quote:
    """The same wish with a later forecast's energy, its limit half of the way nearer to what would still do."""
    last_tick = terms.tick_count - 1
    tick = terms.tick(quote.side, quote.limit_price)
    tick = (tick + last_tick) // 2 if quote.side is Side.BID else tick // 2
    return Quote(quote.side, energy_wh, terms.limit_price(quote.side, tick))


def _at(terms: MarketTerms, side: Side, permille: int) -> int:
    """The limit that stands `permille` of the way up the grid."""
    return terms.limit_price(side, (terms.tick_count - 1) * permille // _MILLE)
