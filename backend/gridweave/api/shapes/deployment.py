"""What runs here, and over which deployment, as it is answered."""

from __future__ import annotations

from typing import Literal

from gridweave.api.fields import Id
from gridweave.api.shapes.base import AccountId, Count, Hash, Micro, NewestBlock, Shape

__all__ = ["DeploymentOut", "VersionOut"]


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
    current_slot: Id
    block_number: NewestBlock


class VersionOut(Shape):
    """What runs, and the versions of the API it speaks."""

    gridweave: str
    api: list[Literal["v1"]]
