"""Markets, slots, books, prices and balances as they are answered."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from gridweave.api.fields import Id
from gridweave.api.shapes.base import AccountId, Count, Hash, Micro, NewestBlock, Paged, Shape, Wh

__all__ = ["ArrearsOut", "BalanceOut", "BookOut", "MarketOut", "MarketsOut", "PricesOut", "SlotOut"]

Price = Annotated[Count, Field(description="micro per kWh, net of the grid fee")]


class TermsOut(Shape):
    """One version of a market's terms; windows in seconds."""

    version: Count
    min_price: Annotated[Count, Field(alias="minPriceMicroPerKwh")]
    tick_size: Annotated[Count, Field(alias="tickMicroPerKwh")]
    tick_count: Count
    grid_fee: Annotated[Count, Field(alias="gridFeeMicroPerKwh")]
    feed_in_price: Annotated[Count, Field(alias="feedInPriceMicroPerKwh")]
    retail_price: Annotated[Count, Field(alias="retailPriceMicroPerKwh")]
    min_energy_wh: Wh
    utility: AccountId
    gate_lead: Annotated[Count, Field(alias="gateLeadSeconds")]
    reading_window: Annotated[Count, Field(alias="readingWindowSeconds")]
    correction_window: Annotated[Count, Field(alias="correctionWindowSeconds")]
    operator: AccountId
    default_wh: Wh
    from_slot: Id


class MarketOut(Shape):
    """A market: its newest terms and all versions, oldest first."""

    market: Id
    terms: TermsOut
    versions: list[TermsOut]


class MarketsOut(Shape):
    """Every market."""

    items: list[MarketOut]


class ClearingOut(Shape):
    """What a slot came to. Prices are null where there is none."""

    traded: bool
    price: Annotated[Price | None, Field(alias="priceMicroPerKwh")]
    low: Annotated[Price | None, Field(alias="lowMicroPerKwh")]
    high: Annotated[Price | None, Field(alias="highMicroPerKwh")]
    volume_wh: Wh
    long_side: Literal["bid", "ask"] | None
    shared_wh: Wh
    long_wh: Wh
    transaction: Hash
    block: Count


class CloseOut(Shape):
    """What was left when the slot's last meter was settled for good."""

    bid_dust_wh: Wh
    ask_dust_wh: Wh
    residue_micro: Micro
    transaction: Hash
    block: Count


class SlotOut(Shape):
    """A slot's times in chain seconds, and how far it has come."""

    market: Id
    slot: Id
    status: Literal["open", "gated", "cleared", "closed"]
    final: bool
    gate_at: int
    starts_at: Count
    ends_at: Count
    reading_deadline_at: Count
    correction_ends_at: Count
    clearing: ClearingOut | None
    close: CloseOut | None


class LevelOut(Shape):
    """Energy that stands at one tick."""

    tick: Count
    price: Annotated[Price, Field(alias="priceMicroPerKwh")]
    bid_wh: Wh
    ask_wh: Wh


class BookOut(Shape):
    """Depth of the live orders."""

    market: Id
    slot: Id
    orders: Count
    block_number: NewestBlock
    depth: list[LevelOut]


class PricedSlotOut(ClearingOut):
    """A slot's clearing."""

    slot: Id
    final: bool


class PricesOut(Paged):
    """A page of clearings."""

    items: list[PricedSlotOut]


class _SumsOut(Shape):
    traded_wh: Wh
    import_wh: Wh
    export_wh: Wh
    surplus_wh: Wh
    shortfall_wh: Wh
    without_reading: Count
    utility_micro: Micro
    operator_micro: Micro


class SlotBalanceOut(_SumsOut):
    """Energy and money of one slot."""

    slot: Id
    starts_at: Count
    price: Annotated[Price | None, Field(alias="priceMicroPerKwh")]
    meters: Count
    closed: bool


class BalanceTotalsOut(_SumsOut):
    """The sums of the slots."""


class BalanceOut(Shape):
    """Slots `from`..`to` that have a settlement; `more` is the slot to go on from, else null."""

    market: Id
    first: Annotated[Id, Field(alias="from")]
    to: Id
    more: Id | None
    slots: list[SlotBalanceOut]
    totals: BalanceTotalsOut


class OwedOut(Shape):
    """One party's share."""

    account: AccountId
    amount_micro: Micro


class ArrearsOut(Shape):
    """Who owes the utility, whom it owes, and whether its markets take orders."""

    market: Id
    utility: AccountId
    arrears: list[OwedOut]
    dues: list[OwedOut]
    takes_orders: bool
