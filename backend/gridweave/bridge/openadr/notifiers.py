"""How clients can be told: by webhooks. There is no broker of messages here, which the specification leaves open."""

from __future__ import annotations

from fastapi import APIRouter
from fastapi.responses import Response

from gridweave.bridge.openadr.crud import answered, refused
from gridweave.bridge.openadr.depends import InAsked
from gridweave.bridge.openadr.shapes import Notifiers
from gridweave.services.vtn.errors import Forbidden, NoSuchObject

__all__ = ["router"]

router = APIRouter()

_OF_BL = frozenset({"events", "reports", "subscriptions", "vens", "resources"})


@router.get("/notifiers", response_model=Notifiers, responses=refused(401), operation_id="listAllNotifiers")
async def notifiers(asked: InAsked) -> Response:  # noqa: ARG001 - whoever has a token
    """The ways of being told."""
    return answered({"WEBHOOK": True})


@router.get(
    "/notifiers/mqtt/topics/{what:path}",
    status_code=404,
    response_class=Response,
    responses=refused(400, 401, 403, 404),
    operation_id="listMqttTopics",
)
async def topics(asked: InAsked, what: str) -> Response:
    """None: see /notifiers."""
    if what in _OF_BL and not asked.client.is_bl:
        raise Forbidden(f"the topics of all {what} are business logic's")
    raise NoSuchObject("MQTT topic", what)
