"""Events as they are answered."""

from __future__ import annotations

from typing import Any

from gridweave.api.shapes.base import AccountId, Count, Hash, Paged, Shape

__all__ = ["HistoryOut"]


class EventOut(Shape):
    """One event where it stands. Numbers above 2**53 in `args` are decimal texts."""

    block: Count
    block_hash: Hash
    log_index: Count
    transaction: Hash
    time: Count
    final: bool
    contract: str
    address: AccountId
    event: str
    args: dict[str, Any]


class HistoryOut(Paged):
    """Events in chain order; a page may be short, only null is the end."""

    items: list[EventOut]
