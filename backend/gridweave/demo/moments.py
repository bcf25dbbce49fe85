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


def at_once(homes: int, lines: int) -> str:
    who = "One home signs its" if homes == 1 else f"{homes} homes sign their"
    return f"{who} whole day at once: {lines:,} orders, a signature a home."


def delegated(name: str) -> str:
    return f"An aggregator's key orders for {name} and other batteries, within the limits that their owners signed."


def overreached(name: str, error: str) -> str:
    return f"The aggregator's key bids for {name} above what its owner allowed, and is refused ({error})."


def no_money(name: str, error: str) -> str:
    return f"{name} runs out of money: its new orders are refused ({error})."


def paid_in(name: str, owed_micro: int, paid_micro: int) -> str:
    """Amounts in micro."""
    owed, paid = _money(owed_micro), _money(paid_micro)
    return f"{name} pays in {paid}, of which {owed} settles its arrear, and trades again."


def late(name: str, readings: int) -> str:
    return (
        f"{name}'s meter was cut off for hours and sends what it kept. {readings} readings come after their deadline "
        "and mend what silence had been charged."
    )


def silent(name: str) -> str:
    return f"{name}'s meter stays silent; the market's rule says what that costs."


def corrected(name: str, versions: int) -> str:
    times = "once" if versions == 1 else "twice"
    return f"{name}'s meter had read a tenth too little and corrects itself {times}; the difference is settled."


def reorganised(blocks: int, acknowledged: int, lost: int) -> str:
    kept = "all of it is back, nothing is lost" if not lost else f"{lost} come too late"
    what = f"{blocks} blocks with {acknowledged} acknowledged orders and readings"
    return f"The chain throws out {what}. The service sends them again: {kept}."


def _money(micro: int) -> str:
    return f"{micro // 1_000_000}.{micro % 1_000_000 // 10_000:02d}"
