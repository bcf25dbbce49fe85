"""The outbox's repository: what is acknowledged, from the request to its last moment."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import replace
from typing import Any, TypeVar

from sqlalchemy import (
    Connection,
    Select,
    and_,
    case,
    delete,
    func,
    insert,
    or_,
    select,
    update,
)
from sqlalchemy.exc import IntegrityError

from gridweave.store.database import Database
from gridweave.store.facts import check_facts
from gridweave.store.held import Held
from gridweave.store.many import add_rows, run_many
from gridweave.store.outbox_rows import batch_of, item_of, new_item, outcome_row, row_of, signed_row
from gridweave.store.outbox_sql import (
    OUTCOME,
    QUEUED,
    add_batch,
    bury,
    by_column,
    items_in,
    relayed_in,
    renew,
    reopen,
    requeue,
    sort_out,
)
from gridweave.store.outbox_tables import batches, facts, items, signed
from gridweave.store.records import (
    ACCEPTED,
    COMMITTED,
    DEAD,
    FINAL,
    MINED,
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

T = TypeVar("T")


class OutboxStore:
    """All reads and writes of the outbox. Every write is on disk when its call returns."""

    def __init__(self, database: Database) -> None:
        self._db = database
        self._last_seq: int | None = None
        self._places: set[tuple[int | None, int | None]] | None = None
        self._held = Held()

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
        again as it comes now, a rejected one of a kind `at_once` even before that is final.
        """

        def add(connection: Connection) -> tuple[list[Accepted], bool]:
            try:
                with connection.begin_nested():
                    return self._add(connection, wanted), True
            except IntegrityError:
                return self._sort_in(connection, wanted, revivable, at_once), False

        accepted, all_new = await self._change(add)
        if all_new:
            self._held.add(found.item for found in accepted if found.item is not None)
        else:
            self._held.forget()
        return accepted

    def _add(self, connection: Connection, wanted: Sequence[NewItem]) -> list[Accepted]:
        """Where all are new. IntegrityError if one is not."""
        self._known_places(connection).update((item.meter, item.slot) for item in wanted)
        first = self._next_seq(connection)
        added = [new_item(item, first + at) for at, item in enumerate(wanted)]
        add_rows(connection, items, [row_of(item, known) for item, known in zip(wanted, added, strict=True)])
        self._last_seq = first + len(added) - 1
        return [Accepted(item, is_new=True) for item in added]

    def _sort_in(
        self, connection: Connection, wanted: Sequence[NewItem], revivable: Collection[str], at_once: Collection[str]
    ) -> list[Accepted]:
        """Where some are known, or hold another's nonce."""
        known = {id_: item_of(row) for id_, row in by_column(connection, "id", [item.id for item in wanted]).items()}
        fresh, conflicts = sort_out(connection, wanted, known)
        added = {found.item.id: found.item for found in self._add(connection, fresh) if found.item is not None}
        refused = [item for item in known.values() if item.status == REJECTED]
        revived = {i.id: i.seq for i in refused if i.kind in at_once or (i.final and i.kind in revivable)}
        requeue(connection, list(revived.values()))
        known |= added
        again = {item.id: item for item in wanted if item.id in revived}
        for id_, item in again.items():
            renew(connection, revived[id_], item)
        known |= {
            id_: replace(known[id_], payload=item.payload, status=ACCEPTED, final=False, reason=None, batch=None)
            for id_, item in again.items()
        }
        queued = revived.keys() | added.keys()
        return [
            Accepted(None, conflicts[item.id])
            if item.id in conflicts
            else Accepted(known[item.id], is_new=item.id in queued)
            for item in wanted
        ]

    def _next_seq(self, connection: Connection) -> int:
        """The next item's key; only this process adds items."""
        if self._last_seq is None:
            self._last_seq = int(connection.execute(select(func.max(items.c.seq))).scalar() or 0)
        return self._last_seq + 1

    async def item(self, id_: str) -> Item | None:
        """The item of that id."""
        found = await self.items([id_])
        return found.get(id_)

    async def items(self, ids: Sequence[str]) -> dict[str, Item]:
        """Items by id; unknown ids are missing."""
        found = await self._db.reading(lambda connection: by_column(connection, "id", ids))
        return {id_: item_of(row) for id_, row in found.items()}

    async def items_of_meter(self, meter: int, slot: int | None, kinds: Sequence[str], limit: int) -> list[Item]:
        """A meter's newest items of these kinds, oldest first."""
        where = [items.c.meter == meter, items.c.kind.in_(kinds)]
        if slot is not None:
            where.append(items.c.slot == slot)
        return (await self._items(select(items).where(*where).order_by(items.c.seq.desc()).limit(limit)))[::-1]

    async def relayed(self, places: Collection[tuple[int, int]], kinds: Sequence[str]) -> dict[tuple[int, int], int]:
        """How many items of these kinds arrived on chain, or were refused, by (meter, slot); none is left out."""
        known = self._places
        if known is None:
            known = await self._db.writing(self._known_places)
        wanted = [place for place in places if place in known]
        return await self._db.reading(lambda connection: relayed_in(connection, wanted, kinds)) if wanted else {}

    def _known_places(self, connection: Connection) -> set[tuple[int | None, int | None]]:
        """(meter, slot) of every item, kept at hand: most orders are a position's first, and need no query."""
        if self._places is None:
            rows = connection.execute(select(items.c.meter, items.c.slot).distinct())
            self._places = {(meter, slot) for meter, slot in rows}
        return self._places

    async def queued(self, limit: int) -> list[Item]:
        """Items that no batch carries yet, oldest first."""
        held = self._held.queued(limit)
        if held is not None:
            return held
        asked = 2 * limit
        found = await self._change(lambda connection: items_in(connection, QUEUED.limit(asked)))
        self._held.learn(found, asked)
        return found[:limit]

    async def pending(self) -> list[Item]:
        """Items whose outcome is not known yet."""
        return await self._items(
            select(items).where(items.c.final.is_(False), items.c.status == ACCEPTED).order_by(items.c.seq)
        )

    async def items_of(self, batch_ids: Sequence[int]) -> dict[int, list[Item]]:
        """Items by the batch that carries them."""
        by_batch: dict[int, list[Item]] = {id_: self._held.carried(id_) or [] for id_ in batch_ids}
        unknown = [id_ for id_, carried in by_batch.items() if not carried]
        if unknown:
            for item in await self._items(select(items).where(items.c.batch.in_(unknown)).order_by(items.c.seq)):
                by_batch[item.batch or 0].append(item)
        return by_batch

    async def batches(self, *states: str) -> list[Batch]:
        """Batches in these states by nonce."""
        return await self._batches(select(batches).where(batches.c.state.in_(states)).order_by(batches.c.nonce))

    async def signed_of(self, batch_ids: Sequence[int]) -> dict[int, list[SignedBytes]]:
        """Signed bytes by batch, oldest first: each replacement is dearer. The wall clock may have gone back."""
        by_batch: dict[int, list[SignedBytes]] = {id_: [] for id_ in batch_ids}
        query = select(signed).where(signed.c.batch.in_(batch_ids))
        for found in await self._db.reading(lambda c: [SignedBytes(**row) for row in c.execute(query).mappings()]):
            by_batch[found.batch].append(found)
        return {id_: sorted(entries, key=lambda entry: entry.most_fee) for id_, entries in by_batch.items()}

    async def lost(self, chain_nonce: int) -> list[Batch]:
        """Final batches that the chain, which waits for `chain_nonce` next, has lost after all."""
        return await self._batches(select(batches).where(batches.c.state == FINAL, batches.c.nonce >= chain_nonce))

    async def has_nonce(self, nonce: int) -> bool:
        """Whether a batch holds this nonce."""
        return bool(await self._batches(select(batches).where(batches.c.nonce == nonce)))

    async def last_nonce(self) -> int | None:
        """The highest nonce that any living batch holds."""
        query = select(func.max(batches.c.nonce)).where(batches.c.nonce >= 0)
        found = await self._db.reading(lambda connection: connection.execute(query).scalar())
        return None if found is None else int(found)

    async def add_batches(self, drafts: Sequence[Draft]) -> list[Batch]:
        """Stores batches with their first signed bytes and the items they carry, all in one durable transaction."""
        added = await self._change(lambda connection: [add_batch(connection, draft) for draft in drafts])
        for batch, draft in zip(added, drafts, strict=True):
            self._held.load(batch.id, draft.seqs)
        return added

    async def add_signed(self, batch: int, signing: SignedBytes) -> None:
        """Stores a replacement's signed bytes beside the earlier ones."""
        await self._db.writing(lambda connection: connection.execute(insert(signed).values(signed_row(signing, batch))))

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
        place = {"tx_hash": tx_hash, "block_number": number, "block_hash": block_hash, "gas_used": gas_used}

        def record(connection: Connection) -> None:
            connection.execute(update(batches).where(batches.c.id == batch).values(state=MINED, **place))
            run_many(connection, OUTCOME, [outcome_row(o, tx_hash, number) for o in outcomes])
            requeue(connection, retry)

        await self._change(record)
        self._held.land([batch])
        if retry:
            self._held.forget()

    async def reopen(self, batch_ids: Sequence[int]) -> None:
        """The blocks of these batches are gone: their items are accepted again, and remember having been committed."""
        if batch_ids:
            await self._change(lambda connection: reopen(connection, batch_ids))
            self._held.land(batch_ids)

    async def finalize(self, up_to_block: int, final_time: int, acts: Collection[str] = ()) -> int:
        """Marks what can no longer change: batches in final blocks, what they committed, and refusals whose last moment
        (`commit_before`) lies at or before the final block's time. A refusal of the kinds `acts`, whose last moment may
        never come, is final with its block. Returns how many items became final."""
        mined = update(batches).where(batches.c.state == MINED, batches.c.block_number <= up_to_block)
        over = or_(items.c.commit_before <= final_time, items.c.kind.in_(acts))
        settled = or_(items.c.block_number.is_(None), items.c.block_number <= up_to_block)
        done = or_(
            and_(items.c.status == COMMITTED, items.c.block_number <= up_to_block),
            and_(items.c.status == REJECTED, settled, over),
        )
        free = case((items.c.status == REJECTED, None), else_=items.c.nonce_key)
        kept = update(items).where(items.c.final.is_(False), done).values(final=True, nonce_key=free)

        def finalize(connection: Connection) -> int:
            connection.execute(mined.values(state=FINAL))
            return connection.execute(kept).rowcount

        return await self._db.writing(finalize)

    async def reject(self, outcomes: Sequence[ItemOutcome]) -> None:
        """Items that no block will hold: stores why."""
        if outcomes:
            rows = [outcome_row(o, None, o.block) for o in outcomes]
            await self._change(lambda connection: run_many(connection, OUTCOME, rows))
            self._held.drop(outcome.seq for outcome in outcomes)

    async def bury(self, batch: int) -> None:
        """A batch whose nonce is lost to it: its items are queued again, its nonce is free for another batch."""
        await self._change(lambda connection: bury(connection, batch))
        self._held.forget()

    async def forget(self, before_ms: int) -> int:
        """Deletes final items accepted before that wall-clock time, and batches that carry none any more."""
        carried = select(items.c.batch).where(items.c.batch.is_not(None))
        last = select(func.max(batches.c.id)).scalar_subquery()
        idle = and_(batches.c.state.in_((FINAL, DEAD)), batches.c.id.not_in(carried), batches.c.id != last)

        def forget(connection: Connection) -> int:
            old = delete(items).where(items.c.final.is_(True), items.c.created_at_ms < before_ms)
            gone = connection.execute(old).rowcount
            connection.execute(delete(signed).where(signed.c.batch.in_(select(batches.c.id).where(idle))))
            connection.execute(delete(batches).where(idle))
            self._places = None
            return gone

        return await self._db.writing(forget)

    async def accepted_total(self) -> int:
        """How many items were ever accepted."""
        return await self._db.reading(lambda c: int(c.execute(select(func.max(items.c.seq))).scalar() or 0))

    async def done(self, kinds: Sequence[str]) -> dict[str, int]:
        """How many items of each kind are on chain."""
        query = select(items.c.kind, func.count()).where(items.c.kind.in_(kinds), items.c.status == COMMITTED)
        rows = query.group_by(items.c.kind)
        return await self._db.reading(lambda c: {str(kind): int(count) for kind, count in c.execute(rows)})

    async def _batches(self, query: Select[Any]) -> list[Batch]:
        return await self._db.reading(lambda c: [batch_of(row) for row in c.execute(query).mappings()])

    async def _items(self, query: Select[Any]) -> list[Item]:
        return await self._db.reading(lambda connection: items_in(connection, query))

    async def _change(self, work: Callable[[Connection], T]) -> T:
        """A change of what is held: whoever gives up waiting for it does not know whether it was made."""
        try:
            return await self._db.writing(work)
        except BaseException:
            self._held.forget()
            raise
