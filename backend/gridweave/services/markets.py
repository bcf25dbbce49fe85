"""What can be asked about markets, slots, books and prices."""

from __future__ import annotations

from collections import defaultdict
from typing import Any

from gridweave.domain.orders import Side
from gridweave.domain.slots import HORIZON
from gridweave.domain.terms import MarketTerms
from gridweave.services.errors import NotFound
from gridweave.services.world import World
from gridweave.store.reading import Page, Row

__all__ = ["all_terms", "book", "clearing_json", "prices", "slot_state", "terms_of"]


async def all_terms(world: World) -> dict[int, list[MarketTerms]]:
    """Every market's terms, oldest version first."""
    return await world.terms.versions()


async def terms_of(world: World, market: int, slot: int | None = None) -> MarketTerms:
    """The terms in force in a slot, by default the current one. Raises NotFound."""
    at = world.clock.slot_at(world.heads.time) if slot is None else slot
    terms = await world.terms.at(market, at)
    if terms is None:
        raise NotFound("UnknownMarket", "no such market; see GET /v1/markets", {"market": market})
    return terms


async def slot_state(world: World, market: int, slot: int) -> dict[str, Any]:
    """{status, gateAt, startsAt, ..., clearing, close}. Status: open, gated, cleared or closed. Raises NotFound."""
    terms = await terms_of(world, market, slot)
    clearing = await world.reads.markets.clearing(market, slot)
    close = await world.reads.markets.close(market, slot)
    status = "closed" if close else "cleared" if clearing else _before_clearing(world, terms, slot)
    newest = close or clearing
    return {
        "market": market,
        "slot": slot,
        "status": status,
        "final": world.heads.is_final(newest["block_number"]) if newest else False,
        "gateAt": terms.gate(slot, world.clock),
        "startsAt": world.clock.start(slot),
        "endsAt": world.clock.end(slot),
        "readingDeadlineAt": terms.reading_deadline(slot, world.clock),
        "correctionEndsAt": terms.correction_end(slot, world.clock),
        "clearing": None if clearing is None else clearing_json(clearing),
        "close": None if close is None else _close_json(close),
    }


async def book(world: World, market: int, slot: int) -> dict[str, Any]:
    """Depth per tick of the live orders: price net of the fee, Wh of bids and asks; ticks with energy only."""
    terms = await terms_of(world, market, slot)
    depth: dict[int, dict[str, int]] = defaultdict(lambda: {"bidWh": 0, "askWh": 0})
    live = await world.reads.orders.live(market, slot)
    for row in live:
        side = Side(row["side"])
        name = "bidWh" if side is Side.BID else "askWh"
        depth[terms.tick(side, row["limit_price"])][name] += row["energy_wh"]
    levels = [{"tick": tick, "priceMicroPerKwh": terms.tick_price(tick), **depth[tick]} for tick in sorted(depth)]
    return {"market": market, "slot": slot, "orders": len(live), "blockNumber": world.heads.number, "depth": levels}


async def prices(
    world: World, market: int, first: int | None, last: int | None, cursor: str | None, limit: int
) -> Page:
    """Clearings of slots first..last. By default the last 96 slots and what is cleared ahead. Raises CursorInvalid."""
    now = world.clock.slot_at(world.heads.time)
    start = now - 96 if first is None else first
    end = now + HORIZON if last is None else last
    await terms_of(world, market)
    return await world.reads.markets.prices(market, max(0, start), end, cursor, limit)


def clearing_json(row: Row) -> dict[str, Any]:
    """A clearing as the API shows it; prices net of the fee, null where there is none."""
    return {
        "traded": row["traded"],
        "priceMicroPerKwh": row["price"],
        "lowMicroPerKwh": row["low"],
        "highMicroPerKwh": row["high"],
        "volumeWh": row["volume_wh"],
        "longSide": Side(row["long_side"]).label if row["long_side"] else None,
        "sharedWh": row["shared_wh"],
        "longWh": row["long_wh"],
        "transaction": row["tx_hash"],
        "block": row["block_number"],
    }


def _before_clearing(world: World, terms: MarketTerms, slot: int) -> str:
    return "open" if world.heads.time < terms.gate(slot, world.clock) else "gated"


def _close_json(row: Row) -> dict[str, Any]:
    return {
        "bidDustWh": row["bid_dust_wh"],
        "askDustWh": row["ask_dust_wh"],
        "residueMicro": row["residue"],
        "transaction": row["tx_hash"],
        "block": row["block_number"],
    }
