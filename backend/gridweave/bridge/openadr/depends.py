"""What the VTN's routes ask for."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from fastapi import Depends, Query, Request

from gridweave.bridge.openadr.fields import Name
from gridweave.services.errors import Unavailable
from gridweave.services.vtn.clients import Client
from gridweave.services.vtn.errors import TokenInvalid
from gridweave.services.vtn.objects import MOST_PAGE
from gridweave.services.vtn.vtn import Vtn

__all__ = ["Asked", "InAsked", "InVtn", "LimitQuery", "SkipQuery", "TargetsQuery"]


async def _vtn(request: Request) -> Vtn:
    vtn: Vtn | None = getattr(request.app.state, "vtn", None)
    if vtn is None:
        raise Unavailable("the VTN")
    return vtn


@dataclass(frozen=True)
class Asked:
    """A request's VTN, and whose token it brings."""

    vtn: Vtn
    client: Client


async def _asked(request: Request) -> Asked:
    """One step instead of one for each: routes are polled. Raises TokenInvalid."""
    vtn = await _vtn(request)
    scheme, _, token = request.headers.get("authorization", "").partition(" ")
    if scheme.lower() != "bearer" or not token:
        raise TokenInvalid("bring a bearer token")
    return Asked(vtn, vtn.tokens.check(token.strip()))


InVtn = Annotated[Vtn, Depends(_vtn)]
InAsked = Annotated[Asked, Depends(_asked)]
SkipQuery = Annotated[int, Query(ge=0, le=2**31 - 1)]
LimitQuery = Annotated[int, Query(ge=0, le=MOST_PAGE)]
TargetsQuery = Annotated[list[Name] | None, Query()]
