"""Follows the chain block by block by parent hash, and takes back what a reorganisation threw away.

Each step applies a range of blocks whose hashes chain from the cursor, with all their rows, in one transaction, and
reads the next range meanwhile. A step that finds another chain than the one it stands on goes back to the newest block
that both have.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from itertools import pairwise

import structlog

from gridweave.chain.errors import BlockNotAvailable, ChainError, NodeUnavailable
from gridweave.chain.events import EVENTS, decode_logs, topics_of
from gridweave.chain.hexes import from_hex, to_hex
from gridweave.chain.node import Node
from gridweave.chain.types import Block, Log
from gridweave.indexer.projections import Row, project
from gridweave.store.errors import StoreUnavailable
from gridweave.store.index import IndexedBlock, IndexStore

__all__ = ["Follower", "Step", "patiently"]

log = structlog.get_logger(__name__)

_FORK_STRIDE = 64
_MAY_FORK = 64
"""Blocks below the head whose number may still stand for two blocks."""


@dataclass(frozen=True)
class Step:
    """What one step did: undid all above `undone_to` (None: nothing), then added `blocks` with `rows` by table.

    `by_another`: the index had been moved since this follower left it, by another process or by a commit whose answer
    was lost. `stands` is the block that the index stands on after a step that moved.
    """

    blocks: tuple[IndexedBlock, ...] = ()
    rows: Mapping[str, Sequence[Row]] = field(default_factory=dict, repr=False)
    undone_to: int | None = None
    by_another: bool = False
    stands: IndexedBlock | None = None

    @property
    def moved(self) -> bool:
        """Whether anything changed."""
        return bool(self.blocks) or self.undone_to is not None or self.by_another


class Follower:
    """Keeps the index at the chain's head. `contracts` are the addresses to follow from block `start` on."""

    def __init__(
        self, node: Node, store: IndexStore, *, contracts: Sequence[str], start: int, most_blocks: int = 100
    ) -> None:
        self._node = node
        self._store = store
        self._contracts = list(contracts)
        self._start = start
        self._most = most_blocks
        self._topics = topics_of(*EVENTS.values())
        self._ahead = Step()
        self._left: IndexedBlock | None = None
        self.seen: Block | None = None
        """The node's newest block at the last look."""

    async def step(self) -> Step:
        """Moves the index once, or not at all: then it raises NodeUnavailable or StoreUnavailable."""
        step, self._ahead = self._ahead, Step()
        head = self.seen = await self._node.head()
        cursor = await self._store.head()
        if cursor != self._left:
            self._left = cursor
            return Step(by_another=True, stands=cursor)
        if cursor is not None and not await self._stands(cursor, head):
            return await self._undo(cursor, head)
        if cursor is None or not _follows(cursor, step):
            step = await self._read(self._start if cursor is None else cursor.number + 1, head.number)
        if not (_follows(cursor, step) if cursor else step.blocks):
            return Step()
        await self._write(step, head.number)
        return step

    async def catch_up(self) -> int:
        """Steps until nothing moves any more; how many blocks were added. For rebuilding."""
        added = 0
        while (step := await self.step()).moved:
            added += len(step.blocks)
        return added

    async def _undo(self, cursor: IndexedBlock, head: Block) -> Step:
        """Goes back to the fork, if there is one: a node may be two that do not stand at the same block."""
        fork = await self._fork(cursor)
        if fork == cursor:
            return Step()
        number = fork.number if fork else self._start - 1
        await self._store.undo(number)
        self._left = fork
        log.info("reorganisation", undone_to=number, was=cursor.number, head=head.number)
        return Step(undone_to=number, stands=fork)

    async def _write(self, step: Step, head: int) -> None:
        """Applies the step, and reads what follows meanwhile."""
        reading = asyncio.create_task(self._look_ahead(step.blocks[-1].number + 1, head))
        try:
            await self._store.apply(step.blocks, step.rows)
            self._left = step.stands
            self._ahead = await reading
        finally:
            reading.cancel()

    async def _look_ahead(self, first: int, head: int) -> Step:
        with suppress(ChainError):  # the next step will read it again
            return await self._read(first, head)
        return Step()

    async def _read(self, first: int, head: int) -> Step:
        """The step from block `first` on, not yet applied: empty at the head, and of blocks that changed meanwhile."""
        numbers = range(first, min(head, first + self._most - 1) + 1)
        found = [block for block in await self._node.blocks(numbers) if block is not None]
        if not found or not _chains(found):
            return Step()
        logs = await self._logs(found, head)
        hashes = {block.number: block.hash for block in found}
        if logs is None or any(hashes.get(entry.block_number) != entry.block_hash for entry in logs):
            return Step()
        blocks = tuple(map(_indexed, found))
        return Step(blocks, project(decode_logs(logs)), stands=blocks[-1])

    async def _logs(self, found: Sequence[Block], head: int) -> list[Log] | None:
        """The logs of these blocks, None if the node knows others by now.

        Near the head they are asked for by hash: by number, a node (or two behind one address) could say that there are
        none, of a block of another fork, and nobody would miss them.
        """
        first, last = found[0], found[-1]
        if last.number > head - _MAY_FORK:
            try:
                logs = await self._node.logs_of([block.hash for block in found], self._contracts, self._topics)
            except BlockNotAvailable:
                return None
        else:
            logs = await self._node.logs(first.number, last.number, self._contracts, self._topics)
        again = await self._node.block(last.number)
        return logs if again is not None and again.hash == last.hash else None

    async def _stands(self, cursor: IndexedBlock, head: Block) -> bool:
        """Whether the chain still holds the block that the index stands on."""
        if head.number == cursor.number:
            return to_hex(head.hash) == cursor.hash
        if head.number == cursor.number + 1:
            return to_hex(head.parent_hash) == cursor.hash
        if head.number < cursor.number:
            return False
        return await self._holds(cursor)

    async def _holds(self, block: IndexedBlock) -> bool:
        found = await self._node.block(block.number)
        return found is not None and found.hash == from_hex(block.hash)

    async def _fork(self, cursor: IndexedBlock) -> IndexedBlock | None:
        """The newest block that index and chain share."""
        at = cursor.number
        while stretch := await self._store.below(at, _FORK_STRIDE):
            theirs = await self._node.blocks([block.number for block in stretch])
            for ours, other in zip(stretch, theirs, strict=True):
                if other is not None and to_hex(other.hash) == ours.hash:
                    return ours
            at = stretch[-1].number - 1
        return None


def _follows(cursor: IndexedBlock, step: Step) -> bool:
    """Whether the step's blocks go on from the cursor."""
    first = step.blocks[0] if step.blocks else None
    return first is not None and (first.number, first.parent_hash) == (cursor.number + 1, cursor.hash)


def _chains(found: Sequence[Block]) -> bool:
    """Whether each block names the one before it as its parent."""
    return all(
        (after.number, after.parent_hash) == (before.number + 1, before.hash) for before, after in pairwise(found)
    )


def _indexed(block: Block) -> IndexedBlock:
    return IndexedBlock(block.number, to_hex(block.hash), to_hex(block.parent_hash), block.timestamp)


async def patiently(follower: Follower, pause_s: float, reached: Callable[[], None] = lambda: None) -> Step:
    """One step, or a pause and an empty step while node or database is away. `reached` is called after a step."""
    try:
        step = await follower.step()
        reached()
        return step
    except (NodeUnavailable, StoreUnavailable) as away:
        log.warning("indexer waits", reason=str(away))
    except ChainError as error:
        log.error("indexer refused by the node", reason=str(error))
    await asyncio.sleep(pause_s)
    return Step()
