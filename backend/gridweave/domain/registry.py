"""The DERRegistry's meters, and what they may do in which slot."""

from __future__ import annotations

from gridweave.domain.errors import (
    OrderMeterNotInForce,
    OrderMeterOfOtherMarket,
    OrderMeterUnknown,
    OrderRefusal,
)
from gridweave.domain.meters import Meter, MeterBinding
from gridweave.domain.slots import SlotClock

MeterRecord = tuple[Meter, MeterBinding]


class MeterBook:
    """Every registered meter by its number."""

    def __init__(self, clock: SlotClock) -> None:
        self._clock = clock
        self._records: dict[int, MeterRecord] = {}

    def register(self, meter_id: int, meter: Meter, binding: MeterBinding) -> None:
        """Makes a meter known."""
        self._records[meter_id] = (meter, binding)

    def get(self, meter_id: int) -> MeterRecord | None:
        """A meter's registration and binding, None for an unknown one."""
        return self._records.get(meter_id)

    def meter(self, meter_id: int) -> Meter:
        """A known meter's registration. Raises KeyError."""
        return self._records[meter_id][0]

    def fault(self, market: int, slot: int, meter_id: int) -> type[OrderRefusal] | None:
        """Why the meter has no part in this market and slot; None: it has."""
        record = self._records.get(meter_id)
        if record is None:
            return OrderMeterUnknown
        if record[0].market != market:
            return OrderMeterOfOtherMarket
        if record[0].bounded and not record[1].within_bounds(slot):
            return OrderMeterNotInForce
        return None

    def silence_fault(self, market: int, slot: int, meter_id: int) -> type[OrderRefusal] | None:
        """Why the meter need not answer for the slot, as for one that began before it was there; None: it must."""
        fault = self.fault(market, slot, meter_id)
        if fault is None and not self._records[meter_id][1].was_there(slot, self._clock):
            return OrderMeterNotInForce
        return fault
