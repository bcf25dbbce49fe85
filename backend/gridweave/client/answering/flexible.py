"""Loads that may choose their time: a car that must be full when it leaves, a heat pump with a warm buffer. Pure.

Both plan a day of slots once, by what each slot is expected to cost; energy is whole Wh per slot.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

__all__ = ["CAR", "HEAT", "CarVisit", "HeatPump"]

CAR = "Fill by departure: a car charges in the slots of its stay that are expected to be cheapest, the earliest first."
HEAT = (
    "Follow the sun: a heat pump makes heat ahead of its use in slots that are expected to be cheaper, as far as its "
    "buffer keeps it."
)


@dataclass(frozen=True)
class CarVisit:
    """A car that stays from slot `arrives` until `departs` (half-open) and needs `needs_wh`; `reach_wh` a slot."""

    arrives: int
    departs: int
    needs_wh: int
    reach_wh: int

    def __post_init__(self) -> None:
        """Raises ValueError for a car that no plan could fill."""
        if self.needs_wh > (self.departs - self.arrives) * self.reach_wh:
            raise ValueError(f"{self.needs_wh} Wh do not fit into slots {self.arrives} to {self.departs}")

    def plan(self, costs: Sequence[int]) -> list[int]:
        """Wh per slot, `needs_wh` in all, none outside of the stay."""
        planned, left = [0] * len(costs), self.needs_wh
        for slot in sorted(range(self.arrives, self.departs), key=lambda slot: (costs[slot], slot)):
            planned[slot] = min(left, self.reach_wh)
            left -= planned[slot]
        return planned


@dataclass(frozen=True)
class HeatPump:
    """Needs `need_wh` a slot, as electricity; its buffer keeps `buffer_wh`, and it draws at most `reach_wh` a slot."""

    need_wh: tuple[int, ...]
    buffer_wh: int
    reach_wh: int

    def plan(self, costs: Sequence[int]) -> list[int]:
        """Wh per slot that meet every need in time, each made in the cheapest slots before it.

        Needs are served in order; one moves ahead only while buffer and power have room, and to a cheaper slot alone.
        """
        planned = list(self.need_wh)
        kept = [0] * len(planned)
        for slot in range(len(planned)):
            self._move_ahead(slot, planned, kept, costs)
        return planned

    def _move_ahead(self, slot: int, planned: list[int], kept: list[int], costs: Sequence[int]) -> None:
        """Moves what it can of the slot's own need. `kept` is what the buffer holds at the end of each slot."""
        left = self.need_wh[slot]
        for earlier in sorted(range(slot), key=lambda other: (costs[other], -other)):
            if left <= 0 or costs[earlier] >= costs[slot]:
                return
            room = min(self.buffer_wh - held for held in kept[earlier:slot])
            share = min(left, room, self.reach_wh - planned[earlier])
            if share <= 0:
                continue
            planned[earlier] += share
            planned[slot] -= share
            kept[earlier:slot] = [held + share for held in kept[earlier:slot]]
            left -= share
