"""Packing of fields into one 32-byte word, most significant bits first, as contracts/types lays them out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

from gridweave.domain.errors import FieldOutOfRange, WordMalformed


@dataclass(frozen=True)
class WordLayout:
    """Fields of a word as (name, bits), most significant first; what remains of 256 bits is zero."""

    name: str
    fields: tuple[tuple[str, int], ...]

    def pack(self, values: Sequence[int]) -> bytes:
        """The word, 32 bytes. Raises FieldOutOfRange."""
        word = 0
        for (name, shift, mask), value in zip(self.places, values, strict=True):
            if not 0 <= value <= mask:
                raise FieldOutOfRange(name, f"uint{mask.bit_length()}", str(value))
            word |= value << shift
        return word.to_bytes(32, "big")

    def unpack(self, word: bytes) -> list[int]:
        """The fields' values. Raises WordMalformed for another length or bits in the zero part."""
        number = int.from_bytes(word, "big")
        if len(word) != 32 or number & ((1 << self.places[-1][1]) - 1):
            raise WordMalformed(f"{self.name} 0x{word.hex()}")
        return [number >> shift & mask for _, shift, mask in self.places]

    @cached_property
    def places(self) -> tuple[tuple[str, int, int], ...]:
        """Each field as (name, how far its bits lie from the right, mask), to read many words quickly."""
        at, found = 256, []
        for name, bits in self.fields:
            at -= bits
            found.append((name, at, (1 << bits) - 1))
        return tuple(found)
