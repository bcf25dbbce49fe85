"""What a signer must know of the chain."""

from __future__ import annotations

from importlib.metadata import version
from typing import Any

from fastapi import APIRouter

from gridweave import API_VERSIONS
from gridweave.api.depends import InWorld
from gridweave.api.shapes.deployment import DeploymentOut, VersionOut
from gridweave.api.shapes.errors import READS
from gridweave.domain.slots import HORIZON

__all__ = ["router"]

router = APIRouter(tags=["deployment"])


@router.get("/version", response_model=VersionOut, responses=READS)
async def get_version() -> dict[str, Any]:
    """What runs here, and which versions of the API it speaks: each is the first part of a path."""
    return {"gridweave": version("gridweave"), "api": list(API_VERSIONS)}


@router.get("/deployment", response_model=DeploymentOut, responses=READS)
async def get_deployment(world: InWorld) -> dict[str, Any]:
    """Chain, contracts, relayer, and the chain's time."""
    deployment, settings, heads = world.deployment, world.settings, world.heads
    addresses = deployment.addresses
    return {
        "chainId": deployment.chain_id,
        "genesisHash": deployment.genesis_hash,
        "slotLength": deployment.slot_length,
        "holdLength": deployment.hold_length,
        "horizon": HORIZON,
        "timeZone": settings.time_zone,
        "contracts": addresses,
        "currency": addresses["LocalCurrency"],
        "startBlock": deployment.block,
        "finalityDepth": settings.finality_depth,
        "finalBlock": heads.final,
        "commitMargin": settings.commit_margin,
        "mostDeadlineAhead": settings.most_deadline_ahead,
        "relayer": world.relayer.address,
        "formerRelayers": list(world.former_relayers),
        "sponsor": world.sponsors.current,
        "compensationMicro": deployment.compensation,
        "chainTime": heads.time,
        "currentSlot": world.clock.slot_at(heads.time),
        "blockNumber": heads.number,
    }
