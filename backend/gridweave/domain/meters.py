"""What a meter is registered as, and the device behind it: the two words of DERRegistry."""

from __future__ import annotations

from dataclasses import dataclass

from gridweave.domain.addresses import checksum_address
from gridweave.domain.errors import FieldOutOfRange
from gridweave.domain.orders import Order, Side
from gridweave.domain.slots import SlotClock
from gridweave.domain.words import WordLayout

SCALES_WH = (1, 10, 100)

_METER = WordLayout(
    "Meter",
    (
        ("account", 160),
        ("market", 32),
        ("importCapacityW", 24),
        ("exportCapacityW", 24),
        ("scale", 2),
        ("mandate", 1),
        ("bounded", 1),
    ),
)
_BINDING = WordLayout("MeterBinding", (("device", 160), ("fromSlot", 32), ("untilSlot", 32), ("registeredAt", 32)))
_SECONDS_PER_HOUR = 3_600


@dataclass(frozen=True)
class Meter:
    """A meter's registration. Capacities are W, `scale_wh` is 1, 10 or 100: readings are multiples of it.

    `mandate` lets settlement debit the account. `bounded` says that the binding limits the slots in which the meter is
    in force.
    """

    account: str
    market: int
    import_capacity_w: int
    export_capacity_w: int
    scale_wh: int
    mandate: bool
    bounded: bool

    def pack(self) -> bytes:
        """The registry's word, 32 bytes. Raises FieldOutOfRange."""
        if self.scale_wh not in SCALES_WH:
            raise FieldOutOfRange("scaleWh", "1, 10 or 100", str(self.scale_wh))
        return _METER.pack(
            (
                int(self.account, 16),
                self.market,
                self.import_capacity_w,
                self.export_capacity_w,
                SCALES_WH.index(self.scale_wh),
                self.mandate,
                self.bounded,
            )
        )

    @classmethod
    def unpack(cls, word: bytes) -> Meter:
        """The registration in a word. Raises WordMalformed, FieldOutOfRange."""
        account, market, import_w, export_w, scale, mandate, bounded = _METER.unpack(word)
        if scale >= len(SCALES_WH):
            raise FieldOutOfRange("scale", "0, 1 or 2", str(scale))
        return cls(_address(account), market, import_w, export_w, SCALES_WH[scale], bool(mandate), bool(bounded))

    def most_import_wh(self, slot_length: int) -> int:
        """The largest import that a slot of `slot_length` seconds can show, Wh."""
        return self.import_capacity_w * slot_length // _SECONDS_PER_HOUR

    def most_export_wh(self, slot_length: int) -> int:
        """The largest export that a slot of `slot_length` seconds can show, Wh."""
        return self.export_capacity_w * slot_length // _SECONDS_PER_HOUR

    def may_order(self, order: Order, slot_length: int) -> bool:
        """Whether the order's energy could ever be read in a slot of `slot_length` seconds."""
        most = self.most_import_wh(slot_length) if order.side == Side.BID else self.most_export_wh(slot_length)
        return order.energy_wh <= most


@dataclass(frozen=True)
class MeterBinding:
    """The device behind a meter, in force for slots [from_slot, until_slot) that begin at `registered_at` or later.

    `until_slot` 0 is open; `registered_at` is chain time.
    """

    device: str
    from_slot: int
    until_slot: int
    registered_at: int

    def pack(self) -> bytes:
        """The registry's word, 32 bytes. Raises FieldOutOfRange."""
        return _BINDING.pack((int(self.device, 16), self.from_slot, self.until_slot, self.registered_at))

    @classmethod
    def unpack(cls, word: bytes) -> MeterBinding:
        """The binding in a word. Raises WordMalformed."""
        device, from_slot, until_slot, registered_at = _BINDING.unpack(word)
        return cls(_address(device), from_slot, until_slot, registered_at)

    def was_there(self, slot: int, clock: SlotClock) -> bool:
        """Whether the meter was registered when the slot began."""
        return self.registered_at <= clock.start(slot)

    def judged_at(self, gate: int) -> int:
        """As of when the device must be active for a slot with that gate: nobody is suspended after the gate."""
        return max(gate, self.registered_at)

    def within_bounds(self, slot: int) -> bool:
        """Whether the slot lies within the meter's bounds."""
        return self.from_slot <= slot and (self.until_slot == 0 or slot < self.until_slot)


def _address(number: int) -> str:
    return checksum_address(number.to_bytes(20, "big"))
