"""What a lived day cost in gas, counted from the chain's receipts."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from gridweave.chain import Contracts, Node, Receipt, decode_logs
from gridweave.chain import events as chain_events
from gridweave.demo.outcome import GasUse

__all__ = ["gas_of_day", "gas_of_fleet"]

_SPAN = 1_000
_AT_ONCE = 200
_KINDS = (
    ("order placed", chain_events.Placed),
    ("order cancelled", chain_events.Cancelled),
    ("slot cleared", chain_events.Cleared),
    ("payment (with its reading verified)", chain_events.Settled),
)


_OF_DEVICES = (
    ("device claimed", chain_events.DeviceEnrolled),
    ("batch anchored", chain_events.BatchAnchored),
    ("install receipt", chain_events.InstallTold),
    ("firmware released", chain_events.FirmwareReleased),
    ("grant on chain", chain_events.AccessGranted),
)
Kinds = Sequence[tuple[str, type[chain_events.Event]]]


async def gas_of_day(contracts: Contracts, first_block: int) -> dict[str, GasUse]:
    """Mean gas by what transactions did since `first_block`. One that did two kinds of things counts for none."""
    return await _gas(contracts.node, [contracts.auction.address], _KINDS, first_block)


async def gas_of_fleet(contracts: Contracts, first_block: int) -> dict[str, GasUse]:
    """The same of what devices, their owners and their makers did."""
    addresses = [contracts.devices.address, contracts.anchors.address, contracts.firmware.address]
    return await _gas(contracts.node, addresses, _OF_DEVICES, first_block)


async def _gas(node: Node, addresses: Sequence[str], kinds: Kinds, first_block: int) -> dict[str, GasUse]:
    last = await node.block_number()
    topics = chain_events.topics_of(*(kind for _, kind in kinds))
    hashes: dict[bytes, None] = {}
    for start in range(first_block, last + 1, _SPAN):
        for log in await node.logs(start, min(start + _SPAN - 1, last), addresses, topics):
            hashes[log.transaction_hash] = None
    items, gas = Counter[str](), Counter[str]()
    names = list(hashes)
    for start in range(0, len(names), _AT_ONCE):
        for receipt in await node.receipts(names[start : start + _AT_ONCE]):
            if receipt is not None:
                _count(receipt, kinds, items, gas)
    return {name: GasUse(items[name], gas[name]) for name, _ in kinds if items[name]}


def _count(receipt: Receipt, kinds: Kinds, items: Counter[str], gas: Counter[str]) -> None:
    names = (name for event in decode_logs(receipt.logs) for name, kind in kinds if isinstance(event, kind))
    found = Counter(names)
    if len(found) == 1:
        ((name, count),) = found.items()
        items[name] += count
        gas[name] += receipt.gas_used
