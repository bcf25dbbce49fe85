"""Who is dispatched: offers in the order of their asks, whole below the margin, a share at it, nothing above."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from gridweave.domain.flexibility.terms import MOST_TICKS

__all__ = ["NO_MARGIN", "Margin", "Offer", "find_margin", "setpoints"]

NO_MARGIN = MOST_TICKS
"""All are taken: they fall short of the target, or nobody offers anything."""


@dataclass(frozen=True)
class Offer:
    """An asset's power, W, at a tick of the programme's grid."""

    tick: int
    power_w: int


@dataclass(frozen=True)
class Margin:
    """The first tick up to which the offers reach the target: `shared_w` of the `long_w` offered there are taken."""

    tick: int = NO_MARGIN
    shared_w: int = 0
    long_w: int = 0
    offered_w: int = 0


def find_margin(offers: Iterable[Offer], target_w: int) -> Margin:
    """Of those who have not opted out in time. `target_w` is positive."""
    ladder = [0] * MOST_TICKS
    for offer in offers:
        ladder[offer.tick] += offer.power_w
    below = 0
    for tick, power_w in enumerate(ladder):
        if below + power_w >= target_w:
            return Margin(tick, target_w - below, power_w, sum(ladder))
        below += power_w
    return Margin(offered_w=below)


def setpoints(offers: Sequence[Offer], target_w: int) -> list[int]:
    """What each is to do, in W, in the order in which they were called.

    Shares at the margin are differences of rounded sums, so together they are exactly what is shared.
    """
    margin = find_margin(offers, target_w)
    passed, given = 0, []
    for offer in offers:
        if offer.tick != margin.tick:
            given.append(offer.power_w if offer.tick < margin.tick else 0)
            continue
        before = margin.shared_w * passed // margin.long_w
        passed += offer.power_w
        given.append(margin.shared_w * passed // margin.long_w - before)
    return given
