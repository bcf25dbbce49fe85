"""Devices for life: batches, claims, keys, standing, transfer, documents."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated, Any

from fastapi import APIRouter, Query, Request
from fastapi.responses import JSONResponse

from gridweave.api.answers import one, place_of
from gridweave.api.depends import AddressPath, DigestPath, InWorld
from gridweave.api.fields import Id
from gridweave.api.posted.devices import (
    BatchClosingIn,
    BatchIn,
    ClaimIn,
    CompromiseIn,
    EnrolmentIn,
    KeyProposalIn,
    KeyVetoIn,
    KeyWordIn,
    OfferIn,
    StatusIn,
    TransferIn,
    device_word,
)
from gridweave.api.shapes.accepted import ACCEPTED
from gridweave.api.shapes.devices import BatchOut, DeviceOut, ResolvedOut
from gridweave.api.shapes.errors import FINDS
from gridweave.chain.hexes import from_hex
from gridweave.domain.acts import DeviceStatus, KeyKind
from gridweave.domain.did import Resolved, did_of
from gridweave.domain.signatures import device_id
from gridweave.services import devices
from gridweave.services.world import World
from gridweave.store.reading import Row

__all__ = ["router"]

router = APIRouter(tags=["devices"])


@router.post("/devices", **ACCEPTED)
async def post_device(request: Request, world: InWorld, body: EnrolmentIn) -> JSONResponse:
    """Enrols a device that its maker endorses by itself."""
    possession = device_word(body.possession, body.key().kind)
    return one(request, await devices.enrol(world, body.endorsement(), body.maker.signature, possession))


@router.post("/device-batches", **ACCEPTED)
async def post_batch(request: Request, world: InWorld, body: BatchIn) -> JSONResponse:
    """Lets each device of a maker's batch claim itself."""
    return one(request, await devices.register_batch(world, body.registration(), body.maker.act()))


@router.get("/device-batches/{root}", response_model=BatchOut, responses=FINDS)
async def get_batch(world: InWorld, root: DigestPath) -> dict[str, Any]:
    """A maker's batch."""
    row = await devices.batch(world, root)
    return _batch(row) | place_of(world, row)


@router.post("/device-batches/{root}/closing", **ACCEPTED)
async def post_closing(request: Request, world: InWorld, root: DigestPath, body: BatchClosingIn) -> JSONResponse:
    """Ends a batch: devices of it that have not claimed themselves can no longer."""
    return one(request, await devices.close_batch(world, body.closing(from_hex(root)), body.act.act()))


@router.post("/device-claims", **ACCEPTED)
async def post_claim(request: Request, world: InWorld, body: ClaimIn) -> JSONResponse:
    """Enrols a device of a batch by its own word, which names its first owner."""
    word = device_word(body.signature, body.key().kind)
    answer = await devices.claim(world, body.owner, body.batch, body.key(), body.deadline, body.proof, word)
    return one(request, answer)


@router.get("/devices/{device}", response_model=DeviceOut, responses=FINDS)
async def get_device(world: InWorld, device: AddressPath) -> dict[str, Any]:
    """A device as it stands."""
    row = await devices.device(world, device)
    return _device(world, row) | place_of(world, row)


@router.get("/devices/{device}/did", response_model=ResolvedOut, response_model_exclude_unset=True, responses=FINDS)
async def get_document(
    world: InWorld,
    device: AddressPath,
    version: Annotated[Id | None, Query(alias="versionId", description="a block; by default the newest")] = None,
) -> dict[str, Any]:
    """A device's DID document, now or as it stood in a block: the key that counted then is in it."""
    return _resolved(await devices.document(world, device, version))


@router.post("/devices/{device}/key", **ACCEPTED)
async def post_rotation(request: Request, world: InWorld, device: AddressPath, body: KeyWordIn) -> JSONResponse:
    """Gives a device another key, signed with its present one."""
    return one(request, await devices.rotate(world, body.rotation(device), device_word(body.signature)))


@router.post("/devices/{device}/key-proposal", **ACCEPTED)
async def post_proposal(request: Request, world: InWorld, device: AddressPath, body: KeyProposalIn) -> JSONResponse:
    """Proposes a key for a device that lost its own, as its owner; it may take over after seven days."""
    return one(request, await devices.propose(world, body.proposal(device), body.act.act()))


@router.post("/devices/{device}/key-veto", **ACCEPTED)
async def post_veto(request: Request, world: InWorld, device: AddressPath, body: KeyVetoIn) -> JSONResponse:
    """Refuses a proposed key, signed with the present one."""
    return one(request, await devices.veto(world, body.veto(device), device_word(body.signature)))


@router.post("/devices/{device}/key-adoption", **ACCEPTED)
async def post_adoption(request: Request, world: InWorld, device: AddressPath, body: KeyWordIn) -> JSONResponse:
    """Lets a proposed key take over, signed with it."""
    word = device_word(body.signature, body.key().kind)
    return one(request, await devices.adopt(world, body.adoption(device), word))


@router.post("/devices/{device}/kept-key", **ACCEPTED)
async def post_kept_key(request: Request, world: InWorld, device: AddressPath) -> JSONResponse:
    """Keeps a device's P-256 key on chain, which a meter needs after a claim or a change of key."""
    return one(request, await devices.keep_key(world, device))


@router.post("/devices/{device}/status", **ACCEPTED)
async def post_status(request: Request, world: InWorld, device: AddressPath, body: StatusIn) -> JSONResponse:
    """Suspends, reinstates or revokes a device."""
    return one(request, await devices.change_status(world, body.change(device), body.act.act()))


@router.post("/devices/{device}/compromise", **ACCEPTED)
async def post_compromise(request: Request, world: InWorld, device: AddressPath, body: CompromiseIn) -> JSONResponse:
    """Says that a device's key is in doubt from a block on, and suspends the device."""
    return one(request, await devices.note_compromise(world, body.notice(device), body.act.act()))


@router.post("/devices/{device}/offer", **ACCEPTED)
async def post_offer(request: Request, world: InWorld, device: AddressPath, body: OfferIn) -> JSONResponse:
    """Offers a device to its next owner, as its present one."""
    return one(request, await devices.offer(world, body.offer(device), body.act.act()))


@router.post("/devices/{device}/transfer", **ACCEPTED)
async def post_transfer(request: Request, world: InWorld, device: AddressPath, body: TransferIn) -> JSONResponse:
    """Takes an offered device over, as its next owner, with the device's own word."""
    handover = device_word(body.handover)
    return one(request, await devices.accept(world, body.acceptance(device), body.act.act(), handover))


def _device(world: World, row: Row) -> dict[str, Any]:
    proposal, offer = row["proposal"], row["offer"]
    return {
        "device": row["device"],
        "did": did_of(world.deployment.chain_id, row["device"]),
        "owner": row["owner"],
        "maker": row["maker"],
        "model": row["model"],
        "batch": row["batch"],
        "status": DeviceStatus(row["status"]).name.lower(),
        "statusSince": row["status_since"],
        "keyVersion": row["key_version"],
        **_key(row),
        "nonce": row["nonce"],
        "compromisedSince": row["compromised_since"],
        "proposal": proposal and _key(proposal) | {"readyAt": proposal["ready_at"]},
        "offer": offer and {"to": offer["to"], "until": offer["until"]},
    }


def _key(row: Row) -> dict[str, Any]:
    name = device_id(from_hex(row["x"]), from_hex(row["y"]))
    return {"key": name, "keyKind": KeyKind(row["key_kind"]).label, "x": row["x"], "y": row["y"]}


def _batch(row: Row) -> dict[str, Any]:
    return {
        "root": row["root"],
        "maker": row["maker"],
        "model": row["model"],
        "size": row["size"],
        "claimed": row["claimed"],
        "isClosed": row["is_closed"],
    }


def _resolved(found: Resolved) -> dict[str, Any]:
    metadata: dict[str, Any] = {"versionId": str(found.version), "updated": _time(found.updated)}
    if found.next_version is not None and found.next_update is not None:
        metadata |= {"nextVersionId": str(found.next_version), "nextUpdate": _time(found.next_update)}
    if found.deactivated:
        metadata["deactivated"] = True
    return {
        "didDocument": found.document,
        "didDocumentMetadata": metadata,
        "didResolutionMetadata": {"contentType": "application/did+ld+json"},
    }


def _time(seconds: int) -> str:
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
