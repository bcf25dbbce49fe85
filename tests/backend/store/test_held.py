"""What is kept at hand of the queue is what the tables say, whatever happened to it."""

from __future__ import annotations

import asyncio
import contextlib
import random
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from sqlalchemy import Connection, func, select

from gridweave.store.database import Database
from gridweave.store.errors import StoreUnavailable
from gridweave.store.held import Held
from gridweave.store.outbox import OutboxStore
from gridweave.store.outbox_tables import items
from gridweave.store.records import COMMITTED, REJECTED, Batch, Item, ItemOutcome
from tests.backend.store.test_outbox import draft, request, signing

pytestmark = pytest.mark.asyncio


def item(seq: int) -> Item:
    new = request(seq)
    unknown: dict[str, Any] = dict.fromkeys(
        ("reason", "batch", "tx_hash", "block_number", "market", "account", "sponsor")
    )
    return Item(
        seq=seq,
        id=new.id,
        kind="order",
        lanes=new.lanes,
        payload={},
        commit_before=1,
        acknowledgement="",
        created_at_ms=0,
        status="accepted",
        reason_args={},
        final=False,
        was_committed=False,
        attempts=0,
        slot=7,
        meter=seq,
        **unknown,
    )


async def test_queued__of_a_part_only__asks_for_the_rest_once_it_is_short() -> None:
    held = Held()
    assert held.queued(2) is None
    held.learn([item(seq) for seq in range(1, 5)], asked=4)
    assert [one.seq for one in held.queued(2) or []] == [1, 2]
    held.add([item(5)])
    held.load(9, [1, 2, 3])
    assert held.queued(2) is None, "4 is at hand, 5 came behind what is not"


async def test_queued__through_any_life__is_what_another_reads_from_the_tables(
    outbox: OutboxStore, outbox_database: Database, rng: random.Random
) -> None:
    life = _Life(outbox, rng)
    for _ in range(120):
        await rng.choice((life.accept, life.accept, life.send, life.mine, life.reject, life.reopen, life.bury))()
        limit = rng.choice((3, 100))
        assert await outbox.queued(limit) == await OutboxStore(outbox_database).queued(limit)
        open_ones = [batch.id for batch in await outbox.batches("open")]
        assert await outbox.items_of(open_ones) == await OutboxStore(outbox_database).items_of(open_ones)
    count = select(func.count()).select_from(items)
    assert await outbox_database.reading(lambda connection: connection.execute(count).scalar()) == life.accepted


async def test_queued__writes_at_once_that_fail_or_lose_their_answer__is_what_another_reads_from_the_tables(
    outbox_database: Database, rng: random.Random
) -> None:
    """Whoever is told of a failure does not know what was stored; nobody who was told of success may be wrong."""
    frail = _Frail(outbox_database, rng)
    outbox = OutboxStore(frail)  # type: ignore[arg-type]
    kept: set[str] = set()
    for turn in range(60):
        life = _Life(outbox, rng, first=1_000 * turn, nonce=10 * turn)
        frail.how_often = 0.3
        tasks = [asyncio.create_task(act) for act in (life.accept(), life.round(), life.accept(), life.accept())]
        await asyncio.sleep(0.004 * rng.random())
        rng.choice(tasks).cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        frail.how_often = 0
        assert await outbox.queued(1_000) == await OutboxStore(outbox_database).queued(1_000)
        open_ones = [batch.id for batch in await outbox.batches("open")]
        assert await outbox.items_of(open_ones) == await OutboxStore(outbox_database).items_of(open_ones)
        kept |= life.told
        assert (await outbox.items(sorted(kept))).keys() == kept
    assert frail.failed


class _Frail:
    """A database whose writes fail at random, before they are made or when they are."""

    def __init__(self, database: Database, rng: random.Random) -> None:
        self._database, self._rng = database, rng
        self.how_often = 0.0
        self.failed = 0
        self.reading = database.reading

    async def writing(self, work: Callable[[Connection], Any]) -> Any:
        fate = self._rng.random()
        if fate < self.how_often / 2:
            raise self._fails()
        done = await self._database.writing(work)
        if fate < self.how_often:
            raise self._fails()
        return done

    def _fails(self) -> StoreUnavailable:
        self.failed += 1
        return StoreUnavailable("away")


class _Life:
    """What may happen to an outbox, each at random."""

    def __init__(self, outbox: OutboxStore, rng: random.Random, first: int = 0, nonce: int = 0) -> None:
        self._outbox, self._rng = outbox, rng
        self.accepted, self._nonce, self._mined = first, nonce, nonce
        self.told: set[str] = set()

    async def round(self) -> None:
        """What the one sender does, one after the other, whatever of it fails."""
        for act in (self.send, self.mine, self.reject, self.send, self.bury, self.reopen):
            with contextlib.suppress(StoreUnavailable):
                await act()

    async def accept(self) -> None:
        fresh = range(self.accepted + 1, self.accepted + self._rng.randint(1, 6))
        again = [self._rng.randint(1, self.accepted)] if self.accepted and self._rng.random() < 0.2 else []
        self.accepted += len(fresh)
        wanted = [request(number) for number in (*fresh, *again)]
        answers = await self._outbox.accept(wanted, revivable=("order",), at_once=("order",))
        self.told |= {found.item.id for found in answers if found.item is not None}

    async def send(self) -> None:
        queued = await self._outbox.queued(4)
        if queued:
            made = draft(self._nonce, *(one.seq for one in queued))
            await self._outbox.add_batches([replace(made, signing=signing(f"{self._nonce:02x}"))])
            self._nonce += 1

    async def mine(self) -> None:
        batch = await self._any("open")
        if batch is not None:
            seqs = [one.seq for one in (await self._outbox.items_of([batch.id]))[batch.id]]
            retry = seqs if self._rng.random() < 0.3 else []
            said = [ItemOutcome(seq, self._rng.choice((COMMITTED, REJECTED))) for seq in seqs if not retry]
            self._mined += 1
            await self._outbox.record_mined(batch.id, f"0x{self._mined}", (self._mined, "0xb"), 1, said, retry)

    async def reject(self) -> None:
        queued = await self._outbox.queued(2)
        await self._outbox.reject([ItemOutcome(one.seq, REJECTED, "Late") for one in queued])

    async def reopen(self) -> None:
        batch = await self._any("mined")
        if batch is not None:
            await self._outbox.reopen([batch.id])

    async def bury(self) -> None:
        batch = await self._any("open")
        if batch is not None:
            await self._outbox.bury(batch.id)

    async def _any(self, state: str) -> Batch | None:
        found = await self._outbox.batches(state)
        return self._rng.choice(found) if found else None
