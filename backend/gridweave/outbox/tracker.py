"""Where the batches stand on the chain: what is mined, what a reorganisation threw out, what is final."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import structlog

from gridweave.chain.contracts import Contracts
from gridweave.chain.hexes import from_hex, to_hex
from gridweave.chain.node import Node
from gridweave.chain.profile import NetworkProfile
from gridweave.chain.types import Block, Receipt
from gridweave.outbox.kinds import BATCHED, FINAL_WITH_BLOCK, Kind
from gridweave.outbox.outcomes import OUT_OF_GAS, UNEXPLAINED, outcomes_of, rejected, revert_of
from gridweave.outbox.queue import Lanes
from gridweave.outbox.tally import Tally
from gridweave.store.outbox import OutboxStore
from gridweave.store.records import MINED, OPEN, Batch, Item, ItemOutcome

__all__ = ["Tracker"]

log = structlog.get_logger(__name__)

_WHOLE_CALL = frozenset(
    {
        "AlreadyCleared",
        "GateNotClosed",
        "NotCleared",
        "ReadingDeadlineNotPassed",
        "ReadingTooEarly",
        "ReadingTooLate",
        "SlotForgotten",
        "UnknownMarket",
    }
)
_WINDOW = 500
_MOST_ATTEMPTS = 8


@dataclass(frozen=True)
class _View:
    """One look at the chain: its head and how many transactions of the relayer it holds."""

    head: Block
    nonce: int


class Tracker:
    """Compares the outbox with the chain at every new head. Raises NodeUnavailable, StoreUnavailable."""

    def __init__(
        self,
        node: Node,
        store: OutboxStore,
        contracts: Contracts,
        profile: NetworkProfile,
        relayer: str,
        lanes: Lanes,
        tally: Tally,
    ) -> None:
        self._node = node
        self._store = store
        self._contracts = contracts
        self._profile = profile
        self._relayer = relayer
        self._lanes = lanes
        self._tally = tally
        self._finalized = -1

    async def follow(self, head: Block) -> bool:
        """Brings the outbox up to `head`. Whether batches were thrown out and must be sent again."""
        view = _View(head, await self._node.nonce(self._relayer, head.number))
        thrown_out = await self._throw_out(view)
        await self._gather(view)
        await self._finalize(view)
        return thrown_out

    async def _throw_out(self, view: _View) -> bool:
        """Reopens batches whose block is gone, even such as were final.

        It looks at every head, though none need have gone since the last: a receipt may come from a fork that the heads
        never told of, where two nodes stand behind one address.
        """
        mined = await self._store.batches(MINED)
        numbers = sorted({batch.block_number or 0 for batch in mined})
        found = await self._node.blocks(numbers) if numbers else []
        hashes = {number: block.hash for number, block in zip(numbers, found, strict=True) if block is not None}
        gone = [b for b in mined if hashes.get(b.block_number or 0) != from_hex(b.block_hash or "0x")]
        lost = await self._store.lost(view.nonce)
        if lost:
            log.error("finality violated", batches=len(lost), nonce=view.nonce)
        await self._reopen([*gone, *lost])
        return bool(gone or lost)

    async def _reopen(self, batches: Sequence[Batch]) -> None:
        if not batches:
            return
        carried = await self._store.items_of([batch.id for batch in batches])
        await self._store.reopen([batch.id for batch in batches])
        for items in carried.values():
            for item in items:
                self._lanes.add(item.lanes)
        self._tally.thrown_out += len(batches)
        log.warning("batches thrown out by a reorganisation", batches=[batch.id for batch in batches])

    async def _gather(self, view: _View) -> None:
        """Reads the receipts of open batches whose nonce is used."""
        used = [batch for batch in await self._store.batches(OPEN) if batch.nonce < view.nonce][:_WINDOW]
        if not used:
            return
        signed = await self._store.signed_of([batch.id for batch in used])
        hashes = [entry.tx_hash for batch in used for entry in signed[batch.id]]
        receipts = await self._node.receipts([from_hex(hash_) for hash_ in hashes])
        by_hash = {hash_: receipt for hash_, receipt in zip(hashes, receipts, strict=True) if receipt is not None}
        carried = await self._store.items_of([batch.id for batch in used])
        for batch in used:
            found = next((by_hash[e.tx_hash] for e in signed[batch.id] if e.tx_hash in by_hash), None)
            if found is not None:
                await self._record(batch, found, carried[batch.id])
            else:
                await self._bury_if_lost(batch, view)

    async def _record(self, batch: Batch, receipt: Receipt, items: Sequence[Item]) -> None:
        retry: list[int] = []
        if receipt.succeeded:
            outcomes = outcomes_of(items, receipt, self._contracts) if items else []
            known = {outcome.seq for outcome in outcomes}
            outcomes += [rejected(item, UNEXPLAINED) for item in items if item.seq not in known]
        else:
            outcomes, retry = await self._failed(batch, receipt, items)
        block, transaction = (receipt.block_number, to_hex(receipt.block_hash)), to_hex(receipt.transaction_hash)
        await self._store.record_mined(batch.id, transaction, block, receipt.gas_used, outcomes, retry)
        self._tally.count(outcomes)
        ids = {item.seq: item.id for item in items}
        refused = {ids[outcome.seq]: outcome.reason for outcome in outcomes if outcome.reason}
        log.info("batch mined", batch=batch.id, transaction=transaction, block=block[0], refused=refused)
        for item in items:
            if item.seq not in retry:
                self._lanes.remove(item.lanes)

    async def _failed(
        self, batch: Batch, receipt: Receipt, items: Sequence[Item]
    ) -> tuple[list[ItemOutcome], list[int]]:
        """A whole transaction failed: for all of its items alike, or smaller batches will tell for which."""
        name, arguments = await revert_of(self._node, batch, receipt)
        self._tally.reverts += 1
        log.warning(
            "transaction failed", batch=batch.id, kind=batch.kind, nonce=batch.nonce, reason=name, items=len(items)
        )
        alike = name in _WHOLE_CALL or (len(items) == 1 and name != OUT_OF_GAS)
        if Kind(batch.kind) in BATCHED and not alike and any(item.attempts < _MOST_ATTEMPTS for item in items):
            return [], [item.seq for item in items]
        return [rejected(item, name, arguments) for item in items], []

    async def _bury_if_lost(self, batch: Batch, view: _View) -> None:
        """The nonce is used, but not by us: final beyond doubt, so the items need another."""
        final = self._profile.final_block(view.head.number)
        if batch.nonce < await self._node.nonce(self._relayer, final):
            self._tally.nonces_lost += 1
            log.error("another transaction took the relayer's nonce", batch=batch.id, nonce=batch.nonce)
            await self._store.bury(batch.id)

    async def _finalize(self, view: _View) -> None:
        final = self._profile.final_block(view.head.number)
        if final == self._finalized:
            return
        block = await self._node.block(final)
        if block is not None:
            await self._store.finalize(final, block.timestamp, FINAL_WITH_BLOCK)
            self._finalized = final
