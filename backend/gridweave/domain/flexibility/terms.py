"""The rules of a programme, and of what calls its events by itself."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar

from gridweave.domain.eip712 import TYPES, StructType
from gridweave.domain.flexibility.baselines import WHOLE_BPS, Measuring, Method
from gridweave.domain.flexibility.response_errors import ResponseTermsNotAllowed
from gridweave.domain.slots import HORIZON, RING
from gridweave.domain.units import WH_PER_KWH

__all__ = ["BASELINE_DAYS", "MOST_SLOTS", "MOST_TICKS", "ProgrammeTerms", "RuleTerms"]

MOST_TICKS = 64
MOST_SLOTS = 96
"""Of an event."""
BASELINE_DAYS = 10
"""A kWh more on a day raises that many days' baselines by a tenth of it at most."""

_WATT_SECONDS = 3_600


@dataclass(frozen=True)
class ProgrammeTerms:
    """Fields of contracts/types/Programme.sol: prices micro per kWh, leads and windows seconds, shares of 10,000."""

    market: int
    feeder: int
    calendar: int
    up: bool
    firm: bool
    kept_by_operator: bool
    adjusted: bool
    method: int
    window_slots: int
    window_gap: int
    tick_count: int
    floor_bps: int
    late_bps: int
    draw_bps: int
    max_events: int
    min_price: int
    tick_size: int
    shortfall_rate: int
    max_event_slots: int
    max_day_slots: int
    max_season_slots: int
    first_slot: int
    until_slot: int
    notice_lead: int
    payer: str
    opt_out_lead: int
    reading_window: int
    final_after: int

    TYPE: ClassVar[StructType] = TYPES["ProgrammeTerms"]

    @property
    def measuring(self) -> Measuring:
        """What the gauge is asked with."""
        return Measuring(
            Method(self.method),
            self.up,
            self.adjusted,
            self.calendar,
            self.window_slots,
            self.window_gap,
            self.final_after,
        )

    @property
    def highest_price(self) -> int:
        """The grid's last price, micro per kWh."""
        return self.price_at(self.tick_count - 1)

    def price_at(self, tick: int) -> int:
        """Micro per kWh."""
        return self.min_price + tick * self.tick_size

    def silence_cost(self, committed_wh: int) -> int:
        """What a slot costs at most who delivers nothing, in micro."""
        return committed_wh * self.floor_bps // WHOLE_BPS * self.shortfall_rate // WH_PER_KWH

    def late_cost(self, committed_wh: int) -> int:
        """What a slot costs who opted out of it late, in micro."""
        short_wh = committed_wh * self.floor_bps // WHOLE_BPS
        return short_wh * self.shortfall_rate * self.late_bps // WHOLE_BPS // WH_PER_KWH

    def bond(self, committed_wh: int, slots: int) -> int:
        """What silence costs in an event of that many slots, in micro. Nothing in a voluntary programme."""
        return self.silence_cost(committed_wh) * slots if self.firm else 0

    def budget(self, target_w: int, slots: int, slot_length: int) -> int:
        """What an event costs at most, in micro, rounded up. `slot_length` is seconds."""
        watt_seconds = target_w * slot_length * slots
        return -(-watt_seconds * self.highest_price // (_WATT_SECONDS * WH_PER_KWH))

    def validate(self, slot_length: int, hold_length: int, retail_price: int, market_calendar: int = 0) -> None:
        """Raises ResponseTermsNotAllowed naming the first rule broken, in the contract's order and words.

        `market_calendar` is that of the market's programmes so far, 0 if there is none.
        """
        for holds, rule in self._rules(slot_length, hold_length, retail_price, market_calendar):
            if not holds:
                raise ResponseTermsNotAllowed(rule)

    def _rules(
        self, slot_length: int, hold_length: int, retail_price: int, market_calendar: int
    ) -> Iterator[tuple[bool, str]]:
        yield market_calendar in (0, self.calendar), "one calendar per market"
        yield self.calendar != 0, "days are counted by a calendar"
        yield self.method <= max(Method), "method is one of five"
        yield not self.adjusted or self.window_slots > 0, "an adjustment has a window"
        yield self.tick_size > 0 and 0 < self.tick_count <= MOST_TICKS, "prices are 1 to 64 ticks"
        yield self.floor_bps <= WHOLE_BPS, "the floor is at most all"
        yield self.late_bps < WHOLE_BPS, "late costs less than silence"
        yield 0 < self.draw_bps <= WHOLE_BPS, "some events take place"
        yield 0 < self.max_event_slots <= MOST_SLOTS, "an event has 1 to 96 slots"
        yield self.first_slot < self.until_slot, "the season has slots"
        yield 0 < self.opt_out_lead < self.notice_lead, "notice, then gate, then start"
        yield self.reading_window <= self.final_after, "readings are due, then final"
        yield self.final_after >= (RING - HORIZON) * slot_length, "final covers all corrections"
        yield self.final_after <= hold_length, "the Vault holds until final"
        worth = self.highest_price * self.max_events * self.draw_bps
        yield worth <= BASELINE_DAYS * retail_price * WHOLE_BPS, "price x events <= 10 x retail"


@dataclass(frozen=True)
class RuleTerms:
    """Fields of contracts/types/ResponseRule.sol: energy is net import in Wh per slot, `bounty` is micro."""

    programme: int
    meter: int
    above: bool
    threshold_wh: int
    hold: int
    cooldown: int
    max_per_day: int
    max_per_season: int
    lead: int
    slots: int
    target_w: int
    bounty: int
    max_bounties: int

    TYPE: ClassVar[StructType] = TYPES["RuleTerms"]

    def holds(self, net_wh: int) -> bool:
        """Whether net import of a slot is past the threshold."""
        return net_wh > self.threshold_wh if self.above else net_wh < self.threshold_wh
