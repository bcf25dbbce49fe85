"""How a running service is, in one value: for metrics, readiness and the operations page.

What cannot be asked now is None, never a reason to say nothing at all: an operator looks here when something is away.
"""

from __future__ import annotations

import time
from dataclasses import dataclass

from gridweave.chain.types import Block
from gridweave.outbox.tally import Tally
from gridweave.services.purse import PurseState
from gridweave.services.reorgs import Reorgs
from gridweave.services.runtime import Runtime
from gridweave.store.errors import StoreUnavailable
from gridweave.store.watch import OutboxWatch, Standing
from gridweave.timing import Timing, now_ms

__all__ = ["OutboxVitals", "Vitals", "vitals"]


@dataclass(frozen=True)
class OutboxVitals:
    """What is not final, how many items were ever accepted, and batches by state (open, mined)."""

    standing: tuple[Standing, ...]
    accepted: int
    batches: dict[str, int]
    at_ms: int

    def count(self, status: str) -> int:
        """Items of that status that are not final."""
        return sum(row.count for row in self.standing if row.status == status)

    def oldest_s(self, status: str) -> float:
        """Age in seconds of the oldest item of that status that is not final; 0 for none."""
        ages = [self.at_ms - row.oldest_ms for row in self.standing if row.status == status]
        return max(ages, default=0) / 1_000


@dataclass(frozen=True)
class Vitals:
    """A look at everything. `not_ready`: why requests cannot be served, None if they can."""

    not_ready: str | None
    head: Block | None
    indexed_block: int
    chain_time: int
    final_block: int
    outbox: OutboxVitals | None
    tally: Tally
    reorgs: Reorgs
    purse: PurseState | None
    low_balance: bool
    out_of_funds: bool
    keeper_due: int
    keeper_given_up: int
    streams: int
    node: Timing
    databases: dict[str, Timing]
    seconds_since_reached: float

    @property
    def lag_blocks(self) -> int | None:
        """Blocks of the node that the index has not seen."""
        return max(0, self.head.number - self.indexed_block) if self.head else None

    @property
    def lag_seconds(self) -> int | None:
        """Chain time between the index and the node's newest block."""
        return max(0, self.head.timestamp - self.chain_time) if self.head and self.chain_time else None

    @property
    def warnings(self) -> list[str]:
        """What does not keep requests from being served and wants somebody all the same."""
        found = []
        if self.out_of_funds:
            found.append("the relayer cannot pay for more orders: new ones are refused until it has gas money")
        elif self.low_balance:
            found.append("the relayer's balance is low")
        if self.keeper_given_up:
            found.append(f"{self.keeper_given_up} clearings or settlements are refused again and again")
        return found


async def vitals(runtime: Runtime) -> Vitals:
    """A look now. Raises nothing that node or database may do."""
    world = runtime.world
    return Vitals(
        not_ready=runtime.not_ready(),
        head=runtime.node_head,
        indexed_block=world.heads.number,
        chain_time=world.heads.time,
        final_block=world.heads.final,
        outbox=await _outbox(runtime),
        tally=runtime.tally,
        reorgs=runtime.reorgs,
        purse=world.purse.state,
        low_balance=world.purse.is_low,
        out_of_funds=world.purse.is_empty,
        keeper_due=runtime.due,
        keeper_given_up=runtime.given_up,
        streams=runtime.readers.taken,
        node=world.node.timing,
        databases={"outbox": runtime.stores.outbox.timing, "index": runtime.stores.index.timing},
        seconds_since_reached=time.monotonic() - runtime.moved_at,
    )


async def _outbox(runtime: Runtime) -> OutboxVitals | None:
    watch = OutboxWatch(runtime.stores.outbox)
    try:
        standing, accepted = await watch.standing(), await runtime.world.outbox.accepted_total()
        return OutboxVitals(tuple(standing), accepted, await watch.batches(), now_ms())
    except StoreUnavailable:
        return None
