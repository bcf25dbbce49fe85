"""A battery: what it holds, and what of an hour's energy it can take or give. Pure; energy is whole Wh."""

from __future__ import annotations

from dataclasses import dataclass, replace

__all__ = ["Battery"]

_MILLE = 1_000


@dataclass(frozen=True)
class Battery:
    """`stored_wh` of `capacity_wh` are in it; `power_w` bounds both ways; losses fall due when charging.

    Of what it draws `efficiency_permille` arrives, rounded down; what it gives leaves it whole. So over any time
    drawn >= given + what is stored more, and `stored_wh` never leaves [0, capacity_wh].
    """

    capacity_wh: int
    power_w: int
    efficiency_permille: int
    stored_wh: int = 0

    def reach_wh(self, seconds: int) -> int:
        """The most that its power moves in that time, Wh."""
        return self.power_w * seconds // 3_600

    def charged(self, offered_wh: int, seconds: int) -> tuple[Battery, int]:
        """The battery after it took what it can of `offered_wh`, and what it drew."""
        room_wh = (self.capacity_wh - self.stored_wh) * _MILLE // self.efficiency_permille
        drawn = min(max(offered_wh, 0), self.reach_wh(seconds), room_wh)
        arrived = drawn * self.efficiency_permille // _MILLE
        return replace(self, stored_wh=self.stored_wh + arrived), drawn

    def discharged(self, wanted_wh: int, seconds: int) -> tuple[Battery, int]:
        """The battery after it gave what it can of `wanted_wh`, and what it gave."""
        given = min(max(wanted_wh, 0), self.reach_wh(seconds), self.stored_wh)
        return replace(self, stored_wh=self.stored_wh - given), given

    def moved(self, wish_wh: int, seconds: int) -> tuple[Battery, int]:
        """Charged with `wish_wh` if positive, discharged if negative; and what it drew less what it gave."""
        if wish_wh >= 0:
            return self.charged(wish_wh, seconds)
        after, given = self.discharged(-wish_wh, seconds)
        return after, -given
