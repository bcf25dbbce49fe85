"""The outbox's repository: every SQL statement that touches what is acknowledged."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from typing import Any

from sqlalchemy import RowMapping, and_, bindparam, case, delete, func, insert, or_, select, tuple_, update
from sqlalchemy.ext.asyncio import AsyncConnection

from gridweave.store.database import Database
from gridweave.store.facts import check_facts
from gridweave.store.outbox_rows import batch_of, item_of, now_ms, outcome_row, row_of, signed_row
from gridweave.store.outbox_tables import batches, facts, items, signed
from gridweave.store.records import (
    ACCEPTED,
    COMMITTED,
    DEAD,
    FINAL,
    MINED,
    OPEN,
    REJECTED,
    Accepted,
    Batch,
    Draft,
    Item,
    ItemOutcome,
    NewItem,
    SignedBytes,
)

__all__ = ["OutboxStore"]

_CHUNK = 400


class OutboxStore:
    """All reads and writes of the outbox. Every write is on disk when its call returns."""

    def __init__(self, database: Database) -> None:
        self._db = database
        self._last_seq: int | None = None
        self._places: set[tuple[int | None, int | None]] | None = None

    async def belongs_to(self, identity: Mapping[str, str]) -> None:
        """Writes down whose outbox this is, or raises StoreMismatch if it belongs to another chain or relayer."""
        async with self._db.write() as connection:
            await check_facts(connection, facts, identity)

    async def accept(
        self, wanted: Sequence[NewItem], revivable: Collection[str] = (), at_once: Collection[str] = ()
    ) -> list[Accepted]:
        """Stores new items in one durable transaction, in the order given.

        The same id gives what is stored already; a nonce that another id holds gives that id as `conflict`. What was
        rejected holds no nonce, since the chain did not use it. A finally rejected item of a `revivable` kind is queued
        again, a rejected one of a kind `at_once` even before that is final.
        """
        ids = [item.id for item in wanted]
        async with self._db.write() as connection:
            (await self._known_places(connection)).update((item.meter, item.slot) for item in wanted)
            known = {id_: item_of(row) for id_, row in (await _by_column(connection, "id", ids)).items()}
            fresh, conflicts = await _sort_out(connection, wanted, known)
            first = await self._next_seq(connection)
            rows = [row_of(item, first + at) for at, item in enumerate(fresh)]
            if rows:
                await connection.execute(insert(items), rows)
            refused = [item for item in known.values() if item.status == REJECTED]
            revived = {i.id: i.seq for i in refused if i.kind in at_once or (i.final and i.kind in revivable)}
            await _requeue(connection, list(revived.values()))
        self._last_seq = first + len(rows) - 1
        known |= {row["id"]: item_of(row) for row in rows}
        known |= {id_: replace(known[id_], status=ACCEPTED, final=False, reason=None, batch=None) for id_ in revived}
        queued = revived.keys() | {row["id"] for row in rows}
        return [
            Accepted(None, conflicts[id_]) if id_ in conflicts else Accepted(known[id_], is_new=id_ in queued)
            for id_ in ids
        ]

    async def _next_seq(self, connection: AsyncConnection) -> int:
        """The next item's key; only this process adds items."""
        if self._last_seq is None:
            highest = await connection.execute(select(func.max(items.c.seq)))
            self._last_seq = int(highest.scalar() or 0)
        return self._last_seq + 1

    async def item(self, id_: str) -> Item | None:
        """The item of that id."""
        found = await self.items([id_])
        return found.get(id_)

    async def items(self, ids: Sequence[str]) -> dict[str, Item]:
        """Items by id; unknown ids are missing."""
        async with self._db.read() as connection:
            return {id_: item_of(row) for id_, row in (await _by_column(connection, "id", ids)).items()}

    async def items_of_meter(self, meter: int, slot: int | None, kinds: Sequence[str], limit: int) -> list[Item]:
        """A meter's newest items of these kinds, oldest first."""
        where = [items.c.meter == meter, items.c.kind.in_(kinds)]
        if slot is not None:
            where.append(items.c.slot == slot)
        return (await self._items(select(items).where(*where).order_by(items.c.seq.desc()).limit(limit)))[::-1]

    async def relayed(self, places: Collection[tuple[int, int]], kinds: Sequence[str]) -> dict[tuple[int, int], int]:
        """How many items of these kinds arrived on chain, or were refused, by (meter, slot); none is left out."""
        found: dict[tuple[int, int], int] = {}
        known = self._places
        if known is None:
            async with self._db.write() as connection:
                known = await self._known_places(connection)
        wanted = [place for place in places if place in known]
        if not wanted:
            return found
        async with self._db.read() as connection:
            for start in range(0, len(wanted), _CHUNK):
                chunk = wanted[start : start + _CHUNK]
                query = (
                    select(items.c.meter, items.c.slot, func.count())
                    .where(tuple_(items.c.meter, items.c.slot).in_(chunk))
                    .where(items.c.kind.in_(kinds), items.c.status != ACCEPTED)
                    .group_by(items.c.meter, items.c.slot)
                )
                found |= {(meter, slot): int(count) for meter, slot, count in await connection.execute(query)}
        return found

    async def _known_places(self, connection: AsyncConnection) -> set[tuple[int | None, int | None]]:
        """(meter, slot) of every item, kept at hand: most orders are a position's first, and need no query."""
        if self._places is None:
            rows = await connection.execute(select(items.c.meter, items.c.slot).distinct())
            self._places = {(meter, slot) for meter, slot in rows}
        return self._places

    async def queued(self, limit: int) -> list[Item]:
        """Items that no batch carries yet, oldest first."""
        return await self._items(
            select(items)
            .where(items.c.final.is_(False), items.c.status == ACCEPTED, items.c.batch.is_(None))
            .order_by(items.c.seq)
            .limit(limit)
        )

    async def pending(self) -> list[Item]:
        """Items whose outcome is not known yet."""
        return await self._items(
            select(items).where(items.c.final.is_(False), items.c.status == ACCEPTED).order_by(items.c.seq)
        )

    async def items_of(self, batch_ids: Sequence[int]) -> dict[int, list[Item]]:
        """Items by the batch that carries them."""
        by_batch: dict[int, list[Item]] = {id_: [] for id_ in batch_ids}
        for item in await self._items(select(items).where(items.c.batch.in_(batch_ids)).order_by(items.c.seq)):
            by_batch[item.batch or 0].append(item)
        return by_batch

    async def batches(self, *states: str) -> list[Batch]:
        """Batches in these states by nonce."""
        async with self._db.read() as connection:
            rows = await connection.execute(
                select(batches).where(batches.c.state.in_(states)).order_by(batches.c.nonce)
            )
            return [batch_of(row) for row in rows.mappings()]

    async def signed_of(self, batch_ids: Sequence[int]) -> dict[int, list[SignedBytes]]:
        """Signed bytes by batch, oldest first."""
        by_batch: dict[int, list[SignedBytes]] = {id_: [] for id_ in batch_ids}
        async with self._db.read() as connection:
            query = select(signed).where(signed.c.batch.in_(batch_ids)).order_by(signed.c.created_at_ms)
            for row in (await connection.execute(query)).mappings():
                by_batch[row["batch"]].append(SignedBytes(**row))
        return by_batch

    async def lost(self, chain_nonce: int) -> list[Batch]:
        """Final batches that the chain, which waits for `chain_nonce` next, has lost after all."""
        async with self._db.read() as connection:
            query = select(batches).where(batches.c.state == FINAL, batches.c.nonce >= chain_nonce)
            return [batch_of(row) for row in (await connection.execute(query)).mappings()]

    async def has_nonce(self, nonce: int) -> bool:
        """Whether a batch holds this nonce."""
        async with self._db.read() as connection:
            found = await connection.execute(select(batches.c.id).where(batches.c.nonce == nonce))
            return found.first() is not None

    async def last_nonce(self) -> int | None:
        """The highest nonce that any living batch holds."""
        async with self._db.read() as connection:
            found = (await connection.execute(select(func.max(batches.c.nonce)).where(batches.c.nonce >= 0))).scalar()
            return None if found is None else int(found)

    async def add_batches(self, drafts: Sequence[Draft]) -> list[Batch]:
        """Stores batches with their first signed bytes and the items they carry, all in one durable transaction."""
        now, added = now_ms(), []
        async with self._db.write() as connection:
            for draft in drafts:
                call = {"nonce": draft.nonce, "kind": draft.kind, "to_address": draft.to, "data": draft.data}
                done = await connection.execute(
                    insert(batches).values(**call, gas=draft.gas, state=OPEN, created_at_ms=now)
                )
                id_ = int((done.inserted_primary_key or (0,))[0])
                await connection.execute(insert(signed).values(signed_row(draft.signing, id_)))
                await _each(connection, draft.seqs, {"batch": id_, "attempts": items.c.attempts + 1})
                added.append(
                    Batch(id_, draft.nonce, draft.kind, draft.to, draft.data, draft.gas, OPEN, None, None, None, now)
                )
        return added

    async def add_signed(self, batch: int, signing: SignedBytes) -> None:
        """Stores a replacement's signed bytes beside the earlier ones."""
        async with self._db.write() as connection:
            await connection.execute(insert(signed).values(signed_row(signing, batch)))

    async def record_mined(
        self,
        batch: int,
        tx_hash: str,
        block: tuple[int, str],
        gas_used: int,
        outcomes: Sequence[ItemOutcome],
        retry: Sequence[int] = (),
    ) -> None:
        """A batch stands in `block` (number, hash): stores that and what it says of each item.

        `retry` are keys of items of which it says nothing: the next batches carry them.
        """
        number, block_hash = block
        async with self._db.write() as connection:
            await connection.execute(
                update(batches)
                .where(batches.c.id == batch)
                .values(state=MINED, tx_hash=tx_hash, block_number=number, block_hash=block_hash, gas_used=gas_used)
            )
            if outcomes:
                await connection.execute(_OUTCOME, [outcome_row(o, tx_hash, number) for o in outcomes])
            await _requeue(connection, retry)

    async def reopen(self, batch_ids: Sequence[int]) -> None:
        """The blocks of these batches are gone: their items are accepted again, and remember having been committed."""
        if not batch_ids:
            return
        async with self._db.write() as connection:
            await connection.execute(
                update(batches)
                .where(batches.c.id.in_(batch_ids))
                .values(state=OPEN, tx_hash=None, block_number=None, block_hash=None, gas_used=None)
            )
            await connection.execute(
                update(items)
                .where(items.c.batch.in_(batch_ids))
                .values(
                    was_committed=or_(items.c.was_committed, items.c.status == COMMITTED),
                    status=ACCEPTED,
                    final=False,
                    reason=None,
                    reason_args=None,
                    tx_hash=None,
                    block_number=None,
                    to_prove=False,
                )
            )

    async def finalize(self, up_to_block: int, final_time: int, acts: Collection[str] = ()) -> int:
        """Marks what can no longer change: batches in final blocks, what they committed, and refusals whose last moment
        (`commit_before`) lies at or before the final block's time. A refusal of the kinds `acts`, whose last moment may
        never come, is final with its block. Returns how many items became final."""
        async with self._db.write() as connection:
            await connection.execute(
                update(batches)
                .where(batches.c.state == MINED, batches.c.block_number <= up_to_block)
                .values(state=FINAL)
            )
            over = or_(items.c.commit_before <= final_time, items.c.kind.in_(acts))
            settled = or_(items.c.block_number.is_(None), items.c.block_number <= up_to_block)
            done = await connection.execute(
                update(items)
                .where(
                    items.c.final.is_(False),
                    or_(
                        and_(items.c.status == COMMITTED, items.c.block_number <= up_to_block),
                        and_(items.c.status == REJECTED, settled, over),
                    ),
                )
                .values(final=True, nonce_key=case((items.c.status == REJECTED, None), else_=items.c.nonce_key))
            )
            return done.rowcount

    async def reject(self, outcomes: Sequence[ItemOutcome]) -> None:
        """Items that no block will hold: stores why."""
        if outcomes:
            async with self._db.write() as connection:
                await connection.execute(_OUTCOME, [outcome_row(o, None, o.block) for o in outcomes])

    async def bury(self, batch: int) -> None:
        """A batch whose nonce is lost to it: its items are queued again, its nonce is free for another batch."""
        async with self._db.write() as connection:
            rows = await connection.execute(select(items.c.seq).where(items.c.batch == batch))
            await _requeue(connection, [row[0] for row in rows])
            await connection.execute(
                update(batches).where(batches.c.id == batch).values(state=DEAD, nonce=-batches.c.id)
            )

    async def forget(self, before_ms: int) -> int:
        """Deletes final items accepted before that wall-clock time, and batches that carry none any more."""
        async with self._db.write() as connection:
            gone = await connection.execute(
                delete(items).where(items.c.final.is_(True), items.c.created_at_ms < before_ms)
            )
            carried = select(items.c.batch).where(items.c.batch.is_not(None))
            last = select(func.max(batches.c.id)).scalar_subquery()
            self._places = None
            idle = and_(batches.c.state.in_((FINAL, DEAD)), batches.c.id.not_in(carried), batches.c.id != last)
            await connection.execute(delete(signed).where(signed.c.batch.in_(select(batches.c.id).where(idle))))
            await connection.execute(delete(batches).where(idle))
            return gone.rowcount

    async def accepted_total(self) -> int:
        """How many items were ever accepted."""
        async with self._db.read() as connection:
            return int((await connection.execute(select(func.max(items.c.seq)))).scalar() or 0)

    async def done(self, kinds: Sequence[str]) -> dict[str, int]:
        """How many items of each kind are on chain."""
        query = select(items.c.kind, func.count()).where(items.c.kind.in_(kinds), items.c.status == COMMITTED)
        async with self._db.read() as connection:
            return {str(row[0]): int(row[1]) for row in await connection.execute(query.group_by(items.c.kind))}

    async def counts(self) -> dict[str, int]:
        """How many items stand at each status, final ones left out."""
        async with self._db.read() as connection:
            query = select(items.c.status, func.count()).where(items.c.final.is_(False)).group_by(items.c.status)
            return {status: int(count) for status, count in await connection.execute(query)}

    async def _items(self, query: Any) -> list[Item]:
        async with self._db.read() as connection:
            return [item_of(row) for row in (await connection.execute(query)).mappings()]


_OUTCOME = (
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


async def _sort_out(
    connection: AsyncConnection, wanted: Sequence[NewItem], known: Mapping[str, Item]
) -> tuple[list[NewItem], dict[str, str]]:
    """What is new, and by id which other id holds the same nonce."""
    keys = [item.nonce_key for item in wanted if item.nonce_key and item.id not in known]
    held = await _by_column(connection, "nonce_key", keys)
    freed = [row["seq"] for row in held.values() if row["status"] == REJECTED]
    await _each(connection, freed, {"nonce_key": None})
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


async def _by_column(connection: AsyncConnection, column: str, values: Sequence[str]) -> dict[str, RowMapping]:
    found: dict[str, RowMapping] = {}
    for start in range(0, len(values), _CHUNK):
        query = select(items).where(items.c[column].in_(values[start : start + _CHUNK]))
        found |= {row[column]: row for row in (await connection.execute(query)).mappings()}
    return found


async def _each(connection: AsyncConnection, seqs: Sequence[int], values: Mapping[str, Any]) -> None:
    for start in range(0, len(seqs), _CHUNK):
        await connection.execute(update(items).where(items.c.seq.in_(seqs[start : start + _CHUNK])).values(**values))


async def _requeue(connection: AsyncConnection, seqs: Sequence[int]) -> None:
    cleared = {"tx_hash": None, "block_number": None, "reason": None, "reason_args": None, "to_prove": False}
    await _each(connection, seqs, {"status": ACCEPTED, "final": False, "batch": None, **cleared})
