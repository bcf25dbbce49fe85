"""The deployment, and the service's own state, as they are answered."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from gridweave.api.shapes.base import AccountId, Count, Hash, Micro, Shape, Slot

__all__ = ["AliveOut", "DeploymentOut", "ReadyOut"]

_Block = Annotated[int, Field(ge=-1, description="-1 before the first block is indexed")]


class DeploymentOut(Shape):
    """What a signer must know of the chain; times are chain seconds."""

    chain_id: Count
    genesis_hash: Hash
    slot_length: Count
    hold_length: Count
    horizon: Count
    contracts: dict[str, AccountId]
    currency: AccountId
    start_block: Count
    finality_depth: Count
    final_block: Count
    commit_margin: Count
    most_deadline_ahead: Count
    relayer: AccountId
    former_relayers: list[AccountId]
    sponsor: AccountId | None
    compensation_micro: Micro
    chain_time: Count
    time_zone: str
    current_slot: Slot
    block_number: _Block


class AliveOut(Shape):
    """The process lives."""

    status: Literal["ok"]


class ReadyOut(Shape):
    """It can serve."""

    status: Literal["ready"]
    block_number: _Block
    warnings: list[str]
