"""A battery that answers: it gives down to its reserve, takes until it is full, and fills up again afterwards. Pure."""

from __future__ import annotations

from dataclasses import dataclass, replace

from gridweave.client.answering.battery import Battery
from gridweave.client.answering.body import Lean, Limit

__all__ = ["Storage"]

_MILLE = 1_000


@dataclass(frozen=True)
class Storage:
    """`battery` and the Wh that it keeps for its owner. What charging loses is named in `lost_wh`, from the first on.

    Raises ValueError for a reserve that it does not hold.
    """

    battery: Battery
    seconds: int
    reserve_wh: int = 0
    lost_wh: int = 0

    def __post_init__(self) -> None:
        if not 0 <= self.reserve_wh <= self.battery.stored_wh:
            raise ValueError(f"a reserve of {self.reserve_wh} Wh of {self.battery.stored_wh} Wh stored")

    @property
    def swing_w(self) -> int:
        return 2 * self.battery.power_w

    def within(self, _slot: int, wanted_wh: int, _lean: Lean) -> int:
        """Never below the reserve, above the capacity, or beyond its power."""
        if wanted_wh < 0:
            return -min(-wanted_wh, self.battery.reach_wh(self.seconds), self.battery.stored_wh - self.reserve_wh)
        return self.battery.charged(wanted_wh, self.seconds)[1]

    def after(self, _slot: int, moved_wh: int) -> Storage:
        """What it drew less what it gave is stored or lost, to the Wh."""
        battery, moved = self.battery.moved(moved_wh, self.seconds)
        lost = moved - (battery.stored_wh - self.battery.stored_wh)
        return replace(self, battery=battery, lost_wh=self.lost_wh + lost)

    def back_to(self, _slot: int, planned: Storage) -> int:
        """Rounded up, since of what it draws the losses come off."""
        short = planned.battery.stored_wh - self.battery.stored_wh
        return -(-short * _MILLE // self.battery.efficiency_permille) if short > 0 else short

    def limit(self, _slot: int, wanted_wh: int) -> Limit:
        if abs(wanted_wh) > self.battery.reach_wh(self.seconds):
            return Limit.POWER
        return Limit.RESERVE if wanted_wh < 0 else Limit.FULL
