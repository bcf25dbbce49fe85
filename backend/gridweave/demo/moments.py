"""What happened on a day that is worth telling, as it happened."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["Diary", "Moment"]


@dataclass(frozen=True)
class Moment:
    """`slot` of the day in which it happened; `kind` is one word: schedule, delegate, late, silent, correction, ..."""

    slot: int
    kind: str
    text: str


class Diary:
    """Moments in the order in which they happened; a kind about the same home is told once."""

    def __init__(self) -> None:
        self.moments: list[Moment] = []
        self._told: set[tuple[str, str]] = set()

    def tell(self, slot: int, kind: str, text: str) -> None:
        self.moments.append(Moment(slot, kind, text))

    def tell_once(self, slot: int, kind: str, about: str, text: str) -> None:
        """As `tell`, unless that was told of `about` already."""
        if (kind, about) not in self._told:
            self._told.add((kind, about))
            self.tell(slot, kind, text)
