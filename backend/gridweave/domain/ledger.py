"""The MeterLedger's rules: which readings are stored, and over what."""

from __future__ import annotations

from dataclasses import dataclass

from gridweave.domain.errors import (
    MeterNotInForce,
    MeterOfOtherMarket,
    MeterUnknown,
    ReadingAboveCapacity,
    ReadingForOtherSlot,
    ReadingNotNewer,
    ReadingOffScale,
    ReadingVersionOutOfRange,
)
from gridweave.domain.meters import Meter
from gridweave.domain.outcomes import Reason
from gridweave.domain.readings import LAST_VERSION, Reading
from gridweave.domain.registry import MeterRecord
from gridweave.domain.slots import SlotClock

MOST_SCALED = (1 << 15) - 1
"""A reading is stored in this many of its meter's own scale at most, each way."""


@dataclass(frozen=True)
class Stored:
    """A meter's reading of one slot as the ledger keeps it; version 0: none."""

    version: int = 0
    import_wh: int = 0
    export_wh: int = 0


class LedgerBook:
    """Every stored reading, by meter and slot."""

    def __init__(self, clock: SlotClock) -> None:
        self._clock = clock
        self._stored: dict[tuple[int, int], Stored] = {}

    def reading(self, meter: int, slot: int) -> Stored:
        """What is stored of the meter in the slot."""
        return self._stored.get((meter, slot), Stored())

    def fault(self, market: int, slot: int, reading: Reading, record: MeterRecord | None) -> Reason | None:
        """Why the reading cannot stand for its meter in this market and slot, whoever signed it; None: it can."""
        if reading.slot != slot:
            return ReadingForOtherSlot
        if record is None:
            return MeterUnknown
        meter, binding = record
        if meter.market != market:
            return MeterOfOtherMarket
        if not binding.was_there(slot, self._clock) or (meter.bounded and not binding.within_bounds(slot)):
            return MeterNotInForce
        return content_fault(reading, meter, self._clock)

    def store(self, reading: Reading) -> Stored:
        """Stores a reading without fault over an older version; returns what stood before. Raises ReadingNotNewer."""
        before = self.reading(reading.meter, reading.slot)
        if reading.version <= before.version:
            raise ReadingNotNewer
        self._stored[reading.meter, reading.slot] = Stored(reading.version, reading.import_wh, reading.export_wh)
        return before


def content_fault(reading: Reading, meter: Meter, clock: SlotClock) -> Reason | None:
    """Why the meter cannot have counted this in any one slot; None: it can."""
    if not 1 <= reading.version <= LAST_VERSION:
        return ReadingVersionOutOfRange
    if reading.import_wh > meter.most_import_wh(clock.length):
        return ReadingAboveCapacity
    if reading.export_wh > meter.most_export_wh(clock.length):
        return ReadingAboveCapacity
    for energy in (reading.import_wh, reading.export_wh):
        if energy % meter.scale_wh or energy > MOST_SCALED * meter.scale_wh:
            return ReadingOffScale
    return None
