"""After a restore: what the relayer sent since the backup was taken is found on the chain and learnt again.

Without this nothing would act twice either, since each item is protected by its own nonce or version, but what had been
done would be told as refused. Transactions that failed left no logs, are not found, and had no effect.
"""

from __future__ import annotations

from collections.abc import Sequence

import structlog

from gridweave.chain.contracts import Contracts
from gridweave.chain.hexes import to_hex
from gridweave.chain.keys import Signer
from gridweave.chain.node import Node
from gridweave.chain.profile import Fees
from gridweave.chain.types import Call, Receipt, Transaction
from gridweave.outbox.outcomes import carried_by
from gridweave.store.adoptions import Adoptions
from gridweave.store.records import Draft, Item, SignedBytes
from gridweave.timing import now_ms

__all__ = ["Recovery"]

log = structlog.get_logger(__name__)

_MARGIN = 512
"""Blocks below the newest one that the copy knows: a reorganisation may have moved what it holds."""

Mined = tuple[Transaction, Receipt]


class Recovery:
    """`run` once, before anything is sent or accepted. `addresses`: all that the relayer calls, all versions of it;
    `start`: the deployment's first block."""

    def __init__(
        self,
        node: Node,
        store: Adoptions,
        contracts: Contracts,
        signer: Signer,
        *,
        chain_id: int,
        addresses: Sequence[str],
        start: int,
    ) -> None:
        self._node = node
        self._store = store
        self._contracts = contracts
        self._signer = signer
        self._chain_id = chain_id
        self._addresses = addresses
        self._start = start

    async def run(self) -> int:
        """How many transactions were learnt. Raises NodeUnavailable, StoreUnavailable: then the next start does it."""
        if not await self._store.due():
            return 0
        newest = await self._store.last_block()
        first = self._start if newest is None else max(self._start, newest - _MARGIN)
        mined = await self._mined_since(first)
        items = await self._store.unsettled()
        known = await self._store.known([transaction.nonce for transaction, _ in mined])
        drafts = []
        for transaction, receipt in mined:
            ours = known.get(transaction.nonce)
            if ours is not None and to_hex(transaction.hash) in ours.hashes:
                continue
            call = Call(transaction.to, transaction.data)
            carried = carried_by(items, call, receipt, self._contracts)
            if carried or (ours is not None and ours.data == transaction.data):
                drafts += self._drafts(transaction, carried)
        await self._store.adopt(drafts)
        log.info("learnt what was sent since the backup", seen=len(mined), learnt=len(drafts), since_block=first)
        return len(drafts)

    async def _mined_since(self, first: int) -> list[Mined]:
        """The relayer's transactions that left logs, by nonce."""
        head = await self._node.head()
        logs = await self._node.logs(first, head.number, self._addresses)
        hashes = list(dict.fromkeys(entry.transaction_hash for entry in logs))
        found = await self._node.transactions(hashes)
        ours = [entry for entry in found if entry is not None and entry.sender == self._signer.address]
        receipts = await self._node.receipts([entry.hash for entry in ours])
        pairs = [(entry, receipt) for entry, receipt in zip(ours, receipts, strict=True) if receipt is not None]
        return sorted(pairs, key=lambda pair: pair[0].nonce)

    def _drafts(self, transaction: Transaction, carried: Sequence[Item]) -> list[Draft]:
        """The same bytes again: signing is deterministic. Empty if they are not the same after all."""
        fees = Fees(transaction.most_fee, transaction.priority_fee)
        call = Call(transaction.to, transaction.data, value=transaction.value)
        nonce, gas = transaction.nonce, transaction.gas
        signed = self._signer.sign(call, nonce=nonce, fees=fees, chain_id=self._chain_id, gas=gas)
        if signed.hash != transaction.hash:
            log.warning("a transaction of the relayer was signed otherwise", transaction=to_hex(transaction.hash))
            return []
        hash_ = to_hex(signed.hash)
        signing = SignedBytes(hash_, 0, signed.raw, fees.most, fees.priority, now_ms())
        kind = carried[0].kind if carried else ""
        seqs = tuple(item.seq for item in carried)
        to, data = transaction.to or "", transaction.data
        return [Draft(nonce, kind, to, data, gas, signing, seqs)]
