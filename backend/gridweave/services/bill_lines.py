"""The lines of bills: what one meter's slot came to, and where it was paid."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any
from zoneinfo import ZoneInfo

from gridweave.domain.calendar import local_day, local_time
from gridweave.domain.settlement import default_reading, settle_meter
from gridweave.domain.terms import MarketTerms
from gridweave.domain.units import WH_PER_KWH, floor_div, mul_div_up
from gridweave.services.world import World
from gridweave.store.reading import Row

__all__ = ["LINE_FIELDS", "Line", "each_line", "paid_energy"]

Line = dict[str, Any]

LINE_FIELDS = (
    "meter",
    "market",
    "slot",
    "startsAt",
    "date",
    "localStart",
    "boughtWh",
    "soldWh",
    "importWh",
    "exportWh",
    "deviationWh",
    "priceMicroPerKwh",
    "tradeMicro",
    "feeMicro",
    "deviationMicro",
    "cashMicro",
    "withoutMarketMicro",
    "readingVersion",
    "settlements",
    "correctionMicro",
    "transaction",
    "block",
    "logIndex",
    "final",
    "changesUntil",
    "proof",
)
"""Every field of a line, in the order in which tables show them."""

_AT_ONCE = 1_000


async def each_line(
    world: World, account: str, slots: range, zone: ZoneInfo, meters: int, after: tuple[int, int] = (-1, -1)
) -> AsyncIterator[Line]:
    """The account's lines by slot and meter, behind the line (slot, meter) `after`; about a thousand are read at once.

    `cash = trade - fee + deviation` on every line, in micro: trade is floor(T / 1000), the fee is rounded up, the
    deviation is what the contract's one rounding leaves. `withoutMarketMicro` is what feed-in and retail alone would
    have come to for the same reading. `changesUntil` is when the slot's correction window ends, null once it has.
    """
    step = max(1, _AT_ONCE // max(1, meters))
    for first in range(max(slots.start, after[0]), slots.stop, step):
        rows = await world.reads.accounts.lines(account, first, min(first + step, slots.stop) - 1)
        prices = await _prices(world, rows)
        for row in rows:
            if (row["slot"], row["meter"]) > after:
                yield await _line(world, row, prices.get((row["market"], row["slot"])), zone)


async def _prices(world: World, rows: list[Row]) -> dict[tuple[int, int], int | None]:
    prices: dict[tuple[int, int], int | None] = {}
    for market in {row["market"] for row in rows}:
        slots = sorted({row["slot"] for row in rows if row["market"] == market})
        found = await world.reads.markets.clearings(market, slots)
        prices |= {(market, slot): clearing["price"] for slot, clearing in found.items()}
    return prices


async def _line(world: World, row: Row, price: int | None, zone: ZoneInfo) -> Line:
    terms = await world.terms.at(row["market"], row["slot"])
    if terms is None:
        raise LookupError(f"settlement without a market: {row['market']}")
    starts_at, slot = world.clock.start(row["slot"]), row["slot"]
    changes_until = terms.correction_end(slot, world.clock)
    return {
        "meter": row["meter"],
        "market": row["market"],
        "slot": slot,
        "startsAt": starts_at,
        "date": local_day(starts_at, zone).isoformat(),
        "localStart": local_time(starts_at, zone).isoformat(timespec="minutes" if starts_at % 60 == 0 else "seconds"),
        **_amounts(terms, row, price),
        "readingVersion": row["reading_version"],
        "settlements": row["times"],
        "correctionMicro": row["cash"] - row["first_cash"],
        "transaction": row["tx_hash"],
        "block": row["block_number"],
        "logIndex": row["log_index"],
        "final": world.heads.is_final(row["block_number"]),
        "changesUntil": changes_until if world.heads.time < changes_until else None,
        "proof": f"gridweave prove payment {row['meter']}:{slot}",
    }


def _amounts(terms: MarketTerms, row: Row, price: int | None) -> dict[str, Any]:
    bought, sold = row["bought_wh"], row["sold_wh"]
    import_wh, export_wh = paid_energy(terms, row)
    cash = settle_meter(terms, price or 0, bought, sold, import_wh, export_wh)
    trade, fee = floor_div(cash.trade, WH_PER_KWH), mul_div_up(cash.fee, 1, WH_PER_KWH)
    return {
        "boughtWh": bought,
        "soldWh": sold,
        "importWh": import_wh,
        "exportWh": export_wh,
        "deviationWh": export_wh - import_wh - (sold - bought),
        "priceMicroPerKwh": price,
        "tradeMicro": trade,
        "feeMicro": fee,
        "deviationMicro": row["cash"] - trade + fee,
        "cashMicro": row["cash"],
        "withoutMarketMicro": _without_market(terms, import_wh, export_wh),
    }


def paid_energy(terms: MarketTerms, row: Row) -> tuple[int, int]:
    """(import, export) that was paid, Wh."""
    if row["reading_version"] == 0 or row["import_wh"] is None:
        return default_reading(terms, row["bought_wh"])
    return row["import_wh"], row["export_wh"]


def _without_market(terms: MarketTerms, import_wh: int, export_wh: int) -> int:
    return floor_div(terms.feed_in_price * export_wh - terms.retail_price * import_wh, WH_PER_KWH)
