"""What became of a book, in the file's own units and order."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from gridweave.cli.book.file import BookFile
from gridweave.domain.orders import Side
from gridweave.domain.units import format_energy_kwh, format_price

__all__ = ["BookOutcome"]


@dataclass(frozen=True)
class BookOutcome:
    """Prices in micro per kWh net of the grid fee, energy in Wh, fills in the order of `book`'s lists, gas in total.

    Without a trade `price` is None, and `low` and `high` are the best bid and the best ask, None where there is none.
    """

    book: BookFile
    volume_wh: int
    price: int | None
    low: int | None
    high: int | None
    bid_fills: tuple[int, ...]
    ask_fills: tuple[int, ...]
    place_gas: int
    clear_gas: int

    def fills(self, side: Side) -> tuple[int, ...]:
        return self.bid_fills if side is Side.BID else self.ask_fills

    def dust_wh(self, side: Side) -> int:
        """What rounding left of the volume on that side, Wh; the utility trades it."""
        return self.volume_wh - sum(self.fills(side))

    def to_json(self) -> dict[str, Any]:
        """The document that `gridweave clear-book --json` prints."""
        return {
            "volumeKWh": format_energy_kwh(self.volume_wh),
            "price": _price(self.price),
            "equilibrium": [_price(self.low), _price(self.high)],
            "fills": {
                "bids": [format_energy_kwh(fill) for fill in self.bid_fills],
                "asks": [format_energy_kwh(fill) for fill in self.ask_fills],
            },
            "dustKWh": {
                "bids": format_energy_kwh(self.dust_wh(Side.BID)),
                "asks": format_energy_kwh(self.dust_wh(Side.ASK)),
            },
            "gas": {"place": self.place_gas, "clear": self.clear_gas},
        }


def _price(micro: int | None) -> str | None:
    return None if micro is None else format_price(micro)
