"""What a receipt says of each item that its transaction carried."""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from gridweave.chain.contracts import Contracts
from gridweave.chain.errors import BlockNotAvailable, NodeError, Reverted, error_name
from gridweave.chain.events import (
    Cancelled,
    Event,
    InstallTold,
    OrderRefused,
    Placed,
    ReadingRecorded,
    ReadingRefused,
    ReceiptRefused,
    Settled,
    SettlementRefused,
    decode_logs,
)
from gridweave.chain.hexes import from_hex, to_hex
from gridweave.chain.node import Node
from gridweave.chain.types import Call, Receipt
from gridweave.domain.readings import Reading
from gridweave.outbox.kinds import BATCHED, PROVABLE, SCHEDULES, Kind, call_of, call_of_act
from gridweave.store.records import COMMITTED, REJECTED, Batch, Item, ItemOutcome

__all__ = [
    "GATE_CLOSED_BY_REORG",
    "OUT_OF_GAS",
    "UNEXPLAINED",
    "arguments_of",
    "carried_by",
    "outcomes_of",
    "rejected",
    "revert_of",
]

GATE_CLOSED_BY_REORG = "GateClosedByReorg"
OUT_OF_GAS = "OutOfGas"
UNEXPLAINED = "TransactionReverted"

_TOO_LATE = frozenset({"GateClosed", "OrderExpired"})
_NEEDS_NO_PROOF = _TOO_LATE | {GATE_CLOSED_BY_REORG, "VersionNotNewer", "DuplicateInBatch"}
"""Refusals that a bond sees for itself, or that no proof can show any more."""
_GAS_MARGIN = 64


def outcomes_of(items: Sequence[Item], receipt: Receipt, contracts: Contracts) -> list[ItemOutcome]:
    """One outcome per item of a transaction that succeeded; an item of which no event speaks is left out."""
    if items[0].kind not in BATCHED | SCHEDULES:
        return [ItemOutcome(items[0].seq, COMMITTED)]
    ours = {contracts.auction.address, contracts.ledger.address, contracts.firmware.address}
    said = _said(decode_logs(log for log in receipt.logs if log.contract in ours))
    if items[0].kind in SCHEDULES:
        return [_of_lines(items[0], said)]
    return [_outcome(item, said[_key(item)]) for item in items if _key(item) in said]


def carried_by(items: Iterable[Item], call: Call, receipt: Receipt, contracts: Contracts) -> list[Item]:
    """Those of `items` that a transaction with this call carried: an act's call is its own, events tell of others."""
    said = _said(decode_logs(receipt.logs))
    carried = []
    for item in items:
        if item.kind in BATCHED:
            alike = call_of(contracts, [item])
            if (alike.to, alike.data[:4]) == (call.to, call.data[:4]) and _key(item) in said:
                carried.append(item)
        elif call_of_act(item) == call:
            carried.append(item)
    return carried


def rejected(item: Item, reason: str, arguments: dict[str, Any] | None = None) -> ItemOutcome:
    """The item was refused on chain; whether a bond must hear of it."""
    return ItemOutcome(item.seq, REJECTED, reason, arguments or {}, to_prove=_must_be_proved(item, reason))


def _must_be_proved(item: Item, reason: str) -> bool:
    return item.sponsor is not None and item.kind in PROVABLE and reason not in _NEEDS_NO_PROOF


async def revert_of(node: Node, batch: Batch, receipt: Receipt) -> tuple[str, dict[str, Any]]:
    """Why a whole transaction failed: executed again on top of its block, then of the one before."""
    if receipt.gas_used >= batch.gas - batch.gas // _GAS_MARGIN:
        return OUT_OF_GAS, {"gas": batch.gas}
    for block in (receipt.block_number, receipt.block_number - 1):
        try:
            await node.call(Call(batch.to, batch.data), block=block, sender=receipt.sender)
        except Reverted as reverted:
            return reverted.name or UNEXPLAINED, arguments_of(reverted)
        except BlockNotAvailable:
            break
        except NodeError:
            continue
    return UNEXPLAINED, {}


def _said(events: Iterable[Event]) -> dict[Hashable, str]:
    """Per item key the refusal's name, or nothing for success."""
    said: dict[Hashable, str] = {}
    for event in events:
        match event:
            case Placed() | Cancelled():
                said[event.digest] = ""
            case OrderRefused():
                said[event.digest] = error_name(event.reason)
            case ReadingRecorded():
                reading = Reading.unpack(event.reading)
                said[(reading.meter, reading.slot, reading.version)] = ""
            case ReadingRefused():
                said[(event.meter, event.slot, event.version)] = error_name(event.reason)
            case Settled():
                said[(event.meter, event.slot)] = ""
            case SettlementRefused():
                said[(event.meter, event.slot)] = error_name(event.reason)
            case InstallTold():
                said[(event.device, event.model, event.counter)] = ""
            case ReceiptRefused():
                said[(event.device, event.model, event.counter)] = error_name(event.reason)
            case _:
                pass
    return said


def _of_lines(item: Item, said: Mapping[Hashable, str]) -> ItemOutcome:
    """A schedule is committed if any line is, else it shares its first line's fate; any line may need a proof."""
    refusals = [said.get(from_hex(line), UNEXPLAINED) for line in item.payload["lines"]]
    outcome = _outcome(item, "" if "" in refusals else refusals[0])
    return replace(outcome, to_prove=any(refusal and _must_be_proved(item, refusal) for refusal in refusals))


def _key(item: Item) -> Hashable:
    if item.kind == Kind.READING:
        return item.meter, item.slot, Reading.unpack(from_hex(item.payload["word"])).version
    if item.kind == Kind.DEFAULT:
        return item.meter, item.slot
    if item.kind == Kind.RECEIPT:
        return item.payload["device"], item.payload["model"], item.payload["counter"]
    return from_hex(item.id)


def _outcome(item: Item, refusal: str) -> ItemOutcome:
    if not refusal:
        return ItemOutcome(item.seq, COMMITTED)
    if item.was_committed and refusal in _TOO_LATE:
        refusal = GATE_CLOSED_BY_REORG
    return rejected(item, refusal)


def arguments_of(reverted: Reverted) -> dict[str, Any]:
    """What the error says, as JSON can say it."""
    return {name: to_hex(value) if isinstance(value, bytes) else value for name, value in reverted.arguments.items()}
