"""How the service is, as it is answered: null where it cannot be asked now."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from gridweave.api.fields import Id
from gridweave.api.shapes.base import AccountId, Count, NewestBlock, Shape
from gridweave.api.shapes.markets import ClearingOut

__all__ = ["AliveOut", "OperationsOut", "ReadyOut"]

_Seconds = Annotated[float, Field(description="seconds")]
_Wei = Annotated[str, Field(pattern=r"^-?[0-9]+$", description="wei")]


class ChainOut(Shape):
    """The node's head beside the index."""

    head_block: Count | None
    head_time: Count | None
    indexed_block: int
    indexed_time: Count
    final_block: int
    lag_blocks: int | None
    lag_seconds: _Seconds | None
    unreached_seconds: _Seconds


class StandingOut(Shape):
    """Items of one kind and status that are not final."""

    kind: str
    status: str
    count: Count


class OutboxOut(Shape):
    """What is acknowledged; batches by state."""

    accepted: Count
    oldest_seconds: dict[str, float]
    batches: dict[str, int]
    items: list[StandingOut]


class RelayerOut(Shape):
    """The key that pays, and what it has left."""

    address: AccountId
    low: bool
    balance_wei: _Wei | None
    owed_wei: _Wei | None
    orders_left: int | None
    hours_left: float | None


class KeeperOut(Shape):
    """What is due to be cleared, settled and closed."""

    runs: bool
    due: Count
    given_up: Count


class ReorganisationOut(Shape):
    """One that this process saw; `atMs` is wall-clock time."""

    at_ms: Count
    fork_block: int
    depth_blocks: Count


class ReorganisationsOut(Shape):
    """Since the process began."""

    count: Count
    deepest_blocks: Count
    newest: list[ReorganisationOut]


class NewestClearingOut(ClearingOut):
    """A market's newest clearing."""

    market: Count
    slot: Id
    starts_at: Count


class OperationsOut(Shape):
    """How the service is."""

    gridweave: str
    chain_id: Count
    ready: bool
    reason: str | None
    warnings: list[str]
    chain: ChainOut
    outbox: OutboxOut | None
    relayer: RelayerOut
    keeper: KeeperOut
    reorganisations: ReorganisationsOut
    markets: list[NewestClearingOut] | None
    streams: Count


class AliveOut(Shape):
    """The process lives."""

    status: Literal["ok"]


class ReadyOut(Shape):
    """It can serve."""

    status: Literal["ready"]
    block_number: NewestBlock
    warnings: list[str]
