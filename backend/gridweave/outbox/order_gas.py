"""What a call that places orders may take. The words of storage that it is the first to write decide it, so they are
counted: an order costs about 50,000 gas, and up to three words more if its slot and its part of the ladder are new.
"""

from __future__ import annotations

from collections.abc import Hashable, Sequence

from gridweave.chain.hexes import from_hex
from gridweave.domain.orders import Order
from gridweave.store.records import Item

__all__ = ["gas_of_orders"]

_CALL = 150_000
"""Of every call: it took 91,000 on books that nobody has written, terms and the Vault's own words included."""
_ORDER = 55_000
"""Of every order: it took 50,000, its position's fresh word and its collateral included."""
_WALLET = 105_000
"""Of an order that another key signed: if that has lost the right to, the account's wallet is asked, for so much."""
_WORD = 22_200
"""A word that nobody has written before."""
_LEAF, _SUM = 8, 256
"""Ticks whose energy shares a word of the ladder, and ticks whose sums do."""


def gas_of_orders(items: Sequence[Item]) -> int:
    """The most gas that a call with these orders takes.

    Their payloads say at which `tick` each stands, and whether the account's `ownKey` signed it; what they do not say
    counts as the dearest: a tick alone, another's key.
    """
    words: set[Hashable] = set()
    for item in items:
        order = Order.unpack(from_hex(item.payload["word"]))
        slot = order.market, order.slot
        tick = item.payload.get("tick", _LEAF * order.limit_price)
        words |= {slot, (slot, order.side, "leaf", tick // _LEAF), (slot, order.side, "sum", tick // _SUM)}
    asked = sum(not item.payload.get("ownKey") for item in items)
    return _CALL + _ORDER * len(items) + _WALLET * asked + _WORD * len(words)
