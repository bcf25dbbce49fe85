"""Meters, assets and delegations."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Query, Request
from fastapi.responses import JSONResponse

from gridweave.api.answers import one, page, place_of
from gridweave.api.depends import CursorQuery, InWorld, LimitQuery, MeterPath
from gridweave.api.fields import Address, Id
from gridweave.api.posted.registry import AssetIn, DelegationIn, MeterEndIn, MeterIn, MeterMoveIn
from gridweave.api.shapes.accepted import ACCEPTED
from gridweave.api.shapes.errors import FINDS, READS
from gridweave.api.shapes.registry import MeterOut, MetersOut
from gridweave.domain.acts import AssetKind, DeviceStatus
from gridweave.services import registry
from gridweave.store.reading import Row

__all__ = ["router"]

router = APIRouter(tags=["registry"])


@router.post("/meters", **ACCEPTED)
async def post_meter(request: Request, world: InWorld, body: MeterIn) -> JSONResponse:
    """Registers a meter."""
    mandate = body.mandate.act() if body.mandate else None
    return one(request, await registry.register_meter(world, body.registration(), body.operator.act(), mandate))


@router.post("/meter-moves", **ACCEPTED)
async def post_meter_move(request: Request, world: InWorld, body: MeterMoveIn) -> JSONResponse:
    """Gives a device its next meter when a home changes owner, feeder or capacity."""
    mandate = body.mandate.act() if body.mandate else None
    return one(request, await registry.move_meter(world, body.move(), body.operator.act(), mandate))


@router.post("/meters/{meter}/end", **ACCEPTED)
async def post_meter_end(request: Request, world: InWorld, meter: MeterPath, body: MeterEndIn) -> JSONResponse:
    """Ends a meter."""
    return one(request, await registry.end_meter(world, body.end(meter), body.operator.act()))


@router.post("/delegations", **ACCEPTED)
async def post_delegation(request: Request, world: InWorld, body: DelegationIn) -> JSONResponse:
    """Lets a key order in an account's name within a scope, or takes that back."""
    return one(request, await registry.delegate(world, body.delegation(), body.act.act()))


@router.get("/meters", response_model=MetersOut, responses=READS)
async def get_meters(
    world: InWorld,
    device: Annotated[Address | None, Query()] = None,
    account: Annotated[Address | None, Query()] = None,
    market: Id | None = None,
    cursor: CursorQuery = None,
    limit: LimitQuery = 1_000,
) -> dict[str, Any]:
    """Meters by device, account or market."""
    found = await registry.meters(world, device=device, account=account, market=market, cursor=cursor, limit=limit)
    return page(world, found, _meter)


@router.get("/meters/{meter}", response_model=MeterOut, responses=FINDS)
async def get_meter(world: InWorld, meter: MeterPath) -> dict[str, Any]:
    """A meter and what stands behind it."""
    row = await registry.meter(world, meter)
    return _meter(row) | place_of(world, row) | {"assets": [_asset(asset) for asset in row["assets"]]}


@router.post("/assets", **ACCEPTED)
async def post_asset(request: Request, world: InWorld, body: AssetIn) -> JSONResponse:
    """Registers what stands behind a meter."""
    return one(request, await registry.register_asset(world, body.registration(), body.operator.act()))


def _meter(row: Row) -> dict[str, Any]:
    return {
        "meter": row["meter"],
        "device": row["device"],
        "deviceStatus": DeviceStatus(row["device_status"]).name.lower(),
        "account": row["account"],
        "market": row["market"],
        "importCapacityW": row["import_capacity_w"],
        "exportCapacityW": row["export_capacity_w"],
        "scaleWh": row["scale_wh"],
        "hasMandate": row["has_mandate"],
        "fromSlot": row["from_slot"],
        "untilSlot": row["until_slot"],
    }


def _asset(row: Row) -> dict[str, Any]:
    return {
        "asset": row["asset"],
        "kind": AssetKind(row["kind"]).name.lower(),
        "nameplateW": row["nameplate_w"],
        "storageWh": row["storage_wh"],
    }
