"""The rules of one market: its price grid, its windows, and what an order must put down."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar

from gridweave.domain.eip712 import TYPES, StructType
from gridweave.domain.errors import PriceOffGrid, TermsNotAllowed
from gridweave.domain.orders import Side
from gridweave.domain.slots import HORIZON, RING, SlotClock
from gridweave.domain.units import WH_PER_KWH, mul_div_down, mul_div_up

MOST_TICKS = 1_024
MOST_DEFAULT_COST = 1 << 40
"""Micro: the most that one silent slot may cost, a fraction of what the Vault can write down."""
DUST_LOCK = 1_000
"""Micro: the least collateral of any live order."""


@dataclass(frozen=True)
class MarketTerms:
    """Fields of contracts/types/MarketTerms.sol: prices in micro per kWh, windows in seconds, energy in Wh.

    The grid is min_price + k x tick_size for k in [0, tick_count). Addresses are hex strings.
    """

    min_price: int
    tick_size: int
    tick_count: int
    grid_fee: int
    feed_in_price: int
    retail_price: int
    min_energy_wh: int
    utility: str
    gate_lead: int
    reading_window: int
    correction_window: int
    operator: str
    default_wh: int
    from_slot: int

    TYPE: ClassVar[StructType] = TYPES["MarketTerms"]

    @property
    def max_price(self) -> int:
        """The grid's last price, micro per kWh."""
        return self.tick_price(self.tick_count - 1)

    def validate(self, clock: SlotClock | None = None, hold_length: int | None = None) -> None:
        """Raises TermsNotAllowed naming the first rule broken, in the contract's order and words.

        The rules that need the deployment's clock, or the Vault's hold length (seconds), are left out without them.
        """
        for holds, rule in self._rules(clock, hold_length):
            if not holds:
                raise TermsNotAllowed(rule)

    def validate_change(self, before: MarketTerms, current_slot: int) -> None:
        """Raises TermsNotAllowed, in the contract's words, unless these may follow the newest terms `before`."""
        for holds, rule in (
            (before.from_slot <= current_slot, "the change before it is in force"),
            (int(before.utility, 16) == int(self.utility, 16), "the utility stays"),
            (self.from_slot > current_slot + HORIZON, "a change begins beyond the horizon"),
        ):
            if not holds:
                raise TermsNotAllowed(rule)

    def _rules(self, clock: SlotClock | None, hold_length: int | None) -> Iterator[tuple[bool, str]]:
        yield from (
            (self.tick_size > 0, "tickSize is positive"),
            (1 <= self.tick_count <= MOST_TICKS, "tickCount is 1 to 1024"),
            (self.tick_size > 0 and self._multiples(), "fee, feedIn, retail are multiples of the tick"),
            (self.feed_in_price <= self.min_price + self.grid_fee, "feedIn is at most min + fee"),
            (self.max_price <= self.retail_price, "max is at most retail"),
            (self.min_energy_wh > 0, "minEnergyWh is positive"),
            (self._default_cost() <= MOST_DEFAULT_COST, "a default costs at most 2^40"),
            (self.gate_lead > 0, "the gate closes before the slot"),
            (not clock or self.gate_lead < HORIZON * clock.length, "the gate is within the horizon"),
            (self.reading_window > 0, "the reading deadline lies after the slot's end"),
            (self.reading_window < self.correction_window, "corrections end after the reading deadline"),
            (
                hold_length is None or self.correction_window <= hold_length,
                "the Vault holds for the correction window",
            ),
            (int(self.utility, 16) != 0 and int(self.operator, 16) != 0, "utility and operator are accounts"),
            (not clock or self.ring_needed(clock) <= RING, "the ring covers horizon and corrections"),
        )

    def ring_needed(self, clock: SlotClock) -> int:
        """Slots that may be alive at once: horizon + the slot and its correction window + 1."""
        return HORIZON + -(-(clock.length + self.correction_window) // clock.length) + 1

    def gate(self, slot: int, clock: SlotClock) -> int:
        """Chain time from which the slot takes no order and may be cleared."""
        return clock.start(slot) - self.gate_lead

    def reading_deadline(self, slot: int, clock: SlotClock) -> int:
        """Chain time from which a silent meter may be settled without a reading."""
        return clock.end(slot) + self.reading_window

    def correction_end(self, slot: int, clock: SlotClock) -> int:
        """Chain time from which no reading of the slot is taken."""
        return clock.end(slot) + self.correction_window

    def tick_price(self, tick: int) -> int:
        """The net price at a tick, micro per kWh."""
        return self.min_price + tick * self.tick_size

    def bid_tick(self, limit_price: int) -> int:
        """The tick at which an all-in bid limit stands. Raises PriceOffGrid."""
        return self._tick(limit_price - self.grid_fee)

    def ask_tick(self, limit_price: int) -> int:
        """The tick at which a net ask limit stands. Raises PriceOffGrid."""
        return self._tick(limit_price)

    def tick(self, side: Side, limit_price: int) -> int:
        """The tick at which a limit of that side stands. Raises PriceOffGrid."""
        return self.bid_tick(limit_price) if side == Side.BID else self.ask_tick(limit_price)

    def limit_price(self, side: Side, tick: int) -> int:
        """The limit of an order that stands at `tick`, micro per kWh: all-in for a bid, net for an ask."""
        return self.tick_price(tick) + (self.grid_fee if side == Side.BID else 0)

    def collateral(self, side: Side, limit_price: int, energy_wh: int) -> int:
        """What an order locks, micro: the most it can cost its owner, at least DUST_LOCK; 0 without energy."""
        if energy_wh == 0:
            return 0
        at_risk = limit_price if side == Side.BID else self.retail_price - limit_price
        return max(mul_div_up(at_risk, energy_wh, WH_PER_KWH), DUST_LOCK)

    def _tick(self, net_price: int) -> int:
        tick, rest = divmod(net_price - self.min_price, self.tick_size)
        if rest or not 0 <= tick < self.tick_count:
            raise PriceOffGrid
        return tick

    def _default_cost(self) -> int:
        return mul_div_down(self.retail_price, self.default_wh, WH_PER_KWH)

    def _multiples(self) -> bool:
        return not any(price % self.tick_size for price in (self.grid_fee, self.feed_in_price, self.retail_price))
