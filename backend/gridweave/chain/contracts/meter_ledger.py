"""Settlement-grade readings."""

from __future__ import annotations

from typing import ClassVar

from gridweave.chain.contracts.base import Contract
from gridweave.domain.readings import Reading

__all__ = ["MeterLedger"]


class MeterLedger(Contract):
    """Readings enter through `EnergyAuction.settle`, so there is nothing to write here."""

    NAME: ClassVar[str] = "MeterLedger"

    async def reading_of(self, meter: int, slot: int, block: int | None = None) -> Reading | None:
        """The newest version, None if there is no reading."""
        version, import_wh, export_wh = await self._results("readingOf", meter, slot, block=block)
        return Reading(meter, slot, version, import_wh, export_wh) if version else None

    async def digest_of(self, reading: Reading, block: int | None = None) -> bytes:
        """What the device signs, as the contract computes it."""
        return bytes(await self._result("digestOf", reading.pack(), block=block))

    async def slot_length(self, block: int | None = None) -> int:
        """Seconds per slot."""
        return int(await self._result("slotLength", block=block))
