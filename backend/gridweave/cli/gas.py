"""What a lived day cost in gas, counted from the chain's receipts."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

from gridweave.chain import Contracts, Receipt, decode_logs
from gridweave.chain import events as chain_events
from gridweave.demo.outcome import GasUse

__all__ = ["gas_of_day"]

_SPAN = 1_000
_AT_ONCE = 200
_KINDS = (
    ("order placed", chain_events.Placed),
    ("order cancelled", chain_events.Cancelled),
    ("slot cleared", chain_events.Cleared),
    ("payment (with its reading verified)", chain_events.Settled),
)


async def gas_of_day(contracts: Contracts, first_block: int) -> dict[str, GasUse]:
    """Mean gas by what transactions did since `first_block`. One that did two kinds of things counts for none."""
    node = contracts.auction.node
    last = await node.block_number()
    topics = chain_events.topics_of(*(kind for _, kind in _KINDS))
    hashes: dict[bytes, None] = {}
    for start in range(first_block, last + 1, _SPAN):
        for log in await node.logs(start, min(start + _SPAN - 1, last), [contracts.auction.address], topics):
            hashes[log.transaction_hash] = None
    items, gas = Counter[str](), Counter[str]()
    names = list(hashes)
    for start in range(0, len(names), _AT_ONCE):
        for receipt in await node.receipts(names[start : start + _AT_ONCE]):
            if receipt is not None:
                _count(receipt, items, gas)
    return {name: GasUse(items[name], gas[name]) for name, _ in _KINDS if items[name]}


def _count(receipt: Receipt, items: Counter[str], gas: Counter[str]) -> None:
    found = Counter(name for event in decode_logs(receipt.logs) for name in _name_of(event))
    if len(found) == 1:
        ((name, count),) = found.items()
        items[name] += count
        gas[name] += receipt.gas_used


def _name_of(event: chain_events.Event) -> Iterable[str]:
    return (name for name, kind in _KINDS if isinstance(event, kind))
