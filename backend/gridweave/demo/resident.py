"""Whoever lives behind a meter: orders by what it expects, draws and gives what it does."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from gridweave.demo.profiles import EnergyDay, Forecast
from gridweave.demo.strategy import Quote, Trader, improved
from gridweave.domain.terms import MarketTerms

__all__ = ["PlainResident", "Resident"]


class Resident(Protocol):
    """Slots are those of the day, 0 to 95, lived in order; energy is whole Wh."""

    def quote(self, slot: int, terms: MarketTerms) -> Quote | None:
        """The order for a slot by what is expected of it; None where there is too little to order."""

    def again(self, slot: int, quote: Quote, terms: MarketTerms) -> Quote:
        """The same wish with a later forecast."""

    def withdraw(self, slot: int, /) -> None:
        """Its order of the slot was taken back or refused."""

    def live(self, slot: int, price: int | None, terms: MarketTerms, /) -> tuple[int, int]:
        """Lives a slot with the published net price `price`; what the meter counts in and out."""


@dataclass(frozen=True)
class PlainResident:
    """Uses its roof and its appliances as they come."""

    actual: EnergyDay
    expected: Forecast
    trader: Trader

    def quote(self, slot: int, terms: MarketTerms) -> Quote | None:
        return self.trader.quote(slot, self.expected.net_wh(slot), terms)

    def again(self, slot: int, quote: Quote, terms: MarketTerms) -> Quote:
        later_wh = (abs(self.actual.net_wh(slot)) + quote.energy_wh) // 2
        return improved(quote, max(later_wh, terms.min_energy_wh), terms)

    def withdraw(self, _slot: int) -> None:
        """Nothing here depends on its orders."""

    def live(self, slot: int, _price: int | None, _terms: MarketTerms) -> tuple[int, int]:
        return self.actual.import_wh(slot), self.actual.export_wh(slot)
