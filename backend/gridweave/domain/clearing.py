"""Clearing of one slot: the uniform price, the volume and what each order gets of it.

D(t) is the live energy of bids at tick t or above, S(t) that of asks at tick t or below, both in Wh.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import accumulate

from gridweave.domain.orders import Side
from gridweave.domain.units import mul_div_down

NO_TICK = 0xFFFF
"""Stands for "none" where an untraded slot has no best bid or no best ask."""

Depth = Mapping[int, int]
"""Live energy by tick, Wh."""


@dataclass(frozen=True)
class Clearing:
    """What clearing found, as IEnergyAuction.Clearing has it (whether a slot is cleared or closed is the slot's state).

    `long_side` is the side rationed at the price, None for neither. With a trade [low_tick, high_tick] is the
    equilibrium interval; without one they are the best bid and the best ask, NO_TICK for none, and `price_tick` has no
    meaning. `shared_wh` is what the orders at the price tick on the long side share, `long_wh` their live energy.
    """

    traded: bool
    long_side: Side | None
    price_tick: int
    low_tick: int
    high_tick: int
    volume_wh: int
    shared_wh: int
    long_wh: int


def clear(bids: Depth, asks: Depth) -> Clearing:
    """Clears the depth of both sides; ticks without energy may be left out.

    The price lies in the middle of the equilibrium interval, rounded down, and the volume is the most that can trade.
    """
    bids, asks = _live(bids), _live(asks)
    curves = _Curves(bids, asks)
    low = curves.low()
    high = low
    if curves.demand(low + 1) == curves.supply(low):
        high = min((tick for tick in (*bids, *asks) if tick > low), default=low)
    price = (low + high) // 2
    volume = min(curves.demand(price), curves.supply(price))
    if volume == 0:
        return Clearing(False, None, 0, max(bids, default=NO_TICK), min(asks, default=NO_TICK), 0, 0, 0)
    if curves.demand(price) > volume:
        shared = volume - curves.demand(price + 1)
        return Clearing(True, Side.BID, price, low, high, volume, shared, bids[price])
    if curves.supply(price) > volume:
        shared = volume - curves.supply(price - 1)
        return Clearing(True, Side.ASK, price, low, high, volume, shared, asks[price])
    return Clearing(True, None, price, low, high, volume, 0, 0)


def fill(clearing: Clearing, side: Side, tick: int, energy_wh: int) -> int:
    """What an order of `energy_wh` at `tick` gets, Wh: all, nothing, or its floored share at the price."""
    if not clearing.traded:
        return 0
    better = tick - clearing.price_tick if side == Side.BID else clearing.price_tick - tick
    if better < 0:
        return 0
    if better == 0 and side == clearing.long_side:
        return mul_div_down(clearing.shared_wh, energy_wh, clearing.long_wh)
    return energy_wh


def _live(depth: Depth) -> dict[int, int]:
    return {tick: energy for tick, energy in depth.items() if energy}


class _Curves:
    """D and S as step functions over the ticks that hold energy."""

    def __init__(self, bids: Depth, asks: Depth) -> None:
        self._bid_ticks = sorted(bids)
        self._ask_ticks = sorted(asks)
        self._bids_below = [0, *accumulate(bids[tick] for tick in self._bid_ticks)]
        self._asks_below = [0, *accumulate(asks[tick] for tick in self._ask_ticks)]

    def demand(self, tick: int) -> int:
        """D(tick)."""
        return self._bids_below[-1] - self._bids_below[bisect_left(self._bid_ticks, tick)]

    def supply(self, tick: int) -> int:
        """S(tick)."""
        return self._asks_below[bisect_left(self._ask_ticks, tick + 1)]

    def low(self) -> int:
        """The least tick t with D(t + 1) <= S(t): 0, or a tick at which either steps, so one that holds energy."""
        candidates = sorted({0, *self._bid_ticks, *self._ask_ticks})
        return next(tick for tick in candidates if self.demand(tick + 1) <= self.supply(tick))
