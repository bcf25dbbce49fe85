"""Accounts: what they hold now, who may order for them, and how they moved."""

from __future__ import annotations

from typing import Any

from gridweave.domain.delegations import NO_ASKS, NO_BIDS
from gridweave.services.statements import locked
from gridweave.services.world import World
from gridweave.store.reading import Page, Row

__all__ = ["account", "delegations", "moves"]


async def account(world: World, address: str) -> dict[str, Any]:
    """Balances as the Vault holds them at the newest indexed block, and what orders locked. Raises NodeUnavailable."""
    block = world.heads.number if world.heads.block else None
    balance = await world.contracts.vault.account_of(address, block)
    owes, is_owed = await world.reads.accounts.debts(address)
    return {
        "address": address,
        "availableMicro": balance.available,
        "heldMicro": balance.held,
        "arrearMicro": balance.arrear,
        "withdrawableMicro": balance.withdrawable,
        "lockedMicro": await locked(world, address, world.heads.number, world.heads.time),
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
