"""A chain's node as the rest of the program sees it: typed, asynchronous, pinned to block numbers.

Reads take `block`, a number; None means the node's latest, for places where nothing must agree with anything else.
There is no `pending` and no `finalized`: networks differ there, so finality is a depth of the `NetworkProfile`.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Sequence
from types import TracebackType
from typing import Any, Self, TypeVar

from gridweave.chain.errors import ChainError, GasAboveCap, NodeUnavailable
from gridweave.chain.hexes import from_hex, int_of, quantity, to_hex
from gridweave.chain.profile import MAX_TRANSACTION_GAS
from gridweave.chain.transport import MOST_ANSWER_BYTES, Post, Request, Transport
from gridweave.chain.types import Block, Call, Log, Receipt, Transaction, block_tag
from gridweave.timing import Timing

__all__ = ["LOG_SPAN", "Node"]

T = TypeVar("T")

LOG_SPAN = 1_000
"""Blocks whose logs are asked for at once. Besu refuses more than 5,000 by default, and did more than 1,000."""

_GAS_MARGIN_NUMERATOR, _GAS_MARGIN_DENOMINATOR = 5, 4


class Node:
    """One JSON-RPC endpoint. Errors: NodeUnavailable (retry), NodeError (the node refused), Reverted (a contract did).

    Use as `async with Node(url) as node`, or call `aclose`. `timeout` is seconds without a byte of an answer;
    `most` the bytes of an answer that are read (AnswerTooLarge beyond); `post` replaces the network.
    """

    def __init__(
        self, url: str, *, timeout: float = 10.0, post: Post | None = None, most: int = MOST_ANSWER_BYTES
    ) -> None:
        self.url = url
        self._transport = Transport(url, timeout=timeout, post=post, most=most)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.aclose()

    @property
    def timing(self) -> Timing:
        """Posts so far; a node that did not answer is a failure."""
        return self._transport.timing

    async def aclose(self) -> None:
        """Closes the connections."""
        await self._transport.aclose()

    # anything

    async def request(self, method: str, *params: Any) -> Any:
        """The bare result of one JSON-RPC request."""
        return await self._transport.request(method, list(params))

    async def batch(self, requests: Sequence[Request]) -> list[Any]:
        """Bare results in order; an item that failed is its ChainError."""
        return await self._transport.batch(requests)

    async def _all(self, requests: Sequence[Request]) -> list[Any]:
        results = await self._transport.batch(requests)
        for result in results:
            if isinstance(result, ChainError):
                raise result
        return results

    # the chain

    async def chain_id(self) -> int:
        return _parsed(int_of, await self.request("eth_chainId"))

    async def block_number(self) -> int:
        """The number of the newest block."""
        return _parsed(int_of, await self.request("eth_blockNumber"))

    async def block(self, number: int | None = None) -> Block | None:
        """The block of that number, by default the newest; None if the chain has none."""
        raw = await self.request("eth_getBlockByNumber", block_tag(number), False)
        return _parsed(Block.parse, raw) if raw else None

    async def head(self) -> Block:
        """The newest block."""
        return _parsed(Block.parse, await self.request("eth_getBlockByNumber", "latest", False))

    async def genesis_hash(self) -> bytes:
        """Hash of block 0, which with the chain id names the chain."""
        return _parsed(Block.parse, await self.request("eth_getBlockByNumber", "0x0", False)).hash

    async def blocks(self, numbers: Iterable[int]) -> list[Block | None]:
        """Blocks by number in one round trip, None where the chain has none."""
        raws = await self._all([("eth_getBlockByNumber", [quantity(number), False]) for number in numbers])
        return [_parsed(Block.parse, raw) if raw else None for raw in raws]

    async def logs(
        self,
        from_block: int,
        to_block: int,
        contracts: Sequence[str] | None = None,
        topics: Sequence[bytes] | None = None,
        indexed: Sequence[bytes | None] = (),
    ) -> list[Log]:
        """Logs of the closed range, in chain order, of these contracts and with one of these first topics.

        `indexed` are the topics after the first, None for any. Long ranges are asked for in several requests.
        """
        wanted = _wanted(contracts, topics, indexed)
        logs: list[Log] = []
        for start in range(from_block, to_block + 1, LOG_SPAN):
            end = min(to_block, start + LOG_SPAN - 1)
            asked = wanted | {"fromBlock": quantity(start), "toBlock": quantity(end)}
            logs += _parsed(_logs, await self.request("eth_getLogs", asked))
        return logs

    async def logs_of(
        self, blocks: Iterable[bytes], contracts: Sequence[str] | None = None, topics: Sequence[bytes] | None = None
    ) -> list[Log]:
        """The same of the blocks with these hashes, in one round trip: of these and no others of their numbers.

        BlockNotAvailable if the node does not know one.
        """
        wanted = _wanted(contracts, topics)
        raws = await self._all([("eth_getLogs", [wanted | {"blockHash": to_hex(hash_)}]) for hash_ in blocks])
        return [log for raw in raws for log in _parsed(_logs, raw)]

    # accounts and state

    async def balance(self, address: str, block: int | None = None) -> int:
        """Wei."""
        return _parsed(int_of, await self.request("eth_getBalance", address, block_tag(block)))

    async def nonce(self, address: str, block: int | None = None) -> int:
        """How many transactions of `address` are mined: the next one's nonce if none is under way."""
        return _parsed(int_of, await self.request("eth_getTransactionCount", address, block_tag(block)))

    async def code(self, address: str, block: int | None = None) -> bytes:
        """Runtime code, empty for none."""
        return _parsed(from_hex, await self.request("eth_getCode", address, block_tag(block)))

    async def codes(self, addresses: Sequence[str], block: int | None = None) -> list[bytes]:
        """The same for many."""
        raws = await self._all([("eth_getCode", [address, block_tag(block)]) for address in addresses])
        return [_parsed(from_hex, raw) for raw in raws]

    async def storage(self, address: str, slot: int, block: int | None = None) -> bytes:
        """One storage word, 32 bytes."""
        (word,) = await self.storages([(address, slot)], block)
        return word

    async def storages(self, places: Sequence[tuple[str, int]], block: int | None = None) -> list[bytes]:
        """The same for many, each an address and a slot, in one round trip."""
        asked = [("eth_getStorageAt", [address, quantity(slot), block_tag(block)]) for address, slot in places]
        return [_parsed(from_hex, raw).rjust(32, b"\0") for raw in await self._all(asked)]

    # calls

    async def call(self, call: Call, *, block: int | None = None, sender: str | None = None) -> bytes:
        """What the call returns, executed on top of `block` without a trace. Reverted if the contract refuses."""
        return _parsed(from_hex, await self.request("eth_call", call.rpc(sender), block_tag(block)))

    async def calls(self, calls: Sequence[Call], *, block: int | None = None) -> list[bytes | ChainError]:
        """The same for many in one round trip; each item its bytes or its error."""
        raws = await self.batch([("eth_call", [call.rpc(), block_tag(block)]) for call in calls])
        return [raw if isinstance(raw, ChainError) else _parsed(from_hex, raw) for raw in raws]

    async def gas(self, call: Call, *, sender: str, cap: int = MAX_TRANSACTION_GAS) -> int:
        """A gas limit for the call: the estimate and a quarter, at most `cap`. GasAboveCap if the estimate is above it.

        Reverted if the call would fail now.
        """
        estimate = _parsed(int_of, await self.request("eth_estimateGas", call.rpc(sender), "latest"))
        if estimate > cap:
            raise GasAboveCap(estimate, cap)
        return min(cap, estimate * _GAS_MARGIN_NUMERATOR // _GAS_MARGIN_DENOMINATOR)

    # transactions

    async def send_raw(self, raw: bytes) -> bytes:
        """Hands signed bytes to the node and returns their hash. See NodeError's properties for its refusals."""
        return _parsed(from_hex, await self.request("eth_sendRawTransaction", to_hex(raw)))

    async def send_raws(self, raws: Sequence[bytes]) -> list[bytes | ChainError]:
        """The same for many in order, each with its hash or its error."""
        results = await self.batch([("eth_sendRawTransaction", [to_hex(raw)]) for raw in raws])
        return [result if isinstance(result, ChainError) else _parsed(from_hex, result) for result in results]

    async def receipt(self, transaction: bytes) -> Receipt | None:
        """The receipt of a mined transaction, None while it has none."""
        raw = await self.request("eth_getTransactionReceipt", to_hex(transaction))
        return _parsed(Receipt.parse, raw) if raw else None

    async def receipts(self, transactions: Sequence[bytes]) -> list[Receipt | None]:
        """The same for many in one round trip."""
        raws = await self._all([("eth_getTransactionReceipt", [to_hex(hash_)]) for hash_ in transactions])
        return [_parsed(Receipt.parse, raw) if raw else None for raw in raws]

    async def transaction(self, hash_: bytes) -> Transaction | None:
        """The transaction, mined or waiting; None if the node does not know it."""
        raw = await self.request("eth_getTransactionByHash", to_hex(hash_))
        return _parsed(Transaction.parse, raw) if raw else None

    async def transactions(self, hashes: Sequence[bytes]) -> list[Transaction | None]:
        """The same for many in one round trip."""
        raws = await self._all([("eth_getTransactionByHash", [to_hex(hash_)]) for hash_ in hashes])
        return [_parsed(Transaction.parse, raw) if raw else None for raw in raws]

    async def wait_for_receipt(self, transaction: bytes, *, within: float = 60.0, poll: float = 0.1) -> Receipt:
        """Waits until the transaction is mined. TimeoutError after `within` seconds."""
        async with asyncio.timeout(within):
            while True:
                receipt = await self.receipt(transaction)
                if receipt is not None:
                    return receipt
                await asyncio.sleep(poll)


def _parsed(parse: Callable[[Any], T], raw: Any) -> T:
    """What was answered, as ours. What cannot be read is no node's: some proxy's, or of one that is not up yet."""
    try:
        return parse(raw)
    except (TypeError, ValueError, LookupError, AttributeError) as fault:
        raise NodeUnavailable("the node's answer cannot be read") from fault


def _wanted(
    contracts: Sequence[str] | None, topics: Sequence[bytes] | None, indexed: Sequence[bytes | None] = ()
) -> dict[str, Any]:
    """A filter of logs, its blocks left out."""
    wanted: dict[str, Any] = {}
    if contracts is not None:
        wanted["address"] = list(contracts)
    if topics is not None:
        others = [None if topic is None else to_hex(topic) for topic in indexed]
        wanted["topics"] = [[to_hex(topic) for topic in topics], *others]
    return wanted


def _logs(raws: Iterable[Any]) -> list[Log]:
    return [Log.parse(raw) for raw in raws]
