"""Admission of devices: a challenge, its answer, a short session."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter

from gridweave.api.depends import InSession, InWorld
from gridweave.api.posted.devices import device_word
from gridweave.api.posted.sessions import AnswerIn, KnockIn
from gridweave.api.shapes.errors import IN_SESSION, SESSIONS
from gridweave.api.shapes.sessions import ChallengeOut, OpenedOut, SessionOut
from gridweave.chain.hexes import to_hex
from gridweave.services.sessions import Session

__all__ = ["router"]

router = APIRouter(tags=["sessions"])


@router.post("/device-challenges", response_model=ChallengeOut, responses=SESSIONS)
async def post_challenge(world: InWorld, body: KnockIn) -> dict[str, Any]:
    """Asks for a challenge. Asking says nothing about whether there is such a device."""
    given = world.sessions.challenge(body.device)
    said = {"device": given.device, "service": world.sessions.service, "challenge": to_hex(given.challenge)}
    return said | {"expiresAt": given.expires_at}


@router.post("/device-sessions", response_model=OpenedOut, responses=SESSIONS)
async def post_session(world: InWorld, body: AnswerIn) -> dict[str, Any]:
    """Answers a challenge with the device's present key. Its former session ends."""
    token, session = await world.sessions.open(body.answered(), device_word(body.signature))
    return _session(session) | {"token": token}


@router.get("/device-sessions/current", response_model=SessionOut, responses=IN_SESSION)
async def get_session(session: InSession) -> dict[str, Any]:
    """The session of the token that is shown."""
    return _session(session)


def _session(session: Session) -> dict[str, Any]:
    return {"device": session.device, "key": session.key, "expiresAt": session.expires_at}
