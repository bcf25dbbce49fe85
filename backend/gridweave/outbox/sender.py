"""The only sender of transactions: owns the relayer's nonces, fees and replacements.

Signed bytes are on disk before they leave, and the same bytes leave again after a restart, a dropped pool or a
reorganisation, in the order of their nonces. A nonce is never skipped, so no gap can stop the ones behind it.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import structlog

from gridweave.chain.contracts import Contracts
from gridweave.chain.errors import ChainError, NodeError, NodeUnavailable
from gridweave.chain.hexes import to_hex
from gridweave.chain.keys import Signer
from gridweave.chain.node import Node
from gridweave.chain.profile import Fees, NetworkProfile
from gridweave.chain.types import Block, Call
from gridweave.outbox.gas_model import GasModel
from gridweave.outbox.kinds import ACTS, ORDERS, call_of
from gridweave.outbox.outcomes import GATE_CLOSED_BY_REORG
from gridweave.outbox.planner import Group, leave_room, plan
from gridweave.outbox.queue import Lanes
from gridweave.outbox.rehearsal import Rehearsal
from gridweave.outbox.tally import Tally
from gridweave.outbox.tracker import Tracker
from gridweave.store.errors import StoreUnavailable
from gridweave.store.outbox import OutboxStore
from gridweave.store.records import OPEN, REJECTED, Batch, Draft, Item, ItemOutcome, SignedBytes
from gridweave.timing import now_ms

__all__ = ["Pace", "Sender"]

log = structlog.get_logger(__name__)

_MOST_QUEUED = 4_000


@dataclass(frozen=True)
class Pace:
    """How patient the sender is, in milliseconds of wall-clock time."""

    window_ms: int = 200
    poll_ms: int = 250
    resend_ms: int = 5_000
    most_open: int = 16
    patience_blocks: int = 6  # blocks that a batch may wait before its fee is raised
    most_fee_factor: int = 10  # a fee is raised to at most so many times what a new transaction would offer

    @property
    def most_others(self) -> int:
        """Open batches that may carry other than single orders and cancels, to which a quarter is left."""
        return self.most_open - self.most_open // 4


@dataclass
class _Sent:
    """When this process last sent a batch's bytes, since which block it waits to be mined, and whether the node said
    that the relayer cannot pay."""

    at: float = 0.0
    block: int = 0
    unpaid: bool = False


@dataclass
class _State:
    head: Block | None = None
    next_nonce: int | None = None
    sent: dict[int, _Sent] = field(default_factory=dict)


class Sender:
    """Turns queued items into mined transactions. `run` until cancelled; `ring` when something was queued."""

    def __init__(
        self,
        node: Node,
        store: OutboxStore,
        contracts: Contracts,
        signer: Signer,
        profile: NetworkProfile,
        lanes: Lanes,
        *,
        gas: GasModel | None = None,
        pace: Pace | None = None,
    ) -> None:
        self._node = node
        self._store = store
        self._contracts = contracts
        self._signer = signer
        self._profile = profile
        self._gas = gas or GasModel()
        self._pace = pace or Pace()
        self.tally = Tally()
        self._tracker = Tracker(node, store, contracts, profile, signer.address, lanes, self.tally)
        self._rehearsal = Rehearsal(node, signer.address)
        self._lanes = lanes
        self._state = _State()
        self._bell = asyncio.Event()

    def ring(self) -> None:
        """Something is queued."""
        self._bell.set()

    async def remember(self) -> None:
        """Counts what is under way since before this process; to be called before anything is accepted."""
        for item in await self._store.pending():
            self._lanes.add(item.lanes)

    async def run(self) -> None:
        """Sends until cancelled. Node and database may go away and come back."""
        while True:
            try:
                await self.step()
            except (NodeUnavailable, StoreUnavailable) as away:
                log.warning("sender waits", reason=str(away))
                await asyncio.sleep(1.0)
            except ChainError as error:
                log.error("sender refused by the node", reason=str(error))
                await asyncio.sleep(1.0)
            await self._pause()

    async def step(self) -> None:
        """One round: follow the chain, send again what needs it, send what is queued."""
        head = await self._node.head()
        state = self._state
        thrown_out = False
        if state.head is None or head.hash != state.head.hash:
            thrown_out = await self._tracker.follow(head)
        state.head = head
        open_batches = await self._store.batches(OPEN)
        if thrown_out:
            state.sent.clear()
        open_batches = await self._mend_gap(open_batches, head)
        await self._send_again(open_batches, head)
        await self._dispatch(open_batches, head)

    async def _pause(self) -> None:
        """Until the next poll; when the bell rings, one gathering window."""
        try:
            async with asyncio.timeout(
                self._pace.poll_ms / 1_000
            ):  # wait_for would lose a cancellation as the bell rings
                await self._bell.wait()
        except TimeoutError:
            return
        self._bell.clear()
        await asyncio.sleep(self._pace.window_ms / 1_000)

    # what is queued

    async def _dispatch(self, open_batches: Sequence[Batch], head: Block) -> None:
        room = self._pace.most_open - len(open_batches)
        if room <= 0:
            return
        queued = await self._drop_late(await self._store.queued(_MOST_QUEUED), head)
        ready = await self._rehearsed(queued, open_batches, head)
        others = self._pace.most_others - sum(batch.kind not in ORDERS for batch in open_batches)
        groups = leave_room(plan(ready, self._gas), room, others)
        if not groups:
            return
        first = await self._next_nonce(head)
        fees = self._profile.fees(head.base_fee)
        drafts = [self._draft(group, first + at, fees) for at, group in enumerate(groups)]
        self._state.next_nonce = None  # a commit whose answer is lost may have used them
        batches = await self._store.add_batches(drafts)
        self._state.next_nonce = first + len(drafts)
        for batch, draft, group in zip(batches, drafts, groups, strict=True):
            log.info("batch signed", items=[item.id for item in group.items], **_named(batch, draft.signing))
        await self._send(batches, [draft.signing.raw for draft in drafts], head)

    async def _rehearsed(self, queued: list[Item], open_batches: Sequence[Batch], head: Block) -> list[Item]:
        """What may be sent now; acts that the contract would refuse are rejected without a transaction."""
        if not any(item.kind in ACTS for item in queued):
            return queued
        carried = await self._store.items_of([batch.id for batch in open_batches])
        room = self._pace.most_others - sum(batch.kind in ACTS for batch in open_batches)
        under_way = [item for items in carried.values() for item in items]
        sifted = await self._rehearsal.sift(queued, under_way, head, room)
        refused = {outcome.seq for outcome in sifted.refused}
        await self._reject(sifted.refused, [item for item in queued if item.seq in refused])
        return sifted.ready

    async def _drop_late(self, queued: Sequence[Item], head: Block) -> list[Item]:
        """Items that can no longer be executed are rejected here, not on chain."""
        late = [item for item in queued if item.commit_before <= head.timestamp]
        await self._reject([ItemOutcome(item.seq, REJECTED, _late_reason(item)) for item in late], late)
        gone = {item.seq for item in late}
        return [item for item in queued if item.seq not in gone]

    async def _reject(self, outcomes: Sequence[ItemOutcome], items: Sequence[Item]) -> None:
        await self._store.reject(outcomes)
        self.tally.count(outcomes)
        reasons = {outcome.seq: outcome.reason for outcome in outcomes}
        for item in items:
            log.info("refused", item=item.id, kind=item.kind, reason=reasons.get(item.seq))
            self._lanes.remove(item.lanes)

    def _draft(self, group: Group, nonce: int, fees: Fees) -> Draft:
        call = call_of(self._contracts, group.items)
        gas = self._gas.limit_of(group.items)
        signing = self._sign(call, nonce, gas, fees)
        seqs = tuple(item.seq for item in group.items)
        return Draft(nonce, group.kind, call.to or "", call.data, gas, signing, seqs)

    def _sign(self, call: Call, nonce: int, gas: int, fees: Fees, batch: int = 0) -> SignedBytes:
        signed = self._signer.sign(call, nonce=nonce, fees=fees, chain_id=self._profile.chain_id, gas=gas)
        return SignedBytes(to_hex(signed.hash), batch, signed.raw, fees.most, fees.priority, now_ms())

    async def _next_nonce(self, head: Block) -> int:
        if self._state.next_nonce is None:
            last = await self._store.last_nonce()
            mined = await self._node.nonce(self._signer.address, head.number)
            self._state.next_nonce = mined if last is None else max(mined, last + 1)
        return self._state.next_nonce

    # what is under way

    async def _mend_gap(self, open_batches: list[Batch], head: Block) -> list[Batch]:
        """If the chain waits for a nonce below all of ours, none of ours can ever be mined: they get new nonces."""
        if not open_batches or open_batches[0].id in self._state.sent:
            return open_batches
        awaited = await self._node.nonce(self._signer.address, head.number)
        if awaited >= open_batches[0].nonce or await self._store.has_nonce(awaited):
            return open_batches
        log.error("nonces lost", awaited=awaited, lowest=open_batches[0].nonce)
        self.tally.nonces_lost += len(open_batches)
        for batch in open_batches:
            await self._store.bury(batch.id)
        self._state.next_nonce = None
        return []

    async def _send_again(self, open_batches: Sequence[Batch], head: Block) -> None:
        now = time.monotonic()
        quiet = self._pace.resend_ms / 1_000
        stale = [b for b in open_batches if b.id not in self._state.sent or now - self._state.sent[b.id].at > quiet]
        if not stale:
            return
        signed = await self._store.signed_of([batch.id for batch in stale])
        entries = [await self._bytes_now(batch, signed[batch.id], head) for batch in stale]
        self.tally.resends += len(stale)
        for batch, entry in zip(stale, entries, strict=True):
            log.info("sent again", **_named(batch, entry))
        await self._send(stale, [entry.raw for entry in entries], head)

    async def _bytes_now(self, batch: Batch, signed: Sequence[SignedBytes], head: Block) -> SignedBytes:
        """The newest bytes, or dearer ones; while the relayer cannot pay, the cheapest that can still be mined."""
        base_fee, newest = head.base_fee or 0, signed[-1]
        sent = self._state.sent.get(batch.id)
        minable = [entry for entry in signed if entry.most_fee >= base_fee]
        if sent is not None and sent.unpaid and minable:
            return min(minable, key=lambda entry: entry.most_fee)
        waited = head.number - sent.block if sent else 0
        if newest.most_fee >= base_fee and waited < self._pace.patience_blocks:
            return newest
        usual = self._profile.fees(head.base_fee)
        fees = usual.at_least(Fees(newest.most_fee, newest.priority_fee).outbid())
        if fees.most > usual.most * self._pace.most_fee_factor:
            return newest
        return await self._outbid(batch, fees)

    async def _outbid(self, batch: Batch, fees: Fees) -> SignedBytes:
        signing = self._sign(Call(batch.to, batch.data), batch.nonce, batch.gas, fees, batch.id)
        await self._store.add_signed(batch.id, signing)
        self._state.sent.pop(batch.id, None)
        self.tally.fee_raises += 1
        log.info("fee raised", most_fee=fees.most, **_named(batch, signing))
        return signing

    async def _send(self, batches: Sequence[Batch], raws: Sequence[bytes], head: Block) -> None:
        results = await self._node.send_raws(raws)
        now = time.monotonic()
        for batch, result in zip(batches, results, strict=True):
            sent = self._state.sent.setdefault(batch.id, _Sent(block=head.number))
            sent.at = now
            sent.unpaid = isinstance(result, NodeError) and result.insufficient_funds
            if sent.unpaid:
                sent.block = head.number
            if isinstance(result, NodeError) and not (result.already_known or result.nonce_too_low):
                self.tally.refused_by_node += 1
                log.warning("node refused a transaction", batch=batch.id, nonce=batch.nonce, reason=str(result))
            elif isinstance(result, NodeUnavailable):
                raise result


def _named(batch: Batch, signing: SignedBytes) -> dict[str, Any]:
    """What a log line calls a batch: the transaction of these bytes, on its way."""
    return {"batch": batch.id, "kind": batch.kind, "nonce": batch.nonce, "transaction": signing.tx_hash}


def _late_reason(item: Item) -> str:
    return GATE_CLOSED_BY_REORG if item.was_committed else str(item.payload.get("late", "ActExpired"))
