"""A car that answers: it may wait or hurry, and is full when it leaves. Pure.

In a slot it draws nothing, or between the charger's least and its most; less than the least only when that fills it.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from gridweave.client.answering.body import Lean, Limit
from gridweave.client.answering.flexible import CarVisit

__all__ = ["Car"]

_HOUR_S = 3_600


@dataclass(frozen=True)
class Car:
    """A car's visit at a charger that draws at least `least_wh` a slot; it has taken `taken_wh` so far."""

    visit: CarVisit
    seconds: int
    least_wh: int = 0
    taken_wh: int = 0

    def __post_init__(self) -> None:
        """Raises ValueError for a charger whose least is more than its most."""
        if not 0 <= self.least_wh <= self.visit.reach_wh:
            raise ValueError(f"at least {self.least_wh} Wh of at most {self.visit.reach_wh} Wh a slot")

    @property
    def swing_w(self) -> int:
        return self.visit.reach_wh * _HOUR_S // self.seconds

    @property
    def missing_wh(self) -> int:
        """What it still needs."""
        return self.visit.needs_wh - self.taken_wh

    def leaving(self, departs: int) -> Car:
        """The same car once its driver says when it really leaves. Raises ValueError for a time before its arrival."""
        if departs < self.visit.arrives:
            raise ValueError(f"departs in slot {departs}, arrives in {self.visit.arrives}")
        full = min(self.visit.needs_wh, (departs - self.visit.arrives) * self.visit.reach_wh)
        return replace(self, visit=replace(self.visit, departs=departs, needs_wh=max(full, self.taken_wh)))

    def within(self, slot: int, wanted_wh: int, lean: Lean) -> int:
        """At least what no later slot could make up for, at most what it still needs."""
        if not self.visit.arrives <= slot < self.visit.departs:
            return 0
        must = self.missing_wh - (self.visit.departs - slot - 1) * self.visit.reach_wh
        most = min(self.visit.reach_wh, self.missing_wh)
        wanted = min(max(wanted_wh, must, 0), most)
        least = min(self.least_wh, most)
        if 0 < wanted < least:
            return 0 if lean is Lean.DOWN and must <= 0 else least
        return wanted

    def after(self, _slot: int, moved_wh: int) -> Car:
        return replace(self, taken_wh=self.taken_wh + moved_wh)

    def back_to(self, _slot: int, planned: Car) -> int:
        return planned.taken_wh - self.taken_wh

    def limit(self, slot: int, wanted_wh: int) -> Limit:
        if not self.visit.arrives <= slot < self.visit.departs:
            return Limit.AWAY
        if wanted_wh > self.visit.reach_wh or wanted_wh < 0:
            return Limit.POWER
        return Limit.FULL if wanted_wh > self.missing_wh else Limit.DEPARTURE
