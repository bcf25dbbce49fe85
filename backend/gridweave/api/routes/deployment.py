"""What a signer must know of the chain."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter

from gridweave.api.depends import InWorld
from gridweave.domain.slots import HORIZON

__all__ = ["router"]

router = APIRouter(tags=["deployment"])


@router.get("/deployment")
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
        "sponsor": world.sponsors.current,
        "compensationMicro": deployment.compensation,
        "chainTime": heads.time,
        "currentSlot": world.clock.slot_at(heads.time),
        "blockNumber": heads.number,
    }
