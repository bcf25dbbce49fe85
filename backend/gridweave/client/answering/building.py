"""A building with a heat pump that answers: the warmth of its walls may wait, its people stay at ease. Pure.

One resistance and one capacity: C dT/dt = (T_outside - T) / R + COP x P, solved exactly over a slot in which power and
outside temperature stand still. Then T goes one way only, so whoever is within the band at both ends of a slot was so
all along it. Temperatures are floats, what the meter counts is whole Wh.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from functools import cached_property

from gridweave.client.answering.body import Lean, Limit

__all__ = ["Building", "Comfort", "Walls"]

_HOUR_S = 3_600
_TINY = 1e-9
"""Wh and kelvin: float arithmetic is not finer than that."""


@dataclass(frozen=True)
class Walls:
    """`kelvin_per_w` is R, `wh_per_kelvin` is C, `cop` is heat per electricity; it draws `power_w` at most."""

    kelvin_per_w: float
    wh_per_kelvin: float
    cop: float
    power_w: int

    def reach_wh(self, seconds: int) -> int:
        """The most that it draws in that time, Wh."""
        return self.power_w * seconds // _HOUR_S

    def kept(self, seconds: int) -> float:
        """The share of a difference to outside that is left after that time without heat."""
        return math.exp(-seconds / _HOUR_S / (self.kelvin_per_w * self.wh_per_kelvin))

    def rise(self, seconds: int) -> float:
        """By how many kelvin one Wh, spread over that time, makes it warmer at its end."""
        return self.cop * self.kelvin_per_w * _HOUR_S / seconds * (1 - self.kept(seconds))


@dataclass(frozen=True)
class Comfort:
    """`outside` in °C in each slot of a plan; from `coldest` to `warmest` the people in it are at ease.

    Raises ValueError when the pump cannot keep the band, whatever it does.
    """

    walls: Walls
    seconds: int
    outside: tuple[float, ...]
    coldest: float
    warmest: float

    def __post_init__(self) -> None:
        rise = self.walls.rise(self.seconds)
        for slot, (low, high) in enumerate(self.bands):
            if high - low < rise + _TINY:
                raise ValueError(f"from slot {slot} on no power keeps {self.coldest} to {self.warmest} °C")

    @cached_property
    def bands(self) -> tuple[tuple[float, float], ...]:
        """At each slot's start the temperatures from which comfort can be kept from then on; found from the end."""
        kept, most = self.walls.kept(self.seconds), self.walls.reach_wh(self.seconds)
        heat = most * self.walls.rise(self.seconds)
        bands = [(self.coldest, self.warmest)]
        for outside in reversed(self.outside):
            low, high = bands[-1]
            cold = outside + (low - heat - outside) / kept
            warm = outside + (high - outside) / kept
            bands.append((max(self.coldest, cold), min(self.warmest, warm)))
        return tuple(reversed(bands))


@dataclass(frozen=True)
class Building:
    """`inside` is its temperature now, °C."""

    comfort: Comfort
    inside: float

    @property
    def seconds(self) -> int:
        return self.comfort.seconds

    @property
    def swing_w(self) -> int:
        return self.comfort.walls.power_w

    def steady(self, inside: float) -> tuple[int, ...]:
        """A plan that holds this temperature as near as limits let it, Wh a slot: what a thermostat does."""
        plan, building = list[int](), self
        for slot in range(len(self.comfort.outside)):
            moved = building.within(slot, building._to_reach(slot, inside), Lean.UP)
            plan.append(moved)
            building = building.after(slot, moved)
        return tuple(plan)

    def within(self, slot: int, wanted_wh: int, _lean: Lean) -> int:
        """Never so little that comfort is lost then or later, or so much; the cold side first, where both cannot be."""
        low, high = self.comfort.bands[slot + 1]
        reach = self.comfort.walls.reach_wh(self.seconds)
        least = math.ceil(self._exact(slot, low) - _TINY)
        most = math.floor(self._exact(slot, high) + _TINY)
        return min(max(min(wanted_wh, most), least, 0), reach)

    def after(self, slot: int, moved_wh: int) -> Building:
        return replace(self, inside=self._unheated(slot) + moved_wh * self.comfort.walls.rise(self.seconds))

    def back_to(self, slot: int, planned: Building) -> int:
        return self._to_reach(slot, planned.inside)

    def limit(self, _slot: int, wanted_wh: int) -> Limit:
        is_possible = 0 <= wanted_wh <= self.comfort.walls.reach_wh(self.seconds)
        return Limit.COMFORT if is_possible else Limit.POWER

    def lost_wh(self, slot: int, moved_wh: int) -> float:
        """Heat that goes through the walls in a slot, Wh: the mean of T - T_outside over it by its length and R."""
        walls, outside, hours = self.comfort.walls, self.comfort.outside[slot], self.seconds / _HOUR_S
        lift = walls.kelvin_per_w * walls.cop * moved_wh / hours
        decaying = (self.inside - outside - lift) * (1 - walls.kept(self.seconds))
        return lift * hours / walls.kelvin_per_w + decaying * walls.wh_per_kelvin

    def _unheated(self, slot: int) -> float:
        outside = self.comfort.outside[slot]
        return outside + (self.inside - outside) * self.comfort.walls.kept(self.seconds)

    def _exact(self, slot: int, inside: float) -> float:
        return (inside - self._unheated(slot)) / self.comfort.walls.rise(self.seconds)

    def _to_reach(self, slot: int, inside: float) -> int:
        return round(self._exact(slot, inside))
