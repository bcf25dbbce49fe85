"""Acts of release keys, gathered until there are enough of them, and devices' install receipts."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import JSONResponse

from gridweave.api.answers import TooManyItems, many, one
from gridweave.api.depends import DigestPath, InWorld
from gridweave.api.fields import Id
from gridweave.api.posted.firmware import (
    KeyChangeIn,
    OpeningIn,
    PauseIn,
    RaiseIn,
    ReceiptsIn,
    ReleaseIn,
    ResumeIn,
    RevocationIn,
    StartIn,
)
from gridweave.api.routes.firmware import CounterPath, ModelPath
from gridweave.api.shapes.accepted import ACCEPTED, ACCEPTED_MANY
from gridweave.api.shapes.errors import FINDS, READS
from gridweave.api.shapes.firmware import GatheredOut, ProposalsOut
from gridweave.chain.contracts import Act
from gridweave.domain.firmware.proposals import FirmwareAct, act_json, name_of
from gridweave.services import proposals
from gridweave.services.approvals import Approvals, approve
from gridweave.services.install_receipts import submit_receipts
from gridweave.services.proposals import Gathered
from gridweave.services.world import World

__all__ = ["router"]

router = APIRouter(tags=["firmware"])

_GATHERED = {200: {"model": GatheredOut, "description": "kept; more keys must approve"}}
APPROVED: dict[str, Any] = ACCEPTED | {"responses": _GATHERED | ACCEPTED["responses"]}
"""202 for the approval with which there are enough, and again for whatever comes after it."""


@router.post("/firmware/models", **APPROVED)
async def post_opening(request: Request, world: InWorld, body: OpeningIn) -> JSONResponse:
    """Opens a model: its maker names release keys, and the threshold of them agree."""
    return await _approve(request, world, body.act(), body.signatures(), body.maker.act())


@router.post("/firmware/models/{model}/keys", **APPROVED)
async def post_keys(request: Request, world: InWorld, model: ModelPath, body: KeyChangeIn) -> JSONResponse:
    """Changes a model's release keys, as the present and the next threshold agree."""
    return await _approve(request, world, body.act(model), body.signatures())


@router.post("/firmware/models/{model}/releases", **APPROVED)
async def post_release(request: Request, world: InWorld, model: ModelPath, body: ReleaseIn) -> JSONResponse:
    """Releases firmware, which nobody installs before its rollout begins.

    After a change of keys the present ones may approve a release again: bundles carry that.
    """
    return await _approve(request, world, body.act(model), body.signatures())


@router.post("/firmware/models/{model}/releases/{counter}/start", **APPROVED)
async def post_start(
    request: Request, world: InWorld, model: ModelPath, counter: CounterPath, body: StartIn
) -> JSONResponse:
    """Begins a rollout with its canaries."""
    return await _approve(request, world, body.act(model, counter), body.signatures())


@router.post("/firmware/models/{model}/releases/{counter}/raise", **APPROVED)
async def post_raise(
    request: Request, world: InWorld, model: ModelPath, counter: CounterPath, body: RaiseIn
) -> JSONResponse:
    """Raises a rollout's share; at 10,000 it is full."""
    return await _approve(request, world, body.act(model, counter), body.signatures())


@router.post("/firmware/models/{model}/releases/{counter}/pause", **APPROVED)
async def post_pause(
    request: Request, world: InWorld, model: ModelPath, counter: CounterPath, body: PauseIn
) -> JSONResponse:
    """Pauses a rollout, by any one key."""
    return await _approve(request, world, body.act(model, counter), body.signatures())


@router.post("/firmware/models/{model}/releases/{counter}/resume", **APPROVED)
async def post_resume(
    request: Request, world: InWorld, model: ModelPath, counter: CounterPath, body: ResumeIn
) -> JSONResponse:
    """Lets a paused rollout go on."""
    return await _approve(request, world, body.act(model, counter), body.signatures())


@router.post("/firmware/models/{model}/releases/{counter}/revocation", **APPROVED)
async def post_revocation(
    request: Request, world: InWorld, model: ModelPath, counter: CounterPath, body: RevocationIn
) -> JSONResponse:
    """Revokes a release for good, since a block."""
    return await _approve(request, world, body.act(model, counter), body.signatures())


@router.post("/firmware/receipts", **ACCEPTED_MANY)
async def post_receipts(request: Request, world: InWorld, body: ReceiptsIn) -> JSONResponse:
    """Takes what devices say came of a release."""
    if len(body.receipts) > world.settings.most_orders:
        raise TooManyItems(len(body.receipts), world.settings.most_orders)
    return many(request, await submit_receipts(world, [receipt.signed() for receipt in body.receipts]))


@router.get("/firmware/proposals", response_model=ProposalsOut, response_model_exclude_unset=True, responses=READS)
async def get_proposals(world: InWorld, model: Id | None = None) -> dict[str, Any]:
    """Acts that are being gathered, the newest 200: what each says, who approved, who has not."""
    return {"items": [_gathered(each) for each in await proposals.proposals(world, model)]}


@router.get(
    "/firmware/proposals/{digest}", response_model=GatheredOut, response_model_exclude_unset=True, responses=FINDS
)
async def get_proposal(world: InWorld, digest: DigestPath) -> dict[str, Any]:
    """One of them."""
    return _gathered(await proposals.proposal(world, digest))


async def _approve(
    request: Request, world: World, act: FirmwareAct, signatures: Approvals, maker: Act | None = None
) -> JSONResponse:
    answer = await approve(world, act, signatures, maker)
    if isinstance(answer, Gathered):
        return JSONResponse(_gathered(answer))
    return one(request, answer)


def _gathered(found: Gathered) -> dict[str, Any]:
    act, maker = found.act, found.maker
    needs = [
        {
            "version": need.keys.version,
            "least": need.least,
            "approved": list(need.approved(found.signers)),
            "missing": list(need.missing(found.signers)),
        }
        for need in found.needs
    ]
    shown = {
        "id": found.id,
        "act": name_of(act),
        "model": act.model,
        "counter": getattr(act, "counter", None),
        "status": found.status,
        "body": act_json(act),
        "deadline": act.deadline,
        "needs": needs,
    }
    return shown if maker is None else shown | {"maker": proposals.maker_json(maker)}
