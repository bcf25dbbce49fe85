"""Slots: half-open intervals of one length for a whole deployment, and the ring in which the market keeps them."""

from __future__ import annotations

from dataclasses import dataclass

RING = 256
"""Slots that the ring of storage words holds."""

HORIZON = 192
"""An order's slot lies at most this many slots after the current one."""


@dataclass(frozen=True)
class SlotClock:
    """Slot s covers [start(s), end(s)); times are seconds of chain time, `length` seconds too."""

    length: int

    def __post_init__(self) -> None:
        if self.length <= 0:
            raise ValueError(f"a slot lasts at least one second, not {self.length}")

    def slot_at(self, time: int) -> int:
        """The slot that `time` lies in."""
        return time // self.length

    def start(self, slot: int) -> int:
        """First second of the slot."""
        return slot * self.length

    def end(self, slot: int) -> int:
        """First second after the slot."""
        return (slot + 1) * self.length


def ring_index(slot: int) -> int:
    """Which of the RING words the slot uses."""
    return slot & (RING - 1)


def ring_tag(slot: int) -> int:
    """Which turn of the ring the slot belongs to, 16 bits: a word with another tag reads as empty."""
    return (slot >> 8) & 0xFFFF
