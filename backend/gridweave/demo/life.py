"""A day under way: who lives it, what is known so far, and what was counted and told of it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field

from gridweave.client import Item
from gridweave.demo.founding import Place
from gridweave.demo.mishaps import Mishaps
from gridweave.demo.moments import Diary
from gridweave.demo.profiles import SLOTS
from gridweave.demo.waiter import Waiter
from gridweave.domain.slots import SlotClock

__all__ = ["Life"]

_LAST_LOOK_S = 60


@dataclass
class Life:
    """`lived` counts how often each path was taken, `diary` tells what was out of the ordinary.

    `prices` are the published net prices so far, by slot of the day; None where nobody traded.
    """

    place: Place
    waiter: Waiter
    clock: SlotClock
    seed: int
    mishaps: Mishaps = field(default_factory=Mishaps)
    slots: int = SLOTS
    lived: Counter[str] = field(default_factory=Counter)
    diary: Diary = field(default_factory=Diary)
    prices: dict[int, int | None] = field(default_factory=dict)
    acknowledged: list[str] = field(default_factory=list)
    """Ids of all that was acknowledged in this step."""

    @property
    def first(self) -> int:
        """The day's first slot."""
        return self.clock.slot_at(self.place.day.starts_at)

    @property
    def last(self) -> int:
        return self.first + self.slots - 1

    def deadline(self, slot: int) -> int:
        """The gate, less a little: a later order could not be placed anyway."""
        return self.place.terms.gate(slot, self.clock) - _LAST_LOOK_S

    def taken(self, name: str, items: Sequence[Item]) -> list[str]:
        """Counts answers; the last accepted id, for what was sent together is committed together."""
        for item in items:
            self.lived[f"refused: {item.error.name}" if item.error else name] += 1
        accepted = [item.id for item in items if not item.error]
        self.acknowledged += accepted
        return accepted[-1:]
