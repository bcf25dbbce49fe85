"""The words that contracts take, as what they say: the audit reads each as the contract does, malformed ones too."""

from __future__ import annotations

from dataclasses import replace

from gridweave.domain.orders import Cancel, Order, Side
from gridweave.domain.readings import Reading

__all__ = ["CANCEL_BYTES", "SIDE_AT", "cancel_of", "order_of", "reading_of"]

SIDE_AT = 19  # byte of an order word
CANCEL_BYTES = 19
_READING_BYTES = 17


def order_of(word: bytes) -> Order:
    """The order of a word, whatever stands where its side should."""
    side = word[SIDE_AT]
    if side in (Side.BID, Side.ASK):
        return Order.unpack(word)
    bid = Order.unpack(word[:SIDE_AT] + bytes([Side.BID]) + word[SIDE_AT + 1 :])
    return replace(bid, side=side)  # type: ignore[arg-type]


def cancel_of(word: bytes) -> Cancel:
    """The cancel of a word, whatever stands in the bits that nobody signs."""
    return Cancel.unpack(word[:CANCEL_BYTES].ljust(32, b"\0"))


def reading_of(word: bytes) -> Reading:
    """The reading of a word, whatever stands in the bits that nobody signs."""
    return Reading.unpack(word[:_READING_BYTES].ljust(32, b"\0"))
