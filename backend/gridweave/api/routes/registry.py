"""Devices, meters and assets."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Query, Request
from fastapi.responses import JSONResponse

from gridweave.api.answers import one, page, place_of
from gridweave.api.depends import AddressPath, CursorQuery, InWorld, LimitQuery, MeterPath
from gridweave.api.fields import Address, Id
from gridweave.api.posted.registry import AssetIn, DelegationIn, EnrolmentIn, MeterEndIn, MeterIn, MeterMoveIn, StatusIn
from gridweave.api.shapes.accepted import ACCEPTED
from gridweave.api.shapes.errors import FINDS, READS
from gridweave.api.shapes.registry import DeviceOut, MeterOut, MetersOut
from gridweave.domain.acts import AssetKind, DeviceStatus, KeyKind
from gridweave.domain.errors import SignatureMalformed
from gridweave.domain.signatures import to_compact
from gridweave.services import registry
from gridweave.store.reading import Row

__all__ = ["router"]

router = APIRouter(tags=["registry"])


@router.post("/devices", **ACCEPTED)
async def post_device(request: Request, world: InWorld, body: EnrolmentIn) -> JSONResponse:
    """Enrols a device."""
    possession = body.possession
    if len(possession) == 65:
        if body.key_kind == "p256":
            raise SignatureMalformed("64 bytes: r, then s")
        possession = to_compact(possession)
    answer = await registry.enrol(world, body.endorsement(), body.maker.signature, possession)
    return one(request, answer)


@router.get("/devices/{device}", response_model=DeviceOut, responses=FINDS)
async def get_device(world: InWorld, device: AddressPath) -> dict[str, Any]:
    """A device: owner, maker, status and current key."""
    return _device(await registry.device(world, device), world.heads.final)


@router.post("/devices/{device}/status", **ACCEPTED)
async def post_status(request: Request, world: InWorld, device: AddressPath, body: StatusIn) -> JSONResponse:
    """Suspends, reinstates or revokes a device."""
    return one(request, await registry.change_status(world, body.change(device), body.act.act()))


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


def _device(row: Row, final: int) -> dict[str, Any]:
    return {
        "device": row["device"],
        "owner": row["owner"],
        "maker": row["maker"],
        "status": DeviceStatus(row["status"]).name.lower(),
        "statusSince": row["status_since"],
        "keyKind": KeyKind(row["key_kind"]).name.lower(),
        "keyVersion": row["key_version"],
        "x": row["x"],
        "y": row["y"],
        "block": row["block_number"],
        "final": row["block_number"] <= final,
    }


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
