"""Accounts, deposits and withdrawals."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import JSONResponse

from gridweave.api.answers import one, page
from gridweave.api.depends import AddressPath, CursorQuery, InWorld, LimitQuery
from gridweave.api.posted.accounts import DepositIn, WithdrawalIn
from gridweave.api.shapes.accepted import ACCEPTED
from gridweave.api.shapes.accounts import AccountOut, DelegationsOut, MovesOut
from gridweave.api.shapes.errors import READS
from gridweave.services import accounts, money
from gridweave.store.reading import Row

__all__ = ["router"]

router = APIRouter(tags=["accounts"])


@router.post("/deposits", **ACCEPTED)
async def post_deposit(request: Request, world: InWorld, body: DepositIn) -> JSONResponse:
    """Moves tokens into the account by its permit."""
    answer = await money.deposit(world, body.account, body.amount_micro, body.deadline, body.signature)
    return one(request, answer)


@router.post("/withdrawals", **ACCEPTED)
async def post_withdrawal(request: Request, world: InWorld, body: WithdrawalIn) -> JSONResponse:
    """Sends part of the withdrawable balance to an address."""
    return one(request, await money.withdraw(world, body.withdrawal(), body.signature))


@router.get("/accounts/{address}", response_model=AccountOut, responses=READS)
async def get_account(world: InWorld, address: AddressPath) -> dict[str, Any]:
    """Balances at the newest indexed block."""
    return await accounts.account(world, address)


@router.get("/accounts/{address}/delegations", response_model=DelegationsOut, responses=READS)
async def get_delegations(world: InWorld, address: AddressPath) -> dict[str, Any]:
    """What others may order for the account, and what it may order for others, as long as it may."""
    return {"items": await accounts.delegations(world, address)}


@router.get("/accounts/{address}/moves", response_model=MovesOut, responses=READS)
async def get_moves(
    world: InWorld, address: AddressPath, cursor: CursorQuery = None, limit: LimitQuery = 1_000
) -> dict[str, Any]:
    """Every move of the account in chain order."""
    found = await accounts.moves(world, address, cursor, limit)
    return page(world, found, _move)


def _move(row: Row) -> dict[str, Any]:
    return {
        "kind": row["kind"],
        "amountMicro": row["amount"],
        "availableMicro": row["available"],
        "fromPotMicro": row["from_pot"],
        "fromUtilityMicro": row["from_utility"],
        "holdMicro": row["hold"],
        "counterparty": row["counterparty"],
        "reference": row["ref"],
    }
