"""What the meters of the fleet measure: the homes' real energies of the day, every minute or every other second.

Pure. Power is the quarter hour's mean with noise around it, voltage sags with what the whole place draws,
and temperature is that of a meter's cupboard. Whole numbers in the units of `SCHEMA`; the same seed gives the same day.
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import dataclass

from gridweave.demo.hood_data import Connection, HoodDay
from gridweave.demo.profiles import SLOTS
from gridweave.domain.telemetry.schema import Channel, Schema

__all__ = ["MINUTE_S", "QUICK_S", "SCHEMA", "Measures"]

SCHEMA = Schema((Channel("power", "W", 0, 4), Channel("voltage", "V", -1, 2), Channel("temperature", "Cel", -1, 2)))
MINUTE_S, QUICK_S = 60, 2
"""Seconds between two readings."""

_SLOT_S = 900

_NOMINAL_DV, _SAG_DV = 2_330, 60
_NOISE_PERCENT = 6
_COOL_DC, _WARM_DC = 190, 60


@dataclass(frozen=True)
class Measures:
    """A day of one home, from `starts_at` (seconds UTC) on. Power is positive when it draws from the grid.

    `drawn_wh` is what the whole place draws, Wh per slot.
    """

    home: Connection
    starts_at: int
    drawn_wh: tuple[int, ...]
    seed: int
    every_s: int

    @classmethod
    def of(cls, day: HoodDay, homes: int, quick: int, seed: int) -> list[Measures]:
        """Of so many homes of the day, some of each kind, the first of which measure quickly."""
        drawn = tuple(day.deficit_wh(slot) for slot in range(SLOTS))
        return [
            cls(home, day.starts_at, drawn, seed, QUICK_S if place < quick else MINUTE_S)
            for place, home in enumerate(day.sample(homes).connections)
        ]

    @property
    def per_slot(self) -> int:
        """Readings in a quarter hour."""
        return _SLOT_S // self.every_s

    def slot(self, index: int) -> Iterator[tuple[int, tuple[int, ...]]]:
        """What is measured in a quarter hour of the day: (milliseconds UTC, values), `per_slot` times."""
        rng = random.Random(f"{self.seed}:{self.home.name}:{index}")
        mean_w = 4 * (self.home.load_wh[index] - self.home.pv_wh[index])
        voltage = _NOMINAL_DV - _SAG_DV * self.drawn_wh[index] // max(self.drawn_wh)
        temperature = _COOL_DC + _WARM_DC * self.home.pv_wh[index] // max(self.home.pv_peak_w // 4, 1)
        noise = abs(mean_w) * _NOISE_PERCENT // 100 + 3
        for place in range(self.per_slot):
            at_ms = (self.starts_at + _SLOT_S * index + self.every_s * place) * 1_000 + rng.randint(0, 2)
            power = mean_w + rng.randint(-noise, noise)
            yield at_ms, (power, voltage + rng.randint(-6, 6), temperature + rng.randint(-1, 1))
