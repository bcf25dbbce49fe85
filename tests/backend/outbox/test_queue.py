"""Requests that arrive together share a commit; each gets its own answer."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Collection, Sequence
from pathlib import Path

import pytest_asyncio

from gridweave.outbox.queue import Lanes, Queue
from gridweave.store.database import Kind
from gridweave.store.errors import StoreUnavailable
from gridweave.store.outbox import OutboxStore
from gridweave.store.records import Accepted, NewItem
from tests.support import stores


class CountingStore(OutboxStore):
    """The real store, counting commits; `broken` makes it unreachable."""

    commits = 0
    broken = False

    async def accept(
        self, wanted: Sequence[NewItem], revivable: Collection[str] = (), at_once: Collection[str] = ()
    ) -> list[Accepted]:
        self.commits += 1
        await asyncio.sleep(0.01)
        if self.broken:
            raise StoreUnavailable("away")
        return await super().accept(wanted, revivable, at_once)


@pytest_asyncio.fixture
async def store(tmp_path: Path) -> AsyncIterator[CountingStore]:
    database = stores.database(Kind.OUTBOX, tmp_path)
    await database.migrate()
    yield CountingStore(database)
    await database.close()


def request(number: int) -> NewItem:
    return NewItem(f"0x{number:064x}", "order", f"n{number}", (f"meter:{number}",), {}, 1, "0x")


async def test_accept__a_hundred_at_once__take_a_few_commits(store: CountingStore) -> None:
    rings = 0

    def ring() -> None:
        nonlocal rings
        rings += 1

    lanes = Lanes()
    queue = Queue(store, lanes, ring)
    answers = await asyncio.gather(*(queue.accept([request(n)]) for n in range(100)))
    assert [answer[0].item.id for answer in answers if answer[0].item] == [request(n).id for n in range(100)]
    assert store.commits <= 3
    assert rings == store.commits
    assert lanes.busy(["meter:5"])


async def test_accept__store_away__tells_everybody_and_recovers(store: CountingStore) -> None:
    queue = Queue(store, Lanes(), lambda: None)
    store.broken = True
    failed = await asyncio.gather(*(queue.accept([request(n)]) for n in range(5)), return_exceptions=True)
    assert all(isinstance(error, StoreUnavailable) for error in failed)
    store.broken = False
    assert (await queue.accept([request(1)]))[0].is_new


async def test_lanes__added_and_removed__count(store: CountingStore) -> None:
    lanes = Lanes()
    lanes.add(("a", "b"))
    lanes.add(("a",))
    lanes.remove(("a", "b"))
    assert lanes.busy(["a"])
    assert not lanes.busy(["b"])
    lanes.remove(("a",))
    lanes.remove(("a",))
    assert not lanes.busy(["a"])
