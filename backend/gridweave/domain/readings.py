"""Interval readings: what a meter's device signs for one slot, one word on chain."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from gridweave.domain.eip712 import TYPES, StructType, struct_hash
from gridweave.domain.words import WordLayout

LAST_VERSION = 3
"""Versions run from 1, the first reading, over two corrections; 0 says that there is none."""

READING_WORD = WordLayout("Reading", (("meter", 32), ("slot", 32), ("version", 8), ("importWh", 32), ("exportWh", 32)))


@dataclass(frozen=True)
class Reading:
    """What the meter counted in the slot, in Wh each way. `version` runs from 1 to LAST_VERSION."""

    meter: int
    slot: int
    version: int
    import_wh: int
    export_wh: int

    TYPE: ClassVar[StructType] = TYPES["Reading"]

    def pack(self) -> bytes:
        """The reading's word, 32 bytes. Raises FieldOutOfRange."""
        return READING_WORD.pack((self.meter, self.slot, self.version, self.import_wh, self.export_wh))

    @classmethod
    def unpack(cls, word: bytes) -> Reading:
        """The reading of a word. Raises WordMalformed."""
        return cls(*READING_WORD.unpack(word))

    def struct_hash(self) -> bytes:
        """EIP-712 hashStruct, 32 bytes. Raises FieldOutOfRange."""
        return struct_hash(self)
