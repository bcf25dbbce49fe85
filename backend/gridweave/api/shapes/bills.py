"""Bills as they are answered in JSON."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from gridweave.api.fields import Id
from gridweave.api.shapes.base import AccountId, Count, Cursor, Hash, Micro, NewestBlock, Paged, Shape, Wh

__all__ = ["BillLinesOut", "BillOut"]

_First = Annotated[Id, Field(alias="from")]
_Date = Annotated[str, Field(json_schema_extra={"format": "date"}, description="a day of the bill's zone")]
_Local = Annotated[str, Field(description="the zone's clock, with its offset from UTC")]


class _AmountsOut(Shape):
    """`cashMicro = tradeMicro - feeMicro + deviationMicro`, each a gain of the account but for the fee."""

    bought_wh: Wh
    sold_wh: Wh
    import_wh: Wh
    export_wh: Wh
    trade_micro: Micro
    fee_micro: Micro
    deviation_micro: Micro
    cash_micro: Micro
    without_market_micro: Micro
    correction_micro: Micro


class BillLineOut(_AmountsOut):
    """One meter in one slot, as its newest settlement paid it."""

    meter: Id
    market: Id
    slot: Id
    starts_at: Count
    date: _Date
    local_start: _Local
    deviation_wh: int
    price: Annotated[Count | None, Field(alias="priceMicroPerKwh", description="net of the fee; null without a trade")]
    reading_version: Annotated[Count, Field(description="0: settled without a reading")]
    settlements: Annotated[int, Field(ge=1, description="how often the slot was settled")]
    transaction: Hash
    block: Count
    log_index: Count
    final: bool
    changes_until: Annotated[Count | None, Field(description="end of the correction window, null once it is over")]
    proof: Annotated[str, Field(description="the command that walks the line back from the chain alone")]


class BillSumsOut(_AmountsOut):
    """The sums of lines. `gainMicro` is over feed-in and retail alone, `silenceMicro` what missing readings cost."""

    gain_micro: Micro
    silence_micro: Micro
    lines: Count
    silent_lines: Count
    corrected_lines: Count
    open_lines: Count
    final: bool


class BillMeterOut(BillSumsOut):
    """The sums of a meter's lines."""

    meter: Id


class BillDayOut(BillSumsOut):
    """The sums of a day's lines; `slots` says how many slots the day has: 92, 96 or 100 quarter hours in most zones."""

    date: _Date
    first: _First
    to: Annotated[int, Field(ge=-1, lt=2**32)]
    slots: Count


class BillPeriodOut(Shape):
    """What is billed, and as of which block. Seconds of chain time, `endsAt` left out."""

    name: str
    zone: str
    days: Count
    slots: Count
    slot_length: Count
    starts_at: int
    ends_at: int
    local_start: _Local
    local_end: _Local
    is_over: bool
    chain_time: Count
    block_number: NewestBlock


class StandingOut(Shape):
    """What an account held at a moment: `netMicro = availableMicro - owesMicro + isOwedMicro`."""

    available_micro: Micro
    owes_micro: Micro
    is_owed_micro: Micro
    net_micro: Micro
    locked_micro: Annotated[Micro, Field(description="collateral of orders not settled by then, besides the net")]


class MovedOut(Shape):
    """What moved in the period, by kind, each a gain of the account."""

    deposits_micro: Micro
    withdrawals_micro: Micro
    collateral_locked_micro: Micro
    collateral_returned_micro: Micro
    settled_micro: Micro
    as_utility_micro: Micro
    balanced_micro: Micro
    bonds_micro: Micro
    compensation_micro: Micro


class StatementOut(Shape):
    """`opening net + the moves = closing net`, to the unit where `addsUp`."""

    opening: StandingOut
    moves: MovedOut
    closing: StandingOut
    adds_up: bool


class BillOut(Shape):
    """An account's bill of the slots `from`..`to`."""

    account: AccountId
    first: _First
    to: Annotated[int, Field(ge=-1, lt=2**32)]
    period: BillPeriodOut
    totals: BillSumsOut
    statement: StatementOut
    meters: list[BillMeterOut]
    days: list[BillDayOut]
    lines: list[BillLineOut]
    next_cursor: Cursor


class BillLinesOut(Paged):
    """A page of a bill's lines, by slot and meter."""

    items: list[BillLineOut]
