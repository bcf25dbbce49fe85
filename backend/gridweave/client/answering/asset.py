"""An asset that answers: a baseline plan, setpoints relative to it, what it can commit, and the way back. Pure.

A setpoint is W of net import beside the plan: negative sheds, positive takes. Without one the asset follows its plan,
and after one it goes back to where the plan would have it, as fast as its limits let it: what was shifted comes back.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Generic, TypeVar

from gridweave.client.answering.body import Body, Lean, Limit

__all__ = ["Asset", "Moved", "PlanBreaksLimits", "Span"]

B = TypeVar("B", bound=Body)

_HOUR_S = 3_600


class PlanBreaksLimits(ValueError):
    """A baseline plan that the asset's own limits do not allow."""


@dataclass(frozen=True)
class Span:
    """`slots` slots from `first` on."""

    first: int
    slots: int

    @property
    def end(self) -> int:
        """The first slot after it."""
        return self.first + self.slots

    def __contains__(self, slot: int) -> bool:
        return self.first <= slot < self.end


@dataclass(frozen=True)
class Moved:
    """A slot: what the meter counts and what was planned, Wh of net import; `limit` is why less than the setpoint."""

    slot: int
    metered_wh: int
    planned_wh: int
    limit: Limit | None = None


@dataclass(frozen=True)
class Asset(Generic[B]):
    """`body` as it is at the start of `slot`, `planned` as it would be had nobody called; `agenda` maps spans to W.

    `begin` makes one. Spans of an agenda do not overlap.
    """

    body: B
    planned: B
    plan: tuple[int, ...]
    slot: int = 0
    agenda: tuple[tuple[Span, int], ...] = ()

    @classmethod
    def begin(cls, body: B, plan: Sequence[int]) -> Asset[B]:
        """At the start of the plan's first slot. Raises PlanBreaksLimits."""
        planned = body
        for slot, wh in enumerate(plan):
            allowed = planned.within(slot, wh, Lean.UP)
            if allowed != wh:
                raise PlanBreaksLimits(f"slot {slot}: {wh} Wh, where {allowed} Wh is nearest")
            planned = planned.after(slot, wh)
        return cls(body, body, tuple(plan))

    def with_setpoint(self, span: Span, watts: int) -> Asset[B]:
        """The same with that in its agenda, in place of what was there for these slots."""
        kept = [(left, power) for other, power in self.agenda for left in _outside(other, span)]
        return replace(self, agenda=(*kept, *([(span, watts)] if watts else [])))

    def setpoint(self, slot: int) -> int:
        """W beside the plan in that slot, 0 if none."""
        return next((watts for span, watts in self.agenda if slot in span), 0)

    def step(self) -> tuple[Asset[B], Moved]:
        """A slot later, and what the meter counted. Raises IndexError where the plan ends."""
        slot, planned_wh, watts = self.slot, self.plan[self.slot], self.setpoint(self.slot)
        planned = self.planned.after(slot, planned_wh)
        wanted, lean = self._wanted(planned), Lean.DOWN if watts < 0 else Lean.UP
        metered = self.body.within(slot, wanted, lean)
        short = metered > wanted if watts < 0 else metered < wanted
        limit = self.body.limit(slot, wanted) if watts and short else None
        after = replace(self, body=self.body.after(slot, metered), planned=planned, slot=slot + 1)
        return after, Moved(slot, metered, planned_wh, limit)

    def hindered(self, span: Span, watts: int) -> Limit | None:
        """What keeps it from `watts` in a slot of the span that is still to come; None: it delivers them all."""
        asset = self.with_setpoint(span, watts)
        while asset.slot < span.end:
            if asset.slot >= len(asset.plan):
                return Limit.UNPLANNED
            asset, moved = asset.step()
            if moved.slot in span and moved.limit is not None:
                return moved.limit
        return None

    def available(self, span: Span, *, up: bool) -> int:
        """LOAD_SHED_DELTA_AVAILABLE: the most W, of 0 or more, that it can shed (take, if `up`) all along the span.

        Found by halves: whoever can do more can do less. Setpoints that it has for other slots are kept.
        """
        sign, none, most = 1 if up else -1, 0, self.body.swing_w if span.slots > 0 else 0
        while none < most:
            half = (none + most + 1) // 2
            if self.hindered(span, sign * half) is None:
                none = half
            else:
                most = half - 1
        return none

    def _wanted(self, planned: B) -> int:
        """Wh of this slot by setpoint, by plan, or on the way back to it, before limits."""
        watts = self.setpoint(self.slot)
        if watts:
            return self.plan[self.slot] + _promised_wh(watts, self.body.seconds)
        if self.body == self.planned:
            return self.plan[self.slot]
        return self.body.back_to(self.slot, planned)


def _promised_wh(watts: int, seconds: int) -> int:
    """Wh of a setpoint over a slot, away from zero: no promise falls short by rounding."""
    wh = -(-abs(watts) * seconds // _HOUR_S)
    return wh if watts > 0 else -wh


def _outside(span: Span, other: Span) -> list[Span]:
    """What of a span lies before and after another one."""
    before = Span(span.first, min(span.end, other.first) - span.first)
    after_first = max(span.first, other.end)
    after = Span(after_first, span.end - after_first)
    return [left for left in (before, after) if left.slots > 0]
