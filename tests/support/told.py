"""The history as a stranger reads it: every log of every contract, from the node alone, and what each log names."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import Any

from gridweave.chain.events import EVENTS, Event, decode_logs, topics_of
from gridweave.chain.hexes import to_hex
from gridweave.domain.orders import Cancel, Order, unpack_reference
from tests.support.town import Town

NO_ACCOUNTS = {"contract", "module", "target", "authority", "label", "key"}


@dataclass(frozen=True)
class Told:
    """One log: where it stands, and (kind, value) of whatever it names."""

    place: tuple[int, int]
    event: Event
    time: int
    names: frozenset[tuple[str, Any]]


async def read_chain(town: Town) -> list[Told]:
    """Every log, in chain order."""
    node, head = town.chain.node, await town.chain.node.block_number()
    logs = await node.logs(0, head, sorted(town.deployment.every_address), topics_of(*EVENTS.values()))
    times = {block.number: block.timestamp for block in await node.blocks(range(head + 1)) if block}
    return [
        Told((event.block_number, event.log_index), event, times[event.block_number], named(town, event))
        for event in decode_logs(logs)
    ]


def named(town: Town, event: Event) -> frozenset[tuple[str, Any]]:
    """By hand, event for event, without the indexer's tables."""
    found: set[tuple[str, Any]] = {
        ("contract", town.deployment.every_address[event.contract]),
        ("event", type(event).__name__),
        ("transaction", to_hex(event.transaction_hash)),
    }
    for field in fields(event):
        value = getattr(event, field.name)
        if field.name in ("device", "identity"):
            found.add(("device", value))
        elif isinstance(value, str) and field.name not in NO_ACCOUNTS:
            found.add(("account", value))
        elif field.name in ("meter", "market", "slot"):
            found.add((field.name, value))
        elif field.name == "meters":
            found |= {("meter", meter) for meter in value}
        elif field.name in ("order", "cancel"):
            word: Any = Order.unpack(value) if field.name == "order" else Cancel.unpack(value)
            found |= {("market", word.market), ("slot", word.slot), ("meter", word.meter)}
        elif field.name == "ref" and value[:4] != bytes(4):
            market, slot, meter, _ = unpack_reference(value)
            found |= {("market", market), ("slot", slot), ("meter", meter)}
        elif field.name == "terms" and not isinstance(value, int):
            found |= {("account", value.utility), ("account", value.operator)}
    return frozenset(found)
