"""The chain as the audit reads it: one transaction after another, each with its input, its time and its typed events.

Blocks come in ranges, so that memory does not grow with the chain. A range that the node finds too large is halved.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import AsyncIterator, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from gridweave.audit.differences import Kind, Place, Subject
from gridweave.audit.findings import Findings
from gridweave.chain.errors import ChainError, NodeError
from gridweave.chain.events import Event, decode_log
from gridweave.chain.hexes import quantity, to_hex
from gridweave.chain.node import Node
from gridweave.chain.types import Block, Log, Transaction

__all__ = ["ChainMoved", "Reach", "Step", "place_of", "steps"]


class ChainMoved(Exception):
    """The node's answers are not of one chain: a reorg while the audit ran, or a node that forgot. Run it again."""


@dataclass(frozen=True)
class Reach:
    """What is read: events of `contracts` in blocks `first` to `last`, `span` blocks at a time.

    With `every_block` also transactions to the contracts whose events the node does not show.
    """

    contracts: tuple[str, ...]
    first: int
    last: int
    span: int
    every_block: bool


@dataclass(frozen=True)
class Step:
    """One transaction that succeeded, with what our contracts said in it. Times are chain time in seconds."""

    transaction: Transaction
    block: Block
    events: tuple[Event, ...]

    @property
    def time(self) -> int:
        return self.block.timestamp

    @property
    def place(self) -> Place:
        """The transaction as a place, without a log index."""
        return Place(self.block.number, to_hex(self.transaction.hash))


def place_of(event: Event) -> Place:
    """Where an event stands."""
    return Place(event.block_number, to_hex(event.transaction_hash), event.log_index)


async def steps(node: Node, reach: Reach, findings: Findings, progress: Callable[[int], None]) -> AsyncIterator[Step]:
    """Every step in chain order. `progress` is told the last block done, `findings` of logs that are no events of ours.

    Raises ChainMoved, NodeUnavailable, NodeError.
    """
    reader = _Reader(node, reach, findings)
    at, span = reach.first, reach.span
    while at <= reach.last:
        end = min(reach.last, at + span - 1)
        try:
            found = await reader.read(at, end)
        except NodeError:
            if end == at:
                raise
            span = max(1, (end - at + 1) // 2)
            continue
        for step in found:
            yield step
        progress(end)
        at = end + 1


class _Reader:
    def __init__(self, node: Node, reach: Reach, findings: Findings) -> None:
        self._node, self._reach, self._findings = node, reach, findings
        self._contracts = frozenset(reach.contracts)
        self._parent: bytes | None = None

    async def read(self, first: int, last: int) -> list[Step]:
        logs = self._once(await self._node.logs(first, last, self._reach.contracts))
        by_block: dict[int, list[Log]] = defaultdict(list)
        for log in logs:
            by_block[log.block_number].append(log)
        numbers = range(first, last + 1) if self._reach.every_block else sorted(by_block)
        steps: list[Step] = []
        for raw in await self._raw_blocks(numbers):
            block = self._block(raw)
            steps += await self._steps(block, raw["transactions"], by_block.pop(block.number, []))
        if by_block:
            raise ChainMoved(f"the node has logs of block {min(by_block)}, which is not among its blocks")
        return steps

    async def _raw_blocks(self, numbers: Iterable[int]) -> list[Mapping[str, Any]]:
        asked = [("eth_getBlockByNumber", [quantity(number), True]) for number in numbers]
        raws = await self._node.batch(asked) if asked else []
        for raw in raws:
            if isinstance(raw, ChainError):
                raise raw
            if not raw:
                raise ChainMoved("a block is gone that was there")
        return raws

    def _block(self, raw: Mapping[str, Any]) -> Block:
        block = Block.parse({**raw, "transactions": [entry["hash"] for entry in raw["transactions"]]})
        if self._reach.every_block and self._parent not in (None, block.parent_hash):
            raise ChainMoved(f"block {block.number} does not follow the block before it")
        self._parent = block.hash
        return block

    async def _steps(self, block: Block, raws: Sequence[Mapping[str, Any]], logs: list[Log]) -> list[Step]:
        if any(log.block_hash != block.hash for log in logs):
            raise ChainMoved(f"block {block.number} changed while it was read")
        by_transaction: dict[bytes, list[Log]] = defaultdict(list)
        for log in logs:
            by_transaction[log.transaction_hash].append(log)
        steps = []
        for transaction in map(Transaction.parse, raws):
            entries = by_transaction.pop(transaction.hash, [])
            if entries or await self._succeeded_silently(transaction):
                steps.append(Step(transaction, block, tuple(self._events(entries))))
        for strays in by_transaction.values():
            for log in strays:
                self._findings.differ(
                    Kind.UNREADABLE_EVENT,
                    Subject(event=_name(log)),
                    "a transaction of its block",
                    to_hex(log.transaction_hash),
                    place=_place(log),
                )
        return steps

    async def _succeeded_silently(self, transaction: Transaction) -> bool:
        """Whether a call of ours without a single event was executed: then the node may be hiding what it did."""
        if transaction.to not in self._contracts:
            return False
        receipt = await self._node.receipt(transaction.hash)
        return receipt is not None and receipt.succeeded

    def _once(self, logs: list[Log]) -> list[Log]:
        """The logs in chain order, each place once."""
        kept: dict[tuple[int, int], Log] = {}
        for log in logs:
            place = log.block_number, log.log_index
            if place in kept:
                subject = Subject(event=_name(log))
                self._findings.differ(
                    Kind.REPEATED_EVENT, subject, "one log at this place", "several", place=_place(log)
                )
            else:
                kept[place] = log
        return sorted(kept.values(), key=lambda log: (log.block_number, log.log_index))

    def _events(self, logs: list[Log]) -> Iterable[Event]:
        for log in logs:
            try:
                event = decode_log(log)
            except ValueError as error:
                self._unreadable(log, str(error))
                continue
            if event is None:
                self._unreadable(log, to_hex(log.topics[0]) if log.topics else "no topic")
            else:
                yield event

    def _unreadable(self, log: Log, said: str) -> None:
        subject = Subject(event=_name(log), account=log.contract)
        self._findings.differ(Kind.UNREADABLE_EVENT, subject, "an event that is known", said, place=_place(log))


def _place(log: Log) -> Place:
    return Place(log.block_number, to_hex(log.transaction_hash), log.log_index)


def _name(log: Log) -> str | None:
    try:
        event = decode_log(log)
    except ValueError:
        return None
    return type(event).__name__ if event else None
