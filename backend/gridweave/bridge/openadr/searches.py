"""The searches: one for each kind of objects, each with the conditions that the specification gives it."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query
from fastapi.responses import Response

from gridweave.bridge.openadr.crud import answered, refused
from gridweave.bridge.openadr.depends import InAsked, LimitQuery, SkipQuery, TargetsQuery
from gridweave.bridge.openadr.fields import Name, ObjectId
from gridweave.bridge.openadr.shapes import Event, ObjectType, Program, Report, Resource, Subscription, Ven
from gridweave.services.vtn.kinds import Kind
from gridweave.services.vtn.objects import MOST_PAGE
from gridweave.store.vtn_rows import Filter
from gridweave.timing import now_ms

__all__ = ["router"]

router = APIRouter()
_REFUSALS = refused(400, 401, 403)


@router.get("/programs", response_model=list[Program], responses=_REFUSALS, operation_id="searchAllPrograms")
async def programs(
    asked: InAsked, targets: TargetsQuery = None, skip: SkipQuery = 0, limit: LimitQuery = MOST_PAGE
) -> Response:
    """Programs that the client may see, those with any of the targets if some are named."""
    return answered(await asked.vtn.objects.page(Kind.PROGRAM, asked.client, Filter(), targets, skip, limit))


@router.get("/events", response_model=list[Event], responses=_REFUSALS, operation_id="searchAllEvents")
async def events(
    asked: InAsked,
    program: Annotated[ObjectId | None, Query(alias="programID")] = None,
    targets: TargetsQuery = None,
    active: Annotated[bool, Query()] = False,
    skip: SkipQuery = 0,
    limit: LimitQuery = MOST_PAGE,
) -> Response:
    """Events that the client may see; `active`: those that are not over."""
    wanted = Filter(parent=program, after_ms=now_ms() // 1_000 * 1_000 if active else None)
    return answered(await asked.vtn.objects.page(Kind.EVENT, asked.client, wanted, targets, skip, limit))


@router.get("/reports", response_model=list[Report], responses=_REFUSALS, operation_id="searchAllReports")
async def reports(
    asked: InAsked,
    program: Annotated[ObjectId | None, Query(alias="programID")] = None,
    event: Annotated[ObjectId | None, Query(alias="eventID")] = None,
    name: Annotated[Name | None, Query(alias="clientName")] = None,
    skip: SkipQuery = 0,
    limit: LimitQuery = MOST_PAGE,
) -> Response:
    """A VEN's own reports; to business logic everybody's."""
    wanted = Filter(program=program, parent=event, name=name)
    return answered(await asked.vtn.objects.page(Kind.REPORT, asked.client, wanted, None, skip, limit))


@router.get(
    "/subscriptions", response_model=list[Subscription], responses=_REFUSALS, operation_id="searchSubscriptions"
)
async def subscriptions(
    asked: InAsked,
    program: Annotated[ObjectId | None, Query(alias="programID")] = None,
    name: Annotated[Name | None, Query(alias="clientName")] = None,
    objects: Annotated[list[ObjectType] | None, Query()] = None,
    skip: SkipQuery = 0,
    limit: LimitQuery = MOST_PAGE,
) -> Response:
    """A VEN's own subscriptions; to business logic everybody's. `objects`: to any of these kinds."""
    wanted = Filter(parent=program, name=name, objects=None if objects is None else tuple(objects))
    return answered(await asked.vtn.objects.page(Kind.SUBSCRIPTION, asked.client, wanted, None, skip, limit))


@router.get("/vens", response_model=list[Ven], responses=_REFUSALS, operation_id="searchVens")
async def vens(
    asked: InAsked,
    name: Annotated[Name | None, Query(alias="venName")] = None,
    targets: TargetsQuery = None,
    skip: SkipQuery = 0,
    limit: LimitQuery = MOST_PAGE,
) -> Response:
    """A VEN's own vens; to business logic everybody's."""
    return answered(await asked.vtn.objects.page(Kind.VEN, asked.client, Filter(name=name), targets, skip, limit))


@router.get("/resources", response_model=list[Resource], responses=_REFUSALS, operation_id="searchResources")
async def resources(
    asked: InAsked,
    name: Annotated[Name | None, Query(alias="resourceName")] = None,
    ven: Annotated[ObjectId | None, Query(alias="venID")] = None,
    targets: TargetsQuery = None,
    skip: SkipQuery = 0,
    limit: LimitQuery = MOST_PAGE,
) -> Response:
    """A VEN's own resources; to business logic everybody's."""
    return answered(
        await asked.vtn.objects.page(Kind.RESOURCE, asked.client, Filter(name=name, parent=ven), targets, skip, limit)
    )
