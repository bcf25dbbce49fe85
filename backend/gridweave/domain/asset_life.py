"""An asset's states over time, and what they say of its availability. Times are chain time in seconds."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import zip_longest

from gridweave.domain.acts import AssetState
from gridweave.domain.slots import SlotClock

__all__ = ["BASIS_POINTS", "AssetLife", "Availability"]

BASIS_POINTS = 10_000


@dataclass(frozen=True)
class Availability:
    """Seconds of a window in which the asset was commissioned, and those of them online and in maintenance."""

    commissioned_s: int
    online_s: int
    maintenance_s: int

    @property
    def online_bp(self) -> int | None:
        """Availability: the share online, rounded down; None for an asset that was not commissioned in the window."""
        return self.online_s * BASIS_POINTS // self.commissioned_s if self.commissioned_s else None

    @property
    def maintenance_bp(self) -> int | None:
        """The share in maintenance, rounded down."""
        return self.maintenance_s * BASIS_POINTS // self.commissioned_s if self.commissioned_s else None

    @property
    def unplanned_bp(self) -> int | None:
        """The share online of the time out of maintenance, rounded down; None if it was in maintenance throughout."""
        rest = self.commissioned_s - self.maintenance_s
        return self.online_s * BASIS_POINTS // rest if rest else None


@dataclass(frozen=True)
class AssetLife:
    """`changes` are (state, since) as its device told them, in their order; `meter_ends` None while its meter has no
    end. What is the asset's ends when it is decommissioned or its meter ends.
    """

    registered_at: int
    changes: Sequence[tuple[AssetState, int]] = ()
    meter_ends: int | None = None

    @property
    def state(self) -> AssetState:
        """The newest state."""
        return self.changes[-1][0] if self.changes else AssetState.UNREPORTED

    @property
    def since(self) -> int | None:
        """When that began; None before the first report."""
        return self.changes[-1][1] if self.changes else None

    @property
    def commissioned_at(self) -> int | None:
        """When its life began; None if it has not."""
        return self.changes[0][1] if self.changes else None

    @property
    def ended_at(self) -> int | None:
        """When its life ended, or will with its meter; None: no end is known."""
        ends = [] if self.meter_ends is None else [self.meter_ends]
        if self.state == AssetState.DECOMMISSIONED:
            ends.append(self.changes[-1][1])
        return min(ends, default=None)

    def availability(self, start: int, end: int) -> Availability:
        """What it was in the seconds [start, end)."""
        seconds = dict.fromkeys(AssetState, 0)
        for state, since, until in self._spans:
            seconds[state] += max(0, (end if until is None else min(until, end)) - max(since, start))
        online, maintenance = seconds[AssetState.ONLINE], seconds[AssetState.MAINTENANCE]
        return Availability(sum(seconds.values()), online, maintenance)

    def slots(self, first: int, last: int, clock: SlotClock) -> range:
        """Those of the slots first..last that it lived through whole."""
        if self.commissioned_at is None:
            return range(0)
        return _within((self.commissioned_at, self.ended_at), first, last, clock)

    def online_slots(self, first: int, last: int, clock: SlotClock) -> set[int]:
        """Those of the slots first..last through which it was online."""
        found: set[int] = set()
        for state, since, until in self._spans:
            if state == AssetState.ONLINE:
                found.update(_within((since, until), first, last, clock))
        return found

    @cached_property
    def _spans(self) -> list[tuple[AssetState, int, int | None]]:
        """(state, since, until) between commissioning and end; None: no end is known."""
        ended = self.ended_at
        following = [since for _, since in self.changes[1:]]
        found: list[tuple[AssetState, int, int | None]] = []
        for (state, since), until in zip_longest(self.changes, following):
            if state != AssetState.DECOMMISSIONED:
                found.append((state, since, min((end for end in (until, ended) if end is not None), default=None)))
        return found


def _within(span: tuple[int, int | None], first: int, last: int, clock: SlotClock) -> range:
    """The slots first..last that lie in a span of time whole; a span without an end has all that follow."""
    since, until = span
    stop = last + 1 if until is None else min(last + 1, until // clock.length)
    return range(max(first, -(-since // clock.length)), stop)
