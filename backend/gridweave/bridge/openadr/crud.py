"""The four routes that each kind of objects has beside its search."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable, Mapping
from typing import Annotated, Any

from fastapi import APIRouter, Body, Path
from fastapi.responses import Response

from gridweave.bridge.openadr.depends import InAsked
from gridweave.bridge.openadr.fields import ObjectId, Shape
from gridweave.bridge.openadr.shapes import Problem
from gridweave.services.vtn.kinds import Kind
from gridweave.services.vtn.vtn import Vtn

__all__ = ["REFUSED", "answered", "crud", "refused"]

Check = Callable[[Vtn, Mapping[str, Any]], Awaitable[None]]

REFUSED = {400: "malformed", 401: "no valid token", 403: "not for this client", 404: "none that it may see"}
_MORE = {409: "the name is taken, or what it refers to does not exist"}
_OFTEN = {413: "too long", 415: "no JSON", 429: "slow down", 503: "away"}


def refused(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """The refusals of a route, for its document."""
    told = REFUSED | _MORE | _OFTEN
    return {status: {"model": Problem, "description": told[status]} for status in (*statuses, 429, 503)}


def answered(body: Any, status: int = 200) -> Response:
    """JSON, or what is JSON already. What comes from the store was checked when it came in."""
    return Response(body if isinstance(body, bytes) else json.dumps(body), status, media_type="application/json")


async def _unchecked(vtn: Vtn, body: Mapping[str, Any]) -> None:
    """Nothing beyond its shape."""


def crud(router: APIRouter, kind: Kind, asks: type[Shape], shows: type[Shape], check: Check = _unchecked) -> None:
    """Adds POST to /{kind}s, and GET, PUT, DELETE to /{kind}s/{id}. `check` is done before anything is written."""
    name, word = kind.lower(), kind.capitalize()
    at, many = f"/{name}s/{{{name}ID}}", f"/{name}s"
    by_id = Annotated[ObjectId, Path(alias=f"{name}ID")]

    async def create(asked: InAsked, body: Annotated[Any, Body()]) -> Response:
        said = _plain(body)
        await check(asked.vtn, said)
        return answered(await asked.vtn.objects.create(kind, asked.client, said), 201)

    async def find(asked: InAsked, id_: str) -> Response:
        return answered(await asked.vtn.objects.find(kind, asked.client, id_))

    async def update(asked: InAsked, id_: str, body: Annotated[Any, Body()]) -> Response:
        said = _plain(body)
        await check(asked.vtn, said)
        return answered(await asked.vtn.objects.update(kind, asked.client, id_, said))

    async def delete(asked: InAsked, id_: str) -> Response:
        return answered(await asked.vtn.objects.delete(kind, asked.client, id_))

    for function in (create, update):
        function.__annotations__["body"] = asks
    for by in (find, update, delete):
        by.__annotations__["id_"] = by_id
    add = router.add_api_route
    post, one = refused(400, 401, 403, 404, 409, 413, 415), refused(400, 401, 403, 404)
    made: dict[int | str, dict[str, Any]] = {201: {"model": shows, "description": "created"}}
    add(many, create, methods=["POST"], status_code=201, responses=made | post, operation_id=f"create{word}")
    shown: dict[str, Any] = {"response_model": shows}
    add(at, find, methods=["GET"], responses=one, operation_id=f"search{word}By{word}ID", **shown)
    add(at, update, methods=["PUT"], responses=post, operation_id=f"update{word}", **shown)
    add(at, delete, methods=["DELETE"], responses=one, operation_id=f"delete{word}", **shown)


def _plain(body: Shape) -> dict[str, Any]:
    """What was said, by the specification's names; null is not said."""
    return body.model_dump(mode="json", by_alias=True, exclude_none=True)
