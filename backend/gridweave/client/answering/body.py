"""What every asset that answers has in common: limits of physics, and a state a slot later. Pure.

Energy is whole Wh a slot as the meter counts it, positive for import. A body is frozen: `after` gives another one.
"""

from __future__ import annotations

from enum import Enum
from typing import Protocol, Self

__all__ = ["Body", "Lean", "Limit"]


class Lean(Enum):
    """To which side a body errs when it cannot do exactly what is wanted: whoever sheds rather draws too little."""

    DOWN = "down"
    UP = "up"


class Limit(Enum):
    """What stands in the way of more."""

    POWER = "power"
    RESERVE = "reserve"
    FULL = "full"
    COMFORT = "comfort"
    DEPARTURE = "departure"
    AWAY = "away"
    UNPLANNED = "unplanned"


class Body(Protocol):
    """A thing with limits. `slot` counts as the baseline plan does."""

    @property
    def seconds(self) -> int:
        """Length of a slot."""

    @property
    def swing_w(self) -> int:
        """From its least to its greatest import: no setpoint beyond it can be met."""

    def within(self, slot: int, wanted_wh: int, lean: Lean, /) -> int:
        """What is nearest to `wanted_wh` in this slot and keeps every limit, of this slot and of all later ones."""

    def after(self, slot: int, moved_wh: int, /) -> Self:
        """A slot later, having moved that; `moved_wh` came from `within`."""

    def back_to(self, slot: int, planned: Self, /) -> int:
        """What would bring it in this slot to where it was `planned` to be at the slot's end, Wh, limits or not."""

    def limit(self, slot: int, wanted_wh: int, /) -> Limit:
        """What keeps it from `wanted_wh`."""
