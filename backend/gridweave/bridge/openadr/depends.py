"""What the VTN's routes ask for."""

from __future__ import annotations

from typing import Annotated

from fastapi import Depends, Path, Query, Request

from gridweave.bridge.openadr.fields import Name, ObjectId
from gridweave.services.errors import Unavailable
from gridweave.services.vtn.clients import Client
from gridweave.services.vtn.errors import TokenInvalid
from gridweave.services.vtn.objects import MOST_PAGE
from gridweave.services.vtn.vtn import Vtn

__all__ = ["ById", "InClient", "InVtn", "LimitQuery", "SkipQuery", "TargetsQuery"]


async def _vtn(request: Request) -> Vtn:
    vtn: Vtn | None = getattr(request.app.state, "vtn", None)
    if vtn is None:
        raise Unavailable("the VTN")
    return vtn


async def _client(request: Request, vtn: Annotated[Vtn, Depends(_vtn)]) -> Client:
    """Whose token `Authorization: Bearer` brings. Raises TokenInvalid."""
    scheme, _, token = request.headers.get("authorization", "").partition(" ")
    if scheme.lower() != "bearer" or not token:
        raise TokenInvalid("bring a bearer token")
    return vtn.tokens.check(token.strip())


InVtn = Annotated[Vtn, Depends(_vtn)]
InClient = Annotated[Client, Depends(_client)]
ById = Annotated[ObjectId, Path()]
SkipQuery = Annotated[int, Query(ge=0, le=2**31 - 1)]
LimitQuery = Annotated[int, Query(ge=0, le=MOST_PAGE)]
TargetsQuery = Annotated[list[Name] | None, Query()]
