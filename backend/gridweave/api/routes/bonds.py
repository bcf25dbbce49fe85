"""Relayers' bonds: what an acknowledgement is worth."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Query, Request
from fastapi.responses import JSONResponse

from gridweave.api.answers import one, page
from gridweave.api.depends import CursorQuery, InWorld, LimitQuery
from gridweave.api.fields import Address
from gridweave.api.posted.bonds import BondIn, RedeemIn
from gridweave.api.shapes.accepted import ACCEPTED
from gridweave.api.shapes.bonds import BondsOut, CompensationsOut
from gridweave.api.shapes.errors import READS
from gridweave.services import bonds
from gridweave.store.reading import Row

__all__ = ["router"]

router = APIRouter(tags=["bonds"])

RelayerQuery = Annotated[Address | None, Query(description="Whose acknowledgements; by default this service's.")]


@router.post("/bonds", **ACCEPTED)
async def post_bond(request: Request, world: InWorld, body: BondIn) -> JSONResponse:
    """Puts money down for a relayer."""
    return one(request, await bonds.post(world, body.post(), body.sponsor.act()))


@router.post("/bonds/unbond", **ACCEPTED)
async def post_unbond(request: Request, world: InWorld, body: BondIn) -> JSONResponse:
    """Begins to take money out of a bond."""
    return one(request, await bonds.unbond(world, body.unbond(), body.sponsor.act()))


@router.post("/bonds/redeem", **ACCEPTED)
async def post_redeem(request: Request, world: InWorld, body: RedeemIn) -> JSONResponse:
    """Pays a sponsor what has left its bond."""
    return one(request, await bonds.redeem(world, body.sponsor, body.relayer))


@router.get("/bonds", response_model=BondsOut, responses=READS)
async def get_bonds(world: InWorld, relayer: RelayerQuery = None) -> dict[str, Any]:
    """Who answers for a relayer's acknowledgements, and with how much."""
    return await bonds.bonds(world, relayer)


@router.get("/compensations", response_model=CompensationsOut, responses=READS)
async def get_compensations(
    world: InWorld, relayer: RelayerQuery = None, cursor: CursorQuery = None, limit: LimitQuery = 1_000
) -> dict[str, Any]:
    """What a relayer's bonds have paid for orders that it had acknowledged and left."""
    found = await bonds.compensations(world, relayer, cursor, limit)
    return page(world, found, _compensation)


def _compensation(row: Row) -> dict[str, Any]:
    return {
        "id": row["digest"],
        "sponsor": row["sponsor"],
        "relayer": row["relayer"],
        "meter": row["meter"],
        "slot": row["slot"],
        "account": row["account"],
        "amountMicro": row["amount"],
    }
