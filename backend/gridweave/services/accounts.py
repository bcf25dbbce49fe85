"""Accounts: what they hold now, how it moved, and their bills."""

from __future__ import annotations

from typing import Any

from gridweave.domain.delegations import NO_ASKS, NO_BIDS
from gridweave.domain.settlement import default_reading, settle_meter
from gridweave.domain.terms import MarketTerms
from gridweave.domain.units import WH_PER_KWH, floor_div, mul_div_up
from gridweave.services.errors import RequestInvalid
from gridweave.services.world import World
from gridweave.store.reading import Page, Row

__all__ = ["MOST_BILL_SLOTS", "account", "bill", "delegations", "moves"]

MOST_BILL_SLOTS = 3_200
"""Slots that one bill may span: a month of quarter hours and a bit."""


async def account(world: World, address: str) -> dict[str, Any]:
    """Balances as the Vault holds them at the newest indexed block. Raises NodeUnavailable."""
    block = world.heads.number if world.heads.block else None
    balance = await world.contracts.vault.account_of(address, block)
    owes, is_owed = await world.reads.accounts.debts(address)
    return {
        "address": address,
        "availableMicro": balance.available,
        "heldMicro": balance.held,
        "arrearMicro": balance.arrear,
        "withdrawableMicro": balance.withdrawable,
        "bondsMicro": await world.reads.bonds.total_of(address),
        "walletMicro": await world.contracts.currency.balance_of(address, block),
        "permitNonce": await world.contracts.currency.permit_nonce(address, block),
        "owes": [{"to": row["creditor"], "amountMicro": row["owed"]} for row in owes],
        "isOwed": [{"by": row["debtor"], "amountMicro": row["owed"]} for row in is_owed],
        "blockNumber": world.heads.number,
        "chainTime": world.heads.time,
    }


async def delegations(world: World, address: str) -> list[dict[str, Any]]:
    """Who may order for the account within which limits, and for whom it may; `meter` null: all without their own."""
    rows = await world.reads.meters.delegations(address)
    return [_delegation_json(row) for row in rows if row["until"] > world.heads.time]


def _delegation_json(row: Row) -> dict[str, Any]:
    return {
        "account": row["account"],
        "delegate": row["delegate"],
        "meter": row["meter"] or None,
        "market": row["market"] or None,
        "maxEnergyWh": row["max_energy_wh"],
        "lowestAskMicroPerKwh": None if row["lowest_ask"] == NO_ASKS else row["lowest_ask"],
        "highestBidMicroPerKwh": None if row["highest_bid"] == NO_BIDS else row["highest_bid"],
        "until": row["until"],
    }


async def moves(world: World, address: str, cursor: str | None, limit: int) -> Page:
    """An account's moves in chain order. Raises CursorInvalid."""
    return await world.reads.accounts.moves(address, cursor, limit)


async def bill(world: World, address: str, first: int, last: int) -> dict[str, Any]:
    """Every settlement of the account's meters in slots first..last, line by line, with totals.

    `cash = trade - fee + deviation` on every line, in micro: trade is floor(T / 1000), the fee is rounded up, the
    deviation is what the contract's one rounding leaves. `withoutMarketMicro` is what feed-in and retail alone would
    have come to for the same reading. Raises RequestInvalid.
    """
    if not 0 <= first <= last < first + MOST_BILL_SLOTS:
        message = f"a bill spans 1 to {MOST_BILL_SLOTS} slots"
        raise RequestInvalid("SpanNotAllowed", message, {"from": first, "to": last})
    rows = await world.reads.accounts.lines(address, first, last)
    prices: dict[tuple[int, int], int | None] = {}
    for market in {row["market"] for row in rows}:
        slots = sorted({row["slot"] for row in rows if row["market"] == market})
        found = await world.reads.markets.clearings(market, slots)
        prices |= {(market, slot): clearing["price"] for slot, clearing in found.items()}
    lines = [await _line(world, row, prices.get((row["market"], row["slot"]))) for row in rows]
    return {"account": address, "from": first, "to": last, "lines": lines, "totals": _totals(lines)}


async def _line(world: World, row: Row, price: int | None) -> dict[str, Any]:
    terms = await world.terms.at(row["market"], row["slot"])
    if terms is None:
        raise LookupError(f"settlement without a market: {row['market']}")
    bought, sold = row["bought_wh"], row["sold_wh"]
    import_wh, export_wh = paid_energy(terms, row)
    cash = settle_meter(terms, price or 0, bought, sold, import_wh, export_wh)
    trade, fee = floor_div(cash.trade, WH_PER_KWH), mul_div_up(cash.fee, 1, WH_PER_KWH)
    return {
        "meter": row["meter"],
        "market": row["market"],
        "slot": row["slot"],
        "startsAt": world.clock.start(row["slot"]),
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
        "readingVersion": row["reading_version"],
        "transaction": row["tx_hash"],
        "block": row["block_number"],
        "final": world.heads.is_final(row["block_number"]),
    }


def paid_energy(terms: MarketTerms, row: Row) -> tuple[int, int]:
    """(import, export) that was paid, Wh."""
    if row["reading_version"] == 0 or row["import_wh"] is None:
        return default_reading(terms, row["bought_wh"])
    return row["import_wh"], row["export_wh"]


def _without_market(terms: MarketTerms, import_wh: int, export_wh: int) -> int:
    return floor_div(terms.feed_in_price * export_wh - terms.retail_price * import_wh, WH_PER_KWH)


def _totals(lines: list[dict[str, Any]]) -> dict[str, Any]:
    names = ("boughtWh", "soldWh", "importWh", "exportWh", "tradeMicro", "feeMicro", "deviationMicro", "cashMicro")
    totals = {name: sum(line[name] for line in lines) for name in (*names, "withoutMarketMicro")}
    gain = totals["cashMicro"] - totals["withoutMarketMicro"]
    return totals | {"gainMicro": gain, "lines": len(lines), "final": all(line["final"] for line in lines)}
