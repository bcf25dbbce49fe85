"""What an operator and a utility ask of a market: energy and money slot by slot, and who owes whom."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from gridweave.domain.settlement import settle_dust, settle_meter
from gridweave.domain.slots import SlotClock
from gridweave.domain.terms import MarketTerms
from gridweave.services.bill_lines import paid_energy
from gridweave.services.errors import RequestInvalid
from gridweave.services.markets import terms_of
from gridweave.services.terms import in_force
from gridweave.services.world import World
from gridweave.store.reading import Row

__all__ = ["MOST_BALANCE_LINES", "MOST_BALANCE_SLOTS", "arrears", "balance"]

MOST_BALANCE_SLOTS = 400
"""Slots of one balance: four days of quarter hours and a bit."""

MOST_BALANCE_LINES = 10_000
"""Settlements of one answer, a meter's in a slot: a fifth of a second's work. A slot with more is answered alone."""

_SUMS = (
    "tradedWh",
    "importWh",
    "exportWh",
    "surplusWh",
    "shortfallWh",
    "withoutReading",
    "utilityMicro",
    "operatorMicro",
)


async def balance(world: World, market: int, first: int, last: int) -> dict[str, Any]:
    """Slots first..last of a market, those with a settlement: energy traded, metered and deviated, and whose money.

    `surplusWh` is what meters gave beyond their trades, `shortfallWh` what they took or failed to give; the utility is
    the other side of both. `utilityMicro` and `operatorMicro` are their gains by the newest readings; in a closed slot
    the utility's include the dust that it sold and bought, the operator's the residue. Where there are more than
    MOST_BALANCE_LINES settlements, the answer ends with a slot before, `to`, and `more` is the slot to go on from, else
    null. Raises NotFound, RequestInvalid.
    """
    await terms_of(world, market)
    if not 0 <= first <= last < first + MOST_BALANCE_SLOTS:
        message = f"a balance spans 1 to {MOST_BALANCE_SLOTS} slots, the first before the last"
        raise RequestInvalid("SpanNotAllowed", message, {"from": first, "to": last})
    more = _beyond(await world.reads.accounts.lines_by_slot(market, first, last))
    to = last if more is None else more - 1
    rows = await world.reads.accounts.lines_of_market(market, first, to)
    clearings = await world.reads.markets.clearings(market, sorted({row["slot"] for row in rows}))
    closes = await world.reads.markets.closes(market, first, to)
    versions = (await world.terms.versions())[market]
    slots = await asyncio.to_thread(_slots, world.clock, versions, rows, clearings, closes)
    totals = {name: sum(slot[name] for slot in slots) for name in _SUMS}
    return {"market": market, "from": first, "to": to, "more": more, "slots": slots, "totals": totals}


def _beyond(lines: Mapping[int, int]) -> int | None:
    """The first slot, by how many settlements each has, that is too much for one answer; the first of all never is."""
    taken = 0
    for slot, count in sorted(lines.items()):
        if taken and taken + count > MOST_BALANCE_LINES:
            return slot
        taken += count
    return None


def _slots(
    clock: SlotClock,
    versions: Sequence[MarketTerms],
    rows: Iterable[Row],
    clearings: Mapping[int, Row],
    closes: Mapping[int, Row],
) -> list[dict[str, Any]]:
    by_slot: dict[int, list[Row]] = defaultdict(list)
    for row in rows:
        by_slot[row["slot"]].append(row)
    return [
        {"slot": slot, "startsAt": clock.start(slot)}
        | _slot(in_force(versions, slot), found, clearings.get(slot), closes.get(slot))
        for slot, found in sorted(by_slot.items())
    ]


def _slot(terms: MarketTerms, rows: list[Row], clearing: Row | None, close: Row | None) -> dict[str, Any]:
    price = (clearing or {}).get("price") or 0
    said: dict[str, Any] = dict.fromkeys(_SUMS, 0)
    said["tradedWh"] = (clearing or {}).get("volume_wh") or 0
    for row in rows:
        import_wh, export_wh = paid_energy(terms, row)
        cash = settle_meter(terms, price, row["bought_wh"], row["sold_wh"], import_wh, export_wh)
        deviation = export_wh - import_wh - (row["sold_wh"] - row["bought_wh"])
        said["importWh"] += import_wh
        said["exportWh"] += export_wh
        said["surplusWh"] += max(deviation, 0)
        said["shortfallWh"] += max(-deviation, 0)
        said["withoutReading"] += row["reading_version"] == 0
        said["utilityMicro"] += cash.utility
        said["operatorMicro"] += cash.operator
    if close is not None:
        said["utilityMicro"] += settle_dust(price, close["bid_dust_wh"], close["ask_dust_wh"])
        said["operatorMicro"] += close["residue"]
    of_clearing = {"priceMicroPerKwh": (clearing or {}).get("price"), "meters": len(rows), "closed": close is not None}
    return of_clearing | said


async def arrears(world: World, market: int) -> dict[str, Any]:
    """Who owes the market's utility, and whom it owes; while it owes, its markets take no orders. Raises NotFound."""
    terms = await terms_of(world, market)
    owes, is_owed = await world.reads.accounts.debts(terms.utility)
    return {
        "market": market,
        "utility": terms.utility,
        "arrears": [{"account": row["debtor"], "amountMicro": row["owed"]} for row in is_owed],
        "dues": [{"account": row["creditor"], "amountMicro": row["owed"]} for row in owes],
        "takesOrders": not owes,
    }
