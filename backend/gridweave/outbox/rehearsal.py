"""Which queued acts may go now: each is executed without a trace before its transaction is signed.

An act that the contract would refuse is refused here, with the contract's reason and at nobody's cost. While something
that was accepted earlier and touches the same account, device or meter is under way, the answer would be about
yesterday, so the act waits for it, and what shares a lane with the act waits behind it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from gridweave.chain.errors import BlockNotAvailable, NodeError, Reverted
from gridweave.chain.node import Node
from gridweave.chain.types import Block
from gridweave.outbox.kinds import ACTS, call_of_act
from gridweave.outbox.outcomes import UNEXPLAINED, arguments_of
from gridweave.store.records import REJECTED, Item, ItemOutcome

__all__ = ["Rehearsal", "Sifted"]

_MOST_CALLS = 64
_NARROW = ("account:", "device:", "meter:", "model:")
"""Lanes that one account, device, meter or model has to itself; other lanes only say what an act may depend on."""


@dataclass
class Sifted:
    """What may be sent now, and what the contract would refuse."""

    ready: list[Item] = field(default_factory=list)
    refused: list[ItemOutcome] = field(default_factory=list)


@dataclass
class _Round:
    """One look at the queue. `ahead` is what stands before an item: lane to the first item that touches it."""

    head: Block
    room: int
    ahead: dict[str, int]
    calls: int = 0
    held: set[str] = field(default_factory=set)

    def add(self, item: Item) -> None:
        for lane in item.lanes:
            self.ahead[lane] = min(self.ahead.get(lane, item.seq), item.seq)

    def is_behind(self, item: Item, lanes: Sequence[str]) -> bool:
        return any(self.ahead.get(lane, item.seq) < item.seq for lane in lanes)


class Rehearsal:
    """Asks the node as `sender`. Raises NodeUnavailable, and NodeError where it will not hear of it now."""

    def __init__(self, node: Node, sender: str) -> None:
        self._node = node
        self._sender = sender
        self._failed: dict[int, bytes] = {}

    async def sift(self, queued: Sequence[Item], under_way: Sequence[Item], head: Block, room: int) -> Sifted:
        """Of `queued`, in the order of acceptance, what may go on top of `head`: at most `room` acts."""
        look = _Round(head, room, {})
        for item in under_way:
            look.add(item)
        sifted = Sifted()
        before, self._failed = self._failed, {}
        for item in queued:
            verdict = await self._verdict(item, look, before)
            if isinstance(verdict, ItemOutcome):
                sifted.refused.append(verdict)
                continue
            look.add(item)
            if verdict:
                sifted.ready.append(item)
            else:
                look.held.update(_narrow(item.lanes))
        return sifted

    async def _verdict(self, item: Item, look: _Round, before: dict[int, bytes]) -> ItemOutcome | bool:
        """Why the contract would refuse the item, or whether it may go now."""
        if not look.held.isdisjoint(item.lanes):
            return False
        if item.kind not in ACTS:
            return True
        if look.room <= 0 or look.calls >= _MOST_CALLS or look.is_behind(item, _narrow(item.lanes)):
            return False
        if before.get(item.seq) == look.head.hash:
            self._failed[item.seq] = look.head.hash
            return False
        look.calls += 1
        try:
            refusal = await self._rehearse(item, look.head)
        except BlockNotAvailable:
            return False
        if refusal is None:
            look.room -= 1
            return True
        if look.is_behind(item, (*item.lanes, *item.payload.get("dependsOn", ()))):
            self._failed[item.seq] = look.head.hash
            return False
        return refusal

    async def _rehearse(self, item: Item, head: Block) -> ItemOutcome | None:
        try:
            await self._node.call(call_of_act(item), block=head.number, sender=self._sender)
        except Reverted as reverted:
            name, arguments = reverted.name or UNEXPLAINED, arguments_of(reverted)
        except BlockNotAvailable:
            raise
        except NodeError as error:
            if error.is_of_the_moment:
                raise
            name, arguments = UNEXPLAINED, {"reason": str(error)}
        else:
            return None
        return ItemOutcome(item.seq, REJECTED, name, arguments, block=head.number)


def _narrow(lanes: Sequence[str]) -> list[str]:
    return [lane for lane in lanes if lane.startswith(_NARROW)]
