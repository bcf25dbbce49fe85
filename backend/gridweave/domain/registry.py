"""The DERRegistry's meters, and what they may do in which slot."""

from __future__ import annotations

from dataclasses import replace

from gridweave.domain.errors import (
    DeviceAlreadyMetered,
    DeviceNotMetered,
    MeterEnds,
    MeterNotBegun,
    OrderMeterNotInForce,
    OrderMeterOfOtherMarket,
    OrderMeterUnknown,
    OrderRefusal,
    UnknownMeter,
    WithinHorizon,
)
from gridweave.domain.meters import Meter, MeterBinding
from gridweave.domain.slots import HORIZON, SlotClock

MeterRecord = tuple[Meter, MeterBinding]


class MeterBook:
    """Every registered meter by its number."""

    def __init__(self, clock: SlotClock) -> None:
        self._clock = clock
        self._records: dict[int, MeterRecord] = {}
        self._of_device: dict[str, int] = {}

    def register(self, meter_id: int, meter: Meter, binding: MeterBinding) -> None:
        """Makes a meter known."""
        self._records[meter_id] = (meter, binding)
        self._of_device[binding.device] = meter_id

    def move(self, meter_id: int, meter: Meter, device: str, from_slot: int, now: int) -> int:
        """Ends the device's meter and begins `meter_id` in `from_slot`; returns the meter that ends.

        Raises DeviceNotMetered, WithinHorizon, MeterEnds, MeterNotBegun.
        """
        present = self.of_device(device)
        if present is None:
            raise DeviceNotMetered(device)
        self.end(present, from_slot, now)
        self.register(meter_id, replace(meter, bounded=True), MeterBinding(device, from_slot, 0, now))
        return present

    def end(self, meter_id: int, until_slot: int, now: int) -> None:
        """Ends a meter before a slot beyond the horizon.

        Raises UnknownMeter, WithinHorizon, MeterEnds, MeterNotBegun.
        """
        if meter_id not in self._records:
            raise UnknownMeter(meter_id)
        meter, binding = self._records[meter_id]
        current = self._clock.slot_at(now)
        if until_slot <= current + HORIZON:
            raise WithinHorizon(until_slot, current + HORIZON)
        if binding.until_slot:
            raise MeterEnds(meter_id, binding.until_slot)
        if binding.from_slot > current:
            raise MeterNotBegun(meter_id, binding.from_slot)
        self._records[meter_id] = (replace(meter, bounded=True), replace(binding, until_slot=until_slot))

    def of_device(self, device: str) -> int | None:
        """The newest meter of a device, which may not have begun."""
        return self._of_device.get(device)

    def require_free(self, device: str, now: int) -> None:
        """Raises DeviceAlreadyMetered while a meter of the device has not ended."""
        present = self.of_device(device)
        if present is None:
            return
        until = self._records[present][1].until_slot
        if until == 0 or until > self._clock.slot_at(now):
            raise DeviceAlreadyMetered(device, present)

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
