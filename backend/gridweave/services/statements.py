"""Statements: an account's balance at two moments, and every kind of move between them.

What stands in an account is measured net: available, less what it owes, plus what it is owed. Paying a debt moves the
available balance and leaves the net as it was, so that `opening net + the moves = closing net` to the unit.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from gridweave.services.world import World

__all__ = ["MOVES", "statement"]

MOVES = (
    "depositsMicro",
    "withdrawalsMicro",
    "collateralLockedMicro",
    "collateralReturnedMicro",
    "settledMicro",
    "asUtilityMicro",
    "balancedMicro",
    "bondsMicro",
    "compensationMicro",
)
"""Every kind of move, each as a gain of the account, in micro."""


@dataclass
class _Book:
    """Sums of moves before a period and within it."""

    starts_at: int
    before: dict[str, int] = field(default_factory=lambda: dict.fromkeys(MOVES, 0))
    within: dict[str, int] = field(default_factory=lambda: dict.fromkeys(MOVES, 0))

    def add(self, name: str, amount: int, time: int) -> None:
        sums = self.before if time < self.starts_at else self.within
        sums[name] += amount


async def statement(world: World, account: str, starts_at: int, ends_at: int) -> dict[str, Any]:
    """Opening and closing balances, the moves between them, and whether they add up.

    Seconds of chain time, `ends_at` left out. `lockedMicro` is the collateral of orders not settled by then.
    """
    reads = world.reads.statements
    book = await _book(world, account, starts_at, ends_at)
    book.within["asUtilityMicro"] = await reads.legs(account, starts_at, ends_at)
    opening = await _standing(world, account, starts_at, _locked(book.before))
    closing = await _standing(world, account, ends_at, opening["lockedMicro"] + _locked(book.within))
    adds_up = opening["netMicro"] + sum(book.within.values()) == closing["netMicro"]
    return {"opening": opening, "moves": book.within, "closing": closing, "addsUp": adds_up}


async def _book(world: World, account: str, starts_at: int, ends_at: int) -> _Book:
    reads, addresses = world.reads.statements, world.deployment.addresses
    book, compensated = _Book(starts_at), await reads.compensated(account)
    async for row in reads.moves(account, ends_at):
        is_bond = row["counterparty"] == addresses["RelayerBond"]
        name = _kind_of(row["kind"], is_bond, row["tx_hash"] in compensated)
        if name:
            book.add(name, row["amount"], row["timestamp"])
    async for row in reads.cash(account, ends_at):
        change = row["cash"] - (row["previous"] or 0)
        book.add("settledMicro", change, row["timestamp"])
        book.add("collateralReturnedMicro", -change, row["timestamp"])
    return book


def _kind_of(kind: str, is_bond: bool, compensated: bool) -> str | None:
    """Under which name a move counts; None for a debt, which leaves the net as it was.

    What a settlement pays is collateral that returns and the cash, which `_book` takes out of it.
    """
    if kind in ("locked", "released") and is_bond:
        return "compensationMicro" if compensated and kind == "released" else "bondsMicro"
    return {
        "deposit": "depositsMicro",
        "withdrawal": "withdrawalsMicro",
        "locked": "collateralLockedMicro",
        "released": "collateralReturnedMicro",
        "settled": "collateralReturnedMicro",
        "balanced": "balancedMicro",
    }.get(kind)


def _locked(sums: Mapping[str, int]) -> int:
    return -sums["collateralLockedMicro"] - sums["collateralReturnedMicro"]


async def _standing(world: World, account: str, before: int, locked: int) -> dict[str, int]:
    available = await world.reads.statements.available(account, before)
    owes, is_owed = await world.reads.statements.debts(account, before)
    return {
        "availableMicro": available,
        "owesMicro": owes,
        "isOwedMicro": is_owed,
        "netMicro": available - owes + is_owed,
        "lockedMicro": locked,
    }
