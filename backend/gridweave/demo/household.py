"""One home of the neighbourhood as it lives: what it expects, orders, draws and gives.

A home knows its forecast, yesterday's prices and the prices published today, never the truth ahead. Its car and heat
pump follow a plan of the evening before; its battery does what its strategy says, slot by slot.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from enum import Enum

from gridweave.client.answering.battery import Battery
from gridweave.demo.profiles import EnergyDay, Forecast
from gridweave.demo.strategy import Quote, Trader, improved
from gridweave.domain.orders import Side
from gridweave.domain.terms import MarketTerms

__all__ = ["BatteryStrategy", "Household", "Outlook"]

_SLOT_S = 900
_QUARTERS = 4


class BatteryStrategy(Enum):
    """How a battery is used; the value is the strategy in one sentence."""

    SERVE = (
        "Serve the home: a battery takes what its roof leaves, buys in the cheapest quarter of yesterday's slots, "
        "never above yesterday's median, and gives what the home lacks at all other times."
    )
    TRADE = (
        "Buy low, sell high: a battery buys in the cheapest quarter of yesterday's slots, never above yesterday's "
        "median, sells in the dearest quarter, moves only what was filled, and rests otherwise. An aggregator's key "
        "orders for it."
    )


@dataclass(frozen=True)
class Outlook:
    """What everybody knows beforehand: yesterday's prices, net, micro per kWh, one a slot."""

    prices: tuple[int, ...]

    @property
    def median(self) -> int:
        return sorted(self.prices)[len(self.prices) // 2]

    def is_cheap(self, slot: int) -> bool:
        """Whether the slot was among the cheapest quarter of the day, ties by time."""
        return self._rank(slot) < len(self.prices) // _QUARTERS

    def is_dear(self, slot: int) -> bool:
        """Whether the slot was among the dearest quarter, ties to the later ones."""
        return self._rank(slot) >= len(self.prices) - len(self.prices) // _QUARTERS

    def _rank(self, slot: int) -> int:
        key = self.prices[slot], slot
        return sum((price, other) < key for other, price in enumerate(self.prices))


@dataclass
class Household:
    """`actual` is what its uncontrolled load and roof will do, `flexible_wh` what car and heat pump draw by plan.

    `levels_wh` is what its battery held at the end of each slot lived.
    """

    actual: EnergyDay
    expected: Forecast
    trader: Trader
    outlook: Outlook
    flexible_wh: Sequence[int]
    battery: Battery | None = None
    strategy: BatteryStrategy | None = None
    levels_wh: list[int] = field(default_factory=list)
    _asked: dict[int, Quote] = field(default_factory=dict)

    def quote(self, slot: int, terms: MarketTerms) -> Quote | None:
        """The order for a slot by what is expected of it; None below the market's least energy."""
        net = self._expected_net(slot)
        battery = self._rolled_to(slot)
        if battery is not None:
            net -= battery.moved(self._wish(battery, slot, net), _SLOT_S)[1]
        quote = self.trader.quote(slot, net, terms)
        return self._remember(slot, None if quote is None else self._capped(slot, quote, terms))

    def again(self, slot: int, quote: Quote, terms: MarketTerms) -> Quote:
        """The same wish with a later forecast of the load: half of the error is gone."""
        error = self._net(slot) - self._expected_net(slot)
        energy = max(quote.energy_wh + (error if quote.side is Side.ASK else -error) // 2, terms.min_energy_wh)
        better = self._capped(slot, improved(quote, energy, terms), terms)
        return self._remember(slot, better) or better

    def withdraw(self, slot: int) -> None:
        """Its order of the slot is taken back or was refused."""
        self._asked.pop(slot, None)

    def live(self, slot: int, price: int | None, terms: MarketTerms) -> tuple[int, int]:
        """Lives a slot whose published net price was `price`; what the meter counts in and out, Wh."""
        net = self._net(slot)
        if self.battery is not None:
            wish = self._wish(self.battery, slot, net) if self._is_filled(slot, price, terms) else self._resting(net)
            self.battery, moved = self.battery.moved(wish, _SLOT_S)
            net -= moved
            self.levels_wh.append(self.battery.stored_wh)
        return max(-net, 0), max(net, 0)

    @property
    def lived(self) -> int:
        """Slots lived, for a home with a battery."""
        return len(self.levels_wh)

    def _net(self, slot: int) -> int:
        return self.actual.net_wh(slot) - self.flexible_wh[slot]

    def _expected_net(self, slot: int) -> int:
        return self.expected.net_wh(slot) - self.flexible_wh[slot]

    def _wish(self, battery: Battery, slot: int, net_wh: int) -> int:
        """What the battery is to take, or negative to give, beside a home that has `net_wh` to spare."""
        if self.outlook.is_cheap(slot):
            return battery.reach_wh(_SLOT_S)
        if self.strategy is BatteryStrategy.TRADE and self.outlook.is_dear(slot):
            return -battery.reach_wh(_SLOT_S)
        return self._resting(net_wh)

    def _resting(self, net_wh: int) -> int:
        """What it does where it does not trade."""
        return 0 if self.strategy is BatteryStrategy.TRADE else net_wh

    def _capped(self, slot: int, quote: Quote, terms: MarketTerms) -> Quote:
        """A battery never buys above yesterday's median; one that trades for an aggregator bids no more at any time."""
        buys = self.strategy is BatteryStrategy.TRADE or (self.battery is not None and self.outlook.is_cheap(slot))
        if quote.side is Side.ASK or not buys:
            return quote
        return replace(quote, limit_price=min(quote.limit_price, self.outlook.median + terms.grid_fee))

    def _rolled_to(self, slot: int) -> Battery | None:
        """The battery as it is expected to begin the slot."""
        battery = self.battery
        for ahead in range(self.lived, slot):
            if battery is not None:
                battery, _ = battery.moved(self._wish(battery, ahead, self._expected_net(ahead)), _SLOT_S)
        return battery

    def _is_filled(self, slot: int, price: int | None, terms: MarketTerms) -> bool:
        """By the published price alone: an order at the price counts as filled."""
        asked = self._asked.get(slot)
        if asked is None:
            return False
        if price is None:
            return False
        return asked.limit_price <= price if asked.side is Side.ASK else asked.limit_price - terms.grid_fee >= price

    def _remember(self, slot: int, quote: Quote | None) -> Quote | None:
        self._asked.pop(slot, None)
        if quote is not None:
            self._asked[slot] = quote
        return quote
