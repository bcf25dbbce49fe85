"""Statements: an account's balance at two moments, and every kind of move between them.

What stands in an account is measured net: available, less what it owes, plus what it is owed. Paying a debt moves the
available balance and leaves the net as it was, so that `opening net + the moves = closing net` to the unit.
"""

from __future__ import annotations

from typing import Any

from gridweave.domain.slots import HORIZON
from gridweave.services.world import World

__all__ = ["locked", "statement"]

_MOVES = (
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


async def statement(world: World, account: str, starts_at: int, ends_at: int) -> dict[str, Any]:
    """Opening and closing balances, the moves between them, and whether they add up.

    Seconds of chain time, `ends_at` left out. `lockedMicro` is the collateral of orders not settled by then.
    """
    reads = world.reads.statements
    opened, closed = await reads.last_block(starts_at), await reads.last_block(ends_at)
    moves = await _moves(world, account, opened, closed)
    locked_then = await locked(world, account, opened, starts_at)
    locked_now = locked_then - moves["collateralLockedMicro"] - moves["collateralReturnedMicro"]
    opening = await _standing(world, account, opened, locked_then)
    closing = await _standing(world, account, closed, locked_now)
    adds_up = opening["netMicro"] + sum(moves.values()) == closing["netMicro"]
    return {"opening": opening, "moves": moves, "closing": closing, "addsUp": adds_up}


async def locked(world: World, account: str, block: int, moment: int) -> int:
    """Collateral of its orders not settled by that block, micro; `moment` is chain time there or later."""
    last_slot = world.clock.slot_at(moment) + HORIZON
    return await world.reads.statements.locked(account, world.deployment.addresses["RelayerBond"], block, last_slot)


async def _moves(world: World, account: str, after: int, until: int) -> dict[str, int]:
    """Sums of every kind of move in the blocks behind `after`, up to `until`."""
    reads, addresses = world.reads.statements, world.deployment.addresses
    sums, compensated = dict.fromkeys(_MOVES, 0), await reads.compensated(account)
    async for row in reads.moves(account, after, until):
        is_bond = row["counterparty"] == addresses["RelayerBond"]
        name = _kind_of(row["kind"], is_bond, row["tx_hash"] in compensated)
        if name:
            sums[name] += row["amount"]
    cash = await reads.cash(account, after, until)
    sums["settledMicro"] += cash
    sums["collateralReturnedMicro"] -= cash
    sums["asUtilityMicro"] = await reads.legs(account, after, until)
    return sums


def _kind_of(kind: str, is_bond: bool, compensated: bool) -> str | None:
    """Under which name a move counts; None for a debt, which leaves the net as it was.

    What a settlement pays is collateral that returns and the cash, which `_moves` takes out of it.
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


async def _standing(world: World, account: str, block: int, locked: int) -> dict[str, int]:
    available = await world.reads.statements.available(account, block)
    owes, is_owed = await world.reads.statements.debts(account, block)
    return {
        "availableMicro": available,
        "owesMicro": owes,
        "isOwedMicro": is_owed,
        "netMicro": available - owes + is_owed,
        "lockedMicro": locked,
    }
