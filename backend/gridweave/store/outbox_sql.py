"""Statements of the outbox, within a transaction that the caller holds."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import Connection, RowMapping, Select, bindparam, func, insert, or_, select, tuple_, update

from gridweave.store.outbox_rows import item_of, payload_text, signed_row
from gridweave.store.outbox_tables import batches, items, signed
from gridweave.store.records import ACCEPTED, COMMITTED, DEAD, OPEN, REJECTED, Batch, Draft, Item, NewItem
from gridweave.timing import now_ms

__all__ = [
    "OUTCOME",
    "QUEUED",
    "add_batch",
    "bury",
    "by_column",
    "items_in",
    "relayed_in",
    "renew",
    "reopen",
    "requeue",
    "sort_out",
]

_CHUNK = 400

QUEUED = (
    select(items)
    .where(items.c.final.is_(False), items.c.status == ACCEPTED, items.c.batch.is_(None))
    .order_by(items.c.seq)
)

OUTCOME = (
    update(items)
    .where(items.c.seq == bindparam("the_seq"))
    .values(
        status=bindparam("new_status"),
        reason=bindparam("new_reason"),
        reason_args=bindparam("new_args"),
        tx_hash=bindparam("new_tx"),
        block_number=bindparam("new_block"),
        to_prove=bindparam("new_to_prove"),
    )
)


def items_in(connection: Connection, query: Select[Any]) -> list[Item]:
    """Items of the query."""
    return [item_of(row) for row in connection.execute(query).mappings()]


def relayed_in(
    connection: Connection, wanted: Sequence[tuple[int, int]], kinds: Sequence[str]
) -> dict[tuple[int, int], int]:
    """As in `OutboxStore.relayed`."""
    found: dict[tuple[int, int], int] = {}
    for start in range(0, len(wanted), _CHUNK):
        query = (
            select(items.c.meter, items.c.slot, func.count())
            .where(tuple_(items.c.meter, items.c.slot).in_(wanted[start : start + _CHUNK]))
            .where(items.c.kind.in_(kinds), items.c.status != ACCEPTED)
            .group_by(items.c.meter, items.c.slot)
        )
        found |= {(meter, slot): int(count) for meter, slot, count in connection.execute(query)}
    return found


def add_batch(connection: Connection, draft: Draft) -> Batch:
    """Stores a batch with its first signed bytes and what it carries."""
    now = now_ms()
    call = {"nonce": draft.nonce, "kind": draft.kind, "to_address": draft.to, "data": draft.data, "gas": draft.gas}
    done = connection.execute(insert(batches).values(**call, state=OPEN, created_at_ms=now))
    id_ = int((done.inserted_primary_key or (0,))[0])
    connection.execute(insert(signed).values(signed_row(draft.signing, id_)))
    _each(connection, draft.seqs, {"batch": id_, "attempts": items.c.attempts + 1})
    return Batch(id_, draft.nonce, draft.kind, draft.to, draft.data, draft.gas, OPEN, None, None, None, now)


def bury(connection: Connection, batch: int) -> None:
    """As in `OutboxStore.bury`."""
    requeue(connection, list(connection.execute(select(items.c.seq).where(items.c.batch == batch)).scalars()))
    connection.execute(update(batches).where(batches.c.id == batch).values(state=DEAD, nonce=-batches.c.id))


def renew(connection: Connection, seq: int, item: NewItem) -> None:
    """The item is what it comes as now."""
    connection.execute(update(items).where(items.c.seq == seq).values(payload=payload_text(item)))


def reopen(connection: Connection, batch_ids: Sequence[int]) -> None:
    """As in `OutboxStore.reopen`."""
    nowhere = {"tx_hash": None, "block_number": None}
    connection.execute(
        update(batches).where(batches.c.id.in_(batch_ids)).values(state=OPEN, block_hash=None, gas_used=None, **nowhere)
    )
    again = {"status": ACCEPTED, "final": False, "reason": None, "reason_args": None, "to_prove": False}
    committed = or_(items.c.was_committed, items.c.status == COMMITTED)
    connection.execute(
        update(items).where(items.c.batch.in_(batch_ids)).values(was_committed=committed, **again, **nowhere)
    )


def sort_out(
    connection: Connection, wanted: Sequence[NewItem], known: Mapping[str, Item]
) -> tuple[list[NewItem], dict[str, str]]:
    """What is new, and by id which other id holds the same nonce."""
    keys = [item.nonce_key for item in wanted if item.nonce_key and item.id not in known]
    held = by_column(connection, "nonce_key", keys)
    freed = [row["seq"] for row in held.values() if row["status"] == REJECTED]
    _each(connection, freed, {"nonce_key": None})
    holder = {key: str(row["id"]) for key, row in held.items() if row["status"] != REJECTED}
    fresh: dict[str, NewItem] = {}
    conflicts: dict[str, str] = {}
    for item in wanted:
        if item.id in known:
            continue
        if item.nonce_key and holder.setdefault(item.nonce_key, item.id) != item.id:
            conflicts[item.id] = holder[item.nonce_key]
        else:
            fresh.setdefault(item.id, item)
    return list(fresh.values()), conflicts


def by_column(connection: Connection, column: str, values: Sequence[str]) -> dict[str, RowMapping]:
    """Rows by the value that they have in the column."""
    found: dict[str, RowMapping] = {}
    for start in range(0, len(values), _CHUNK):
        query = select(items).where(items.c[column].in_(values[start : start + _CHUNK]))
        found |= {row[column]: row for row in connection.execute(query).mappings()}
    return found


def _each(connection: Connection, seqs: Sequence[int], values: Mapping[str, Any]) -> None:
    for start in range(0, len(seqs), _CHUNK):
        connection.execute(update(items).where(items.c.seq.in_(seqs[start : start + _CHUNK])).values(**values))


def requeue(connection: Connection, seqs: Sequence[int]) -> None:
    """These are queued again, as if nothing had happened to them."""
    cleared = {"tx_hash": None, "block_number": None, "reason": None, "reason_args": None, "to_prove": False}
    _each(connection, seqs, {"status": ACCEPTED, "final": False, "batch": None, **cleared})
