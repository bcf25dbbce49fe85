"""How many may do at once what holds a connection for long."""

from __future__ import annotations

from collections.abc import Callable

from gridweave.services.errors import ServiceError

__all__ = ["Places"]


class Places:
    """How many may read at once; one more is refused by `refusal`."""

    def __init__(self, most: int, refusal: Callable[[int], ServiceError]) -> None:
        self._most = most
        self._refusal = refusal
        self._taken = 0

    @property
    def taken(self) -> int:
        """How many read now."""
        return self._taken

    def enter(self) -> None:
        """Takes a place. Raises the refusal."""
        if self._taken >= self._most:
            raise self._refusal(self._most)
        self._taken += 1

    def leave(self) -> None:
        """Gives it back."""
        self._taken -= 1
