"""What a meter was called for: its event days, and how long it is taken. One commitment per meter and slot."""

from __future__ import annotations

from dataclasses import dataclass, field

from gridweave.domain.flexibility.response_errors import MeterBusy

__all__ = ["KEPT_DAYS", "MeterCalls"]

KEPT_DAYS = 128
"""Older event days fall out; no baseline looks back that far."""


@dataclass
class MeterCalls:
    """Across all programmes. Events of a meter follow each other, so days only rise."""

    days: set[int] = field(default_factory=set)
    last_day: int = 0
    busy_until: int = 0
    """The slot after its last event."""
    open: int = 0
    """Events that it is not settled for."""
    on_last_day: int = 0

    @classmethod
    def unpack(cls, word: int) -> MeterCalls:
        """From the word of contracts/types/MeterCalls.sol."""
        last_day, mask = word >> 96 & 0xFFFFFFFF, word >> 128
        days = {last_day - back for back in range(KEPT_DAYS) if mask >> back & 1}
        return cls(days, last_day, word >> 64 & 0xFFFFFFFF, word >> 48 & 0xFFFF, word >> 32 & 0xFFFF)

    def call(self, day: int, first_slot: int, until: int) -> None:
        """Takes it for the slots of an event. Raises MeterBusy."""
        if self.busy_until > first_slot:
            raise MeterBusy
        self.on_last_day = self.on_last_day + 1 if day == self.last_day else 1
        self.last_day, self.busy_until = day, until
        self.days = {kept for kept in self.days if day - kept < KEPT_DAYS} | {day}
        self.open += 1

    def opt_out(self, day: int, first_slot: int, until: int) -> None:
        """In time: unless it was called for a later day since, the day counts only if another event is on it."""
        self.open -= 1
        if day != self.last_day:
            return
        self.on_last_day -= 1
        if self.on_last_day == 0:
            self.days.discard(day)
        if self.busy_until == until:
            self.busy_until = first_slot

    def settle(self) -> None:
        """One event less is open."""
        self.open -= 1

    def event_days(self, day: int) -> int:
        """Bit k: it was called for the day k + 1 before `day`, as the gauge takes it."""
        return sum(1 << day - each - 1 for each in self.days if 0 < day - each <= 64)
