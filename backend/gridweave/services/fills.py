"""What an order got, from the clearing as the chain logged it."""

from __future__ import annotations

from gridweave.domain.clearing import NO_TICK, Clearing, fill
from gridweave.domain.orders import Side
from gridweave.domain.terms import MarketTerms
from gridweave.store.reading import Row

__all__ = ["clearing_of_row", "filled_wh"]


def clearing_of_row(terms: MarketTerms, row: Row) -> Clearing:
    """The clearing in ticks, from a row of `clearings`."""
    return Clearing(
        traded=row["traded"],
        long_side=Side(row["long_side"]) if row["long_side"] else None,
        price_tick=0 if row["price"] is None else terms.ask_tick(row["price"]),
        low_tick=NO_TICK if row["low"] is None else terms.ask_tick(row["low"]),
        high_tick=NO_TICK if row["high"] is None else terms.ask_tick(row["high"]),
        volume_wh=row["volume_wh"],
        shared_wh=row["shared_wh"],
        long_wh=row["long_wh"],
    )


def filled_wh(terms: MarketTerms, row: Row, side: Side, limit_price: int, energy_wh: int) -> int:
    """What an order of that side, limit and energy got in the clearing, Wh."""
    return fill(clearing_of_row(terms, row), side, terms.tick(side, limit_price), energy_wh)
