"""Readings."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Request
from fastapi.responses import JSONResponse

from gridweave.api.answers import TooManyItems, many, page
from gridweave.api.depends import FROM, CursorQuery, InWorld, LimitQuery
from gridweave.api.fields import Id
from gridweave.api.posted.readings import ReadingsIn
from gridweave.api.posting import SignedRoute
from gridweave.api.shapes.accepted import ACCEPTED_MANY
from gridweave.api.shapes.errors import READS
from gridweave.api.shapes.registry import ReadingsOut
from gridweave.services.readings import readings_of_meter, submit_readings
from gridweave.store.reading import Row

__all__ = ["router"]

router = APIRouter(tags=["readings"], route_class=SignedRoute)


@router.post("/readings", **ACCEPTED_MANY)
async def post_readings(request: Request, world: InWorld, body: ReadingsIn) -> JSONResponse:
    """Accepts signed readings; the transaction that records one pays it."""
    if len(body.readings) > world.settings.most_orders:
        raise TooManyItems(len(body.readings), world.settings.most_orders)
    return many(request, await submit_readings(world, [reading.signed() for reading in body.readings]))


@router.get("/readings", response_model=ReadingsOut, responses=READS)
async def get_readings(
    world: InWorld,
    meter: Id,
    from_: Annotated[Id, FROM] = 0,
    to: Id = 2**32 - 1,
    cursor: CursorQuery = None,
    limit: LimitQuery = 1_000,
) -> dict[str, Any]:
    """Recorded readings of a meter in slots from..to, corrections included, in chain order."""
    found = await readings_of_meter(world, meter, from_, to, cursor, limit)
    return page(world, found, _shown)


def _shown(row: Row) -> dict[str, Any]:
    return {
        "meter": row["meter"],
        "slot": row["slot"],
        "version": row["version"],
        "importWh": row["import_wh"],
        "exportWh": row["export_wh"],
    }
