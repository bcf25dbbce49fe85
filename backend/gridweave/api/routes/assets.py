"""Assets: their states, what they give, and which of them stands out; JSON, and pages for people."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from fastapi import APIRouter, Path, Query, Request
from fastapi.responses import HTMLResponse, JSONResponse, Response

from gridweave.api.answers import one, page, place_of
from gridweave.api.asset_pages import PAGE_HEADERS, asset_page, assets_page
from gridweave.api.depends import FROM, CursorQuery, InWorld
from gridweave.api.fields import Id
from gridweave.api.posted.assets import StateReportIn
from gridweave.api.posted.devices import device_word
from gridweave.api.shapes.accepted import ACCEPTED
from gridweave.api.shapes.assets import AssetKindName, AssetOut, AssetsOut
from gridweave.api.shapes.errors import FINDS, READS, Responses
from gridweave.domain.acts import AssetKind, AssetState
from gridweave.services import assets
from gridweave.services.asset_reports import report_state
from gridweave.services.assets import AssetView
from gridweave.services.world import World
from gridweave.store.reading import Row

__all__ = ["router"]

router = APIRouter(tags=["assets"])

_MOST_LISTED = 100
"""Each comes with its figures."""

_PAGE: Responses = {200: {"content": {"text/html": {"schema": {"type": "string"}}}}}

Format = Annotated[Literal["json", "html"] | None, Query(alias="format")]


@router.post("/asset-states", **ACCEPTED)
async def post_state(request: Request, world: InWorld, body: StateReportIn) -> JSONResponse:
    """Reports in which state an asset is, as the device of its meter."""
    return one(request, await report_state(world, body.report(), device_word(body.signature)))


@router.get("/assets", response_model=AssetsOut, responses=_PAGE | READS)
async def get_assets(
    request: Request,
    world: InWorld,
    feeder: Id | None = None,
    kind: AssetKindName | None = None,
    cursor: CursorQuery = None,
    limit: Annotated[int, Query(ge=1, le=_MOST_LISTED)] = _MOST_LISTED,
    format_: Format = None,
) -> Response | dict[str, Any]:
    """Assets of a feeder, of a kind, or all, with what they gave in the newest 96 slots and what stands out of them.

    The format follows `format`, else what is accepted: JSON, or a page.
    """
    of = AssetKind[kind.upper()] if kind else None
    found = await assets.assets(world, feeder=feeder, kind=of, cursor=cursor, limit=limit)
    shown = page(world, found, lambda row: _asset(world, row["view"]))
    if _wants_page(request, format_):
        return HTMLResponse(assets_page(shown, feeder, kind), headers=PAGE_HEADERS)
    return shown


@router.get("/assets/{asset}", response_model=AssetOut, responses=_PAGE | FINDS)
async def get_asset(
    request: Request,
    world: InWorld,
    asset: Annotated[Id, Path()],
    from_: Annotated[Id | None, FROM] = None,
    to: Id | None = None,
    format_: Format = None,
) -> Response | dict[str, Any]:
    """An asset and its figures in the slots from..to, by default the newest 672: those still going on are left out.

    The format follows `format`, else what is accepted: JSON, or a page.
    """
    view = await assets.asset(world, asset, from_, to)
    states = [_state(row) | place_of(world, row) for row in view.states]
    shown = _asset(world, view) | place_of(world, view.place) | {"states": states}
    if _wants_page(request, format_):
        return HTMLResponse(asset_page(shown, world.heads.time), headers=PAGE_HEADERS)
    return shown


def _wants_page(request: Request, chosen: str | None) -> bool:
    """Whether a page is asked for, or is the first of the formats that the Accept header names."""
    if chosen is not None:
        return chosen == "html"
    kinds = (kind.partition(";")[0].strip().lower() for kind in request.headers.get("accept", "").split(","))
    return next((kind for kind in kinds if kind in ("application/json", "text/html")), "") == "text/html"


def _asset(world: World, view: AssetView) -> dict[str, Any]:
    row, life = view.row, view.life
    return {
        "asset": row["asset"],
        "meter": row["meter"],
        "device": view.meter["device"],
        "feeder": row["feeder"],
        "kind": AssetKind(row["kind"]).name.lower(),
        "nameplateW": row["nameplate_w"],
        "storageWh": row["storage_wh"],
        "registeredAt": row["registered_at"],
        "state": life.state.name.lower(),
        "stateSince": life.since,
        "lastSeen": view.last_seen,
        "window": {
            "from": view.first,
            "to": view.last,
            "startsAt": world.clock.start(view.first),
            "endsAt": world.clock.end(view.last),
        },
        "availability": _availability(view),
        "performance": _performance(view),
        "flags": [flag.value for flag in view.flags],
    }


def _availability(view: AssetView) -> dict[str, Any]:
    found = view.availability
    return {
        "commissionedS": found.commissioned_s,
        "onlineS": found.online_s,
        "maintenanceS": found.maintenance_s,
        "onlineBp": found.online_bp,
        "maintenanceBp": found.maintenance_bp,
        "unplannedBp": found.unplanned_bp,
    }


def _performance(view: AssetView) -> dict[str, Any]:
    found = view.figures
    return {
        "slots": found.slots,
        "readSlots": found.read_slots,
        "sharedSlots": found.shared_slots,
        "exportWh": found.export_wh if found.read_slots else None,
        "yieldWhPerKw": found.yield_wh_per_kw,
        "capacityFactorBp": found.capacity_factor_bp,
        "peers": found.peers,
        "comparedSlots": found.compared_slots,
        "ratioBp": found.ratio_bp,
    }


def _state(row: Row) -> dict[str, Any]:
    return {"state": AssetState(row["state"]).name.lower(), "since": row["since"]}
