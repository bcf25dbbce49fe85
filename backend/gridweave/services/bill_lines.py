"""The lines of bills: what one meter's slot came to, and where it was paid."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any
from zoneinfo import ZoneInfo

from gridweave.domain.billing import line_amounts, line_moment, proof_of
from gridweave.domain.settlement import default_reading
from gridweave.domain.terms import MarketTerms
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

    `changesUntil` is when the slot's correction window ends, null once it has.
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
    slot, traded = row["slot"], (row["bought_wh"], row["sold_wh"])
    changes_until = terms.correction_end(slot, world.clock)
    return {
        "meter": row["meter"],
        "market": row["market"],
        "slot": slot,
        **line_moment(world.clock.start(slot), zone),
        **line_amounts(terms, price, traded, paid_energy(terms, row), row["cash"]),
        "readingVersion": row["reading_version"],
        "settlements": row["times"],
        "correctionMicro": row["cash"] - row["first_cash"],
        "transaction": row["tx_hash"],
        "block": row["block_number"],
        "logIndex": row["log_index"],
        "final": world.heads.is_final(row["block_number"]),
        "changesUntil": changes_until if world.heads.time < changes_until else None,
        "proof": proof_of(row["meter"], slot),
    }


def paid_energy(terms: MarketTerms, row: Row) -> tuple[int, int]:
    """(import, export) that was paid, Wh."""
    if row["reading_version"] == 0 or row["import_wh"] is None:
        return default_reading(terms, row["bought_wh"])
    return row["import_wh"], row["export_wh"]
