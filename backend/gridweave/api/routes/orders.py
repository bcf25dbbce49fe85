"""Orders, cancels, and the state of any request."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import JSONResponse

from gridweave.api.answers import TooManyItems, many, one
from gridweave.api.depends import DigestPath, InWorld
from gridweave.api.fields import Id
from gridweave.api.posted.orders import CancelScheduleIn, CancelsIn, OrdersIn, ScheduleIn
from gridweave.api.posting import SignedRoute
from gridweave.api.shapes.accepted import ACCEPTED, ACCEPTED_MANY
from gridweave.api.shapes.errors import FINDS
from gridweave.api.shapes.orders import StateOut, StatesOut
from gridweave.services.orders import submit_cancels, submit_orders
from gridweave.services.schedules import submit_schedule
from gridweave.services.status import order_status, orders_of_meter, request_status

__all__ = ["router"]

router = APIRouter(tags=["orders"], route_class=SignedRoute)


@router.post("/orders", **ACCEPTED_MANY)
async def post_orders(request: Request, world: InWorld, body: OrdersIn) -> JSONResponse:
    """Accepts signed orders; what is acknowledged is kept."""
    if len(body.orders) > world.settings.most_orders:
        raise TooManyItems(len(body.orders), world.settings.most_orders)
    return many(request, await submit_orders(world, [order.signed() for order in body.orders]))


@router.post("/cancels", **ACCEPTED_MANY)
async def post_cancels(request: Request, world: InWorld, body: CancelsIn) -> JSONResponse:
    """Accepts signed cancels."""
    if len(body.cancels) > world.settings.most_orders:
        raise TooManyItems(len(body.cancels), world.settings.most_orders)
    return many(request, await submit_cancels(world, [cancel.signed() for cancel in body.cancels]))


@router.post("/schedules", **ACCEPTED)
async def post_schedule(request: Request, world: InWorld, body: ScheduleIn) -> JSONResponse:
    """Accepts a schedule: orders of one account under one signature, whole or not at all."""
    return one(request, await submit_schedule(world, body.signed()))


@router.post("/cancel-schedules", **ACCEPTED)
async def post_cancel_schedule(request: Request, world: InWorld, body: CancelScheduleIn) -> JSONResponse:
    """Accepts cancels of one account under one signature."""
    return one(request, await submit_schedule(world, body.signed()))


@router.get("/orders", response_model=StatesOut, responses=FINDS, response_model_exclude_unset=True)
async def get_orders(
    world: InWorld,
    meter: Id,
    slot: Id | None = None,
) -> dict[str, Any]:
    """Orders and cancels of a meter, oldest first."""
    return {"items": [status.body for status in await orders_of_meter(world, meter, slot)]}


@router.get("/orders/{digest}", response_model=StateOut, responses=FINDS, response_model_exclude_unset=True)
async def get_order(world: InWorld, digest: DigestPath) -> dict[str, Any]:
    """What became of an order."""
    return (await order_status(world, digest)).body


@router.get("/requests/{digest}", response_model=StateOut, responses=FINDS, response_model_exclude_unset=True)
async def get_request(world: InWorld, digest: DigestPath) -> dict[str, Any]:
    """What became of any accepted request."""
    return (await request_status(world, digest)).body
