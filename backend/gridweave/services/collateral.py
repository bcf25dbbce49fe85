"""Collateral: what an order locks, and which account surely cannot lock so much."""

from __future__ import annotations

from gridweave.domain.orders import Order, Side
from gridweave.services.errors import Refused
from gridweave.services.order_checks import Look
from gridweave.services.world import World

__all__ = ["cannot_lock", "locks", "short_of"]


async def short_of(world: World, wanted: dict[str, int]) -> dict[str, tuple[int, int]]:
    """(available, arrear) by account, of those that the chain says cannot lock so much.

    What something is under way for may have more by then, and is left out. Raises NodeUnavailable.
    """
    standing = await world.books.standing.get(wanted)
    short: dict[str, tuple[int, int]] = {}
    for account, amount in wanted.items():
        available, owes = standing.get(account, (0, False))
        if (available >= amount and not owes) or world.lanes.busy([f"account:{account}"]):
            continue
        balance = await world.contracts.vault.account_of(account)
        if balance.arrear or balance.available < amount:
            short[account] = balance.available, balance.arrear
    return short


def locks(look: Look, order: Order) -> int:
    """What the order locks beyond what the meter's standing order in that slot has locked, micro."""
    terms = look.terms[(order.market, order.slot)]
    if terms is None:
        return 0
    standing = look.acts[order.slot].get(order.meter)
    freed = 0
    if standing is not None and standing["energy_wh"] is not None:
        freed = terms.collateral(Side(standing["side"]), standing["limit_price"], standing["energy_wh"])
    return terms.collateral(order.side, order.limit_price, order.energy_wh) - freed


def cannot_lock(account: str, amount: int, has: tuple[int, int]) -> Refused | None:
    """Why an account that has (available, arrear) cannot lock that amount; None if it can."""
    available, arrear = has
    if arrear:
        return Refused("InArrears", {"account": account, "arrear": arrear})
    if available < amount:
        return Refused("AvailableTooSmall", {"account": account, "available": available, "amount": amount})
    return None
