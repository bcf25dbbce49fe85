"""Answers of a moment ago, for those who poll: kept until anything is written here, and a second at most.

All writing goes through this process, unless another took over (ADR 0019): then what is read here is a second old.
"""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable, Hashable

__all__ = ["Shelf"]

_MOST = 2_000
_KEEPS_S = 1.0


class Shelf:
    """Bytes by key."""

    def __init__(self) -> None:
        self._kept: dict[Hashable, tuple[float, bytes]] = {}
        self._written = 0

    async def get(self, key: Hashable, make: Callable[[], Awaitable[bytes]]) -> bytes:
        """What is kept under the key, or what `make` returns now."""
        now = time.monotonic()
        found = self._kept.get(key)
        if found is not None and now < found[0]:
            return found[1]
        written = self._written
        made = await make()
        if written == self._written:  # else it may show what was before
            if len(self._kept) >= _MOST:
                self._kept.clear()
            self._kept[key] = (now + _KEEPS_S, made)
        return made

    def forget(self) -> None:
        """Something was written."""
        self._written += 1
        self._kept.clear()
