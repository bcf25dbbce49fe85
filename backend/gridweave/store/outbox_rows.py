"""Between the outbox's rows and its values."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import orjson

from gridweave.store.records import ACCEPTED, Batch, Item, ItemOutcome, NewItem, SignedBytes
from gridweave.timing import now_ms

__all__ = ["batch_of", "item_of", "new_item", "outcome_row", "payload_text", "row_of", "signed_row"]


def new_item(item: NewItem, seq: int) -> Item:
    """What `item` is once it is acknowledged."""
    return Item(
        seq=seq,
        id=item.id,
        kind=item.kind,
        lanes=item.lanes,
        payload=item.payload,
        commit_before=item.commit_before,
        acknowledgement=item.acknowledgement,
        created_at_ms=now_ms(),
        status=ACCEPTED,
        reason=None,
        reason_args={},
        final=False,
        was_committed=False,
        attempts=0,
        batch=None,
        tx_hash=None,
        block_number=None,
        market=item.market,
        slot=item.slot,
        meter=item.meter,
        account=item.account,
        sponsor=item.sponsor,
    )


def row_of(item: NewItem, known: Item) -> dict[str, Any]:
    """The row of a new item."""
    return vars(known) | {
        "nonce_key": item.nonce_key,
        "lanes": orjson.dumps(item.lanes).decode(),
        "payload": payload_text(item),
        "reason_args": None,
        "to_prove": False,
    }


def payload_text(item: NewItem) -> str:
    """What is kept of its payload."""
    return orjson.dumps(item.payload).decode()


def item_of(row: Mapping[Any, Any]) -> Item:
    """The item of a row."""
    values = {name: row[name] for name in Item.__dataclass_fields__}
    values["lanes"] = tuple(orjson.loads(row["lanes"]))
    values["payload"] = orjson.loads(row["payload"])
    values["reason_args"] = json.loads(row["reason_args"]) if row["reason_args"] else {}
    return Item(**values)


def batch_of(row: Mapping[Any, Any]) -> Batch:
    """The batch of a row."""
    values = {name: row[name] for name in Batch.__dataclass_fields__ if name != "to"}
    return Batch(**values, to=row["to_address"])


def signed_row(signing: SignedBytes, batch: int) -> dict[str, Any]:
    """The row of signed bytes of a batch."""
    return {
        "tx_hash": signing.tx_hash,
        "batch": batch,
        "raw": signing.raw,
        "most_fee": signing.most_fee,
        "priority_fee": signing.priority_fee,
        "created_at_ms": signing.created_at_ms,
    }


def outcome_row(outcome: ItemOutcome, tx_hash: str | None, number: int | None) -> dict[str, Any]:
    """What `record_mined` and `reject` bind: an outcome, and where it was said."""
    return {
        "the_seq": outcome.seq,
        "new_status": outcome.status,
        "new_reason": outcome.reason,
        "new_args": json.dumps(outcome.reason_args) if outcome.reason_args else None,
        "new_tx": tx_hash,
        "new_block": number,
        "new_to_prove": outcome.to_prove,
    }
