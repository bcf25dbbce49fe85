"""Orders and cancels: what a meter's account signs to trade in a slot, each one word on chain."""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum
from typing import ClassVar

from gridweave.domain.eip712 import TYPES, StructType, struct_hash
from gridweave.domain.errors import SideNotAllowed, WordMalformed
from gridweave.domain.words import WordLayout


class Side(IntEnum):
    """Side of the market, numbered as in Solidity."""

    BID = 1
    ASK = 2

    @property
    def label(self) -> str:
        """bid or ask."""
        return self.name.lower()


_HEAD = (("market", 32), ("slot", 32), ("meter", 32), ("version", 16), ("deadline", 40))
ORDER_WORD = WordLayout("Order", (*_HEAD, ("side", 8), ("energyWh", 32), ("limitPrice", 64)))
CANCEL_WORD = WordLayout("Cancel", _HEAD)
_POSITION_BYTES = 14


@dataclass(frozen=True)
class Order:
    """A bid or an ask for one slot. `version` is above every earlier one of the meter in the slot and starts at 1.

    `deadline` is chain time in seconds, `energy_wh` Wh, `limit_price` micro per kWh: a bid's is all-in (grid fee
    included), an ask's is net.
    """

    market: int
    slot: int
    meter: int
    version: int
    deadline: int
    side: Side
    energy_wh: int
    limit_price: int

    TYPE: ClassVar[StructType] = TYPES["Order"]

    def pack(self) -> bytes:
        """The order's word, 32 bytes. Raises FieldOutOfRange."""
        return ORDER_WORD.pack(
            (
                self.market,
                self.slot,
                self.meter,
                self.version,
                self.deadline,
                self.side,
                self.energy_wh,
                self.limit_price,
            )
        )

    @classmethod
    def unpack(cls, word: bytes) -> Order:
        """The order of a word. Raises WordMalformed, SideNotAllowed."""
        market, slot, meter, version, deadline, side, energy_wh, limit_price = ORDER_WORD.unpack(word)
        if side not in (Side.BID, Side.ASK):
            raise SideNotAllowed
        return cls(market, slot, meter, version, deadline, Side(side), energy_wh, limit_price)

    def position(self) -> bytes:
        """The Vault's reference of the order's collateral, 32 bytes: market, slot, meter, version, the rest zero."""
        return self.pack()[:_POSITION_BYTES].ljust(32, b"\0")

    def struct_hash(self) -> bytes:
        """EIP-712 hashStruct, 32 bytes. Raises FieldOutOfRange."""
        return struct_hash(self)


@dataclass(frozen=True)
class Cancel:
    """Stores `version` with energy 0 for the meter in the slot. Fields as in Order."""

    market: int
    slot: int
    meter: int
    version: int
    deadline: int

    TYPE: ClassVar[StructType] = TYPES["Cancel"]

    def pack(self) -> bytes:
        """The cancel's word, 32 bytes. Raises FieldOutOfRange."""
        return CANCEL_WORD.pack((self.market, self.slot, self.meter, self.version, self.deadline))

    @classmethod
    def unpack(cls, word: bytes) -> Cancel:
        """The cancel of a word. Raises WordMalformed."""
        return cls(*CANCEL_WORD.unpack(word))

    def position(self) -> bytes:
        """The Vault's reference of the freed collateral, as in Order."""
        return position_reference(self.market, self.slot, self.meter, self.version)

    def struct_hash(self) -> bytes:
        """EIP-712 hashStruct, 32 bytes. Raises FieldOutOfRange."""
        return struct_hash(self)


@dataclass(frozen=True)
class Schedule:
    """Orders of one account for many slots and meters under one signature."""

    account: str
    orders: tuple[Order, ...]

    TYPE: ClassVar[StructType] = TYPES["Schedule"]


@dataclass(frozen=True)
class CancelSchedule:
    """Cancels of one account under one signature."""

    account: str
    cancels: tuple[Cancel, ...]

    TYPE: ClassVar[StructType] = TYPES["CancelSchedule"]


def position_reference(market: int, slot: int, meter: int, version: int) -> bytes:
    """The Vault's reference of a meter's position, 32 bytes. Raises FieldOutOfRange."""
    return Cancel(market, slot, meter, version, 0).pack()


def unpack_reference(reference: bytes) -> tuple[int, int, int, int]:
    """(market, slot, meter, version) of a position reference. Raises WordMalformed."""
    cancel = Cancel.unpack(reference)
    if cancel.deadline:
        raise WordMalformed(f"position 0x{reference.hex()}")
    return cancel.market, cancel.slot, cancel.meter, cancel.version
