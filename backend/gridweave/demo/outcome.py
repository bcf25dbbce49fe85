"""What one lived day came to. Plain numbers, read back through the API: nothing here decides anything.

Energy is whole Wh, money and prices (per kWh) are millionths of the currency, signed where they can fall below zero.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from gridweave.demo.moments import Moment

__all__ = ["AuditSummary", "Fact", "GasUse", "GroupOutcome", "HomeOutcome", "Outcome", "SlotOutcome", "WalkStep"]

_IN_OTHER_WORDS = {"fills": "settled quantities"}


@dataclass(frozen=True)
class SlotOutcome:
    """One quarter hour: `index` within the day, `label` its local start. Prices are net of the grid fee."""

    index: int
    slot: int
    label: str
    price_micro: int | None
    low_micro: int | None
    high_micro: int | None
    volume_wh: int
    import_wh: int
    export_wh: int
    local_wh: int
    """What homes drew and had bought from neighbours: the sum of min(bought, import)."""


@dataclass(frozen=True)
class HomeOutcome:
    """One home's day. `bill_micro` is what its account gained (negative: paid) by trade, fee and deviation.
    `baseline_micro` is the same day at feed-in and retail prices alone."""

    name: str
    meter: int
    account: str
    key_kind: str
    has_pv: bool
    import_wh: int
    export_wh: int
    bought_wh: int
    sold_wh: int
    bill_micro: int
    baseline_micro: int
    group: str = ""
    """What the home has, in a word or two; empty where homes are not told apart."""

    @property
    def gained_micro(self) -> int:
        return self.bill_micro - self.baseline_micro


@dataclass(frozen=True)
class GroupOutcome:
    """Homes that have the same."""

    name: str
    homes: tuple[HomeOutcome, ...]

    @property
    def import_wh(self) -> int:
        return sum(home.import_wh for home in self.homes)

    @property
    def export_wh(self) -> int:
        return sum(home.export_wh for home in self.homes)

    @property
    def bill_micro(self) -> int:
        return sum(home.bill_micro for home in self.homes)

    @property
    def baseline_micro(self) -> int:
        return sum(home.baseline_micro for home in self.homes)

    @property
    def gained_micro(self) -> int:
        return self.bill_micro - self.baseline_micro

    @property
    def gained_each_micro(self) -> int:
        return self.gained_micro // len(self.homes)


@dataclass(frozen=True)
class Fact:
    """One line of a walk step: `code` says that the value is a hash, an address or a number to be copied."""

    label: str
    value: str
    code: bool = False


@dataclass(frozen=True)
class WalkStep:
    """One station on the way from a payment back to the maker of the device that measured it."""

    title: str
    sentence: str
    facts: tuple[Fact, ...]


@dataclass(frozen=True)
class GasUse:
    """Mean gas per item, and of how many items."""

    items: int
    gas: int

    @property
    def each(self) -> int:
        return self.gas // self.items if self.items else 0


@dataclass(frozen=True)
class AuditSummary:
    """What the audit recomputed, by name, and how many of it differed."""

    recomputed: dict[str, int]
    differences: int

    @property
    def told(self) -> dict[str, int]:
        """`recomputed` in the words of the table and the report."""
        return {_IN_OTHER_WORDS.get(name, name): count for name, count in self.recomputed.items()}


@dataclass(frozen=True)
class Outcome:
    """Everything that the table and the report show."""

    day: str
    source: str
    attribution: str
    licence: str
    chain_id: int
    feed_in_micro: int
    retail_micro: int
    fee_micro: int
    slots: tuple[SlotOutcome, ...]
    homes: tuple[HomeOutcome, ...]
    gas: dict[str, GasUse]
    lived: dict[str, int]
    """How often each path was taken: orders placed, replaced, cancelled, readings late, corrected, ..."""
    audit: AuditSummary | None
    walk: tuple[WalkStep, ...]
    wall_seconds: int
    strategy: str
    seed: int
    phases: dict[str, int] = field(default_factory=dict)
    """Wall time in milliseconds, phase by phase."""
    place: str = "street"
    """What the homes make together, in a word."""
    grid: str = ""
    moments: tuple[Moment, ...] = ()
    strategies: tuple[str, ...] = ()
    """Of batteries and flexible loads, a sentence each."""
    stored_wh: tuple[int, ...] = ()
    """What all batteries held together at the end of each slot; empty without batteries."""
    storage_wh: int = 0
    """What they can hold."""

    @property
    def demand_wh(self) -> int:
        return sum(slot.import_wh for slot in self.slots)

    @property
    def bought_wh(self) -> int:
        """What the homes' bids were filled with, drawn afterwards or not."""
        return sum(home.bought_wh for home in self.homes)

    @property
    def supply_wh(self) -> int:
        return sum(slot.export_wh for slot in self.slots)

    @property
    def local_supply_permille(self) -> int:
        """How much of what homes gave their neighbours drew and had bought."""
        return self.local_wh * 1000 // self.supply_wh if self.supply_wh else 0

    @property
    def groups(self) -> tuple[GroupOutcome, ...]:
        """Homes by group, in the order of the greatest gain each; none where homes are not told apart."""
        names = dict.fromkeys(home.group for home in self.homes if home.group)
        found = [GroupOutcome(name, tuple(home for home in self.homes if home.group == name)) for name in names]
        return tuple(sorted(found, key=lambda group: group.gained_each_micro, reverse=True))

    @property
    def ceiling_micro(self) -> int:
        """Nobody bids more net of the fee: the utility charges no more."""
        return self.retail_micro - self.fee_micro

    @property
    def wide_slots(self) -> int:
        """How many slots had more than one price that balances."""
        return sum(
            slot.low_micro < slot.high_micro
            for slot in self.slots
            if slot.price_micro is not None and slot.low_micro is not None and slot.high_micro is not None
        )

    @property
    def local_wh(self) -> int:
        return sum(slot.local_wh for slot in self.slots)

    @property
    def reachable_wh(self) -> int:
        """What neighbours could have served at best: the sum of min(import, export) over the slots."""
        return sum(min(slot.import_wh, slot.export_wh) for slot in self.slots)

    @property
    def local_share_permille(self) -> int:
        return self.local_wh * 1000 // self.demand_wh if self.demand_wh else 0

    @property
    def mean_price_micro(self) -> int | None:
        """Weighted by volume; None on a day without trade."""
        volume = sum(slot.volume_wh for slot in self.slots)
        if not volume:
            return None
        return sum((slot.price_micro or 0) * slot.volume_wh for slot in self.slots) // volume

    @property
    def gained_micro(self) -> int:
        return sum(home.gained_micro for home in self.homes)
