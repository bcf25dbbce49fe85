"""Many calls from one key onto a chain that mines when it is told to."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Sequence
from itertools import islice

from gridweave.chain import Call, ChainError, Fees, Node, Receipt, SignedTransaction, Signer

__all__ = ["TransactionFailed", "Wholesale"]

_CHUNK = 400
_MOST_ROUNDS = 200


class TransactionFailed(Exception):
    """A transaction that had to succeed did not; the message says which and why."""


class Wholesale:
    """Signs calls with consecutive nonces, sends them in batches, has them mined while it prepares the next ones."""

    def __init__(
        self, node: Node, signer: Signer, chain_id: int, fees: Fees, mine: Callable[[], Awaitable[object]]
    ) -> None:
        self.node = node
        self.signer = signer
        self._chain_id = chain_id
        self._fees = fees
        self._mine = mine
        self._nonce: int | None = None

    async def run(self, calls: Iterable[Call], gas: int | None = None) -> list[bytes]:
        """Hashes of the calls' transactions, all mined. `gas` is the limit of each call that names none.

        Raises TransactionFailed when the node refuses one. A revert shows in the receipt only.
        """
        source, hashes = iter(calls), []
        under_way: asyncio.Task[None] | None = None
        while chunk := list(islice(source, _CHUNK)):
            signed = await self._sign(chunk, gas)
            if under_way:
                await under_way
            under_way = asyncio.create_task(self._deliver(signed))
            await asyncio.sleep(0)
            hashes += [transaction.hash for transaction in signed]
        if under_way:
            await under_way
        return hashes

    async def one(self, call: Call, gas: int | None = None) -> Receipt:
        """The receipt of one call that must succeed. Raises TransactionFailed, Reverted."""
        limit = gas or call.gas or await self.node.gas(call, sender=self.signer.address)
        (hash_,) = await self.run([call], limit)
        receipt = await self.node.receipt(hash_)
        if receipt is None or not receipt.succeeded:
            raise await self.failure(call, receipt)
        return receipt

    async def all(self, calls: Sequence[Call], gas: int) -> list[Receipt]:
        """Receipts of calls that must all succeed, in order. Raises TransactionFailed, Reverted."""
        receipts = await self.node.receipts(await self.run(calls, gas))
        for call, receipt in zip(calls, receipts, strict=True):
            if receipt is None or not receipt.succeeded:
                raise await self.failure(call, receipt)
        return [receipt for receipt in receipts if receipt]

    async def failure(self, call: Call, receipt: Receipt | None) -> Exception:
        """Why a call failed: the contract's own error where it still fails, else what the receipt says."""
        try:
            await self.node.call(call.with_gas(16_000_000), sender=self.signer.address)
        except ChainError as error:
            return error
        if receipt is None:
            return TransactionFailed("a transaction was never mined")
        return TransactionFailed(
            f"transaction 0x{receipt.transaction_hash.hex()} failed after {receipt.gas_used:,} gas"
        )

    async def _sign(self, calls: Sequence[Call], gas: int | None) -> list[SignedTransaction]:
        if self._nonce is None:
            self._nonce = await self.node.nonce(self.signer.address)
        first, self._nonce = self._nonce, self._nonce + len(calls)
        return [
            self.signer.sign(call, nonce=first + place, fees=self._fees, chain_id=self._chain_id, gas=call.gas or gas)
            for place, call in enumerate(calls)
        ]

    async def _deliver(self, transactions: Sequence[SignedTransaction]) -> None:
        for transaction, answer in zip(
            transactions, await self.node.send_raws([signed.raw for signed in transactions]), strict=True
        ):
            if isinstance(answer, ChainError):
                raise TransactionFailed(f"the chain refused transaction {transaction.nonce}: {answer}")
        for _ in range(_MOST_ROUNDS):
            await self._mine()
            if await self.node.nonce(self.signer.address) > transactions[-1].nonce:
                return
        raise TransactionFailed("the chain does not mine what it took")
