"""What goes wrong on a day."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["Mishaps"]


@dataclass(frozen=True)
class Mishaps:
    """By place of the home and slot of the day: the same every day. None: it does not happen.

    `poor` runs out of money and pays in `pays_after` slots after its first refusal; after slot `reorganised_after` the
    chain throws out what it just took; in slot `overreached` an aggregator bids beyond its delegation.
    """

    cut_off: int = 5
    cut_off_slots: range = range(38, 52)
    silent: int = 3
    silent_slots: range = range(56, 59)
    misread: frozenset[tuple[int, int]] = frozenset({(0, 30), (4, 41), (8, 47), (9, 62), (11, 70)})
    misread_twice: frozenset[tuple[int, int]] = frozenset({(9, 62)})
    noticed_after_slots: int = 6
    replace_percent: int = 18
    cancel_percent: int = 4
    poor: int | None = None
    pays_after: int = 6
    reorganised_after: int | None = None
    overreached: int | None = None
