"""Books at hand agree with the index, and are empty after a reorganisation."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from gridweave.services.books import Book, Books
from gridweave.services.runtime import follower_of
from gridweave.store.errors import StoreUnavailable
from gridweave.store.index import IndexedBlock, IndexStore
from tests.backend.indexer.test_follower import place
from tests.support.service import Service, served
from tests.support.town import founded


async def test_book__a_load_during_which_something_changed__is_not_kept() -> None:
    loads = 0

    async def load(keys: Sequence[str]) -> dict[str, int]:
        nonlocal loads
        loads += 1
        await asyncio.sleep(0)
        return dict.fromkeys(keys, loads)

    book: Book[str, int] = Book(load, most=10)
    waiting = asyncio.create_task(book.get(["a"]))
    await asyncio.sleep(0)
    book.learn("a", lambda old: old + 100)
    assert await waiting == {"a": 1}
    assert await book.get(["a"]) == {"a": 2}
    book.learn("a", lambda old: old + 100)
    assert await book.get(["a", "b"]) == {"a": 102, "b": 3}
    book.forget()
    assert await book.get(["a"]) == {"a": 4}


async def test_book__a_load_during_which_another_key_changed__is_kept() -> None:
    async def load(keys: Sequence[str]) -> dict[str, int]:
        await asyncio.sleep(0)
        return dict.fromkeys(keys, 0)

    book: Book[str, int] = Book(load, most=10)
    waiting = asyncio.create_task(book.get(["a", "b"]))
    await asyncio.sleep(0)
    book.forget("b")
    assert await waiting == {"a": 0, "b": 0}
    assert set(book._known) == {"a"}


async def test_book__many_who_ask_for_the_same__load_it_once_and_survive_who_gives_up() -> None:
    asked: list[list[str]] = []
    gate = asyncio.Event()

    async def load(keys: Sequence[str]) -> dict[str, int]:
        asked.append(list(keys))
        await gate.wait()
        return dict.fromkeys(keys, len(asked))

    book: Book[str, int] = Book(load, most=10)
    waiting = [asyncio.create_task(book.get(keys)) for keys in (["a"], ["a", "b"], ["b"])]
    await asyncio.sleep(0)
    waiting[0].cancel()
    await asyncio.sleep(0)
    gate.set()
    answers = await asyncio.gather(*waiting[1:])
    assert [set(answer) for answer in answers] == [{"a", "b"}, {"b"}]
    assert asked == [["a"], ["b"]]


async def test_book__a_load_that_fails__is_told_to_all_and_tried_again() -> None:
    faults = [OSError("away")]

    async def load(keys: Sequence[str]) -> dict[str, int]:
        await asyncio.sleep(0)
        if faults:
            raise faults.pop()
        return dict.fromkeys(keys, 7)

    book: Book[str, int] = Book(load, most=10)
    told = await asyncio.gather(book.get(["a"]), book.get(["a"]), return_exceptions=True)
    assert [str(fault) for fault in told] == ["away", "away"]
    assert await book.get(["a"]) == {"a": 7}


async def test_book__more_than_it_may_hold__drops_the_oldest() -> None:
    async def load(keys: Sequence[int]) -> dict[int, int]:
        return dict.fromkeys(keys, 0)

    book: Book[int, int] = Book(load, most=3)
    assert await book.get(range(5)) == dict.fromkeys(range(5), 0)
    assert len(book._known) == 3


@pytest.mark.chain
async def test_books__after_orders_cancels_and_money__say_what_the_index_says(tmp_path: Path) -> None:
    async with founded(tmp_path / "chain", homes=3) as town, served(town, tmp_path / "s") as service:
        slot = await town.open_slot()
        await agree(service, [slot])
        ids = await service.accept("orders", {"orders": [town.bid(home, slot) for home in town.homes]})
        await service.done(*ids)
        await agree(service, [slot])
        ids = await service.accept("cancels", town.cancel(town.homes[0], slot))
        ids += await service.accept("orders", town.bid(town.homes[1], slot, 1_700))
        await service.done(*ids)
        await service.caught_up()
        await agree(service, [slot])
        await town.chain.node.request("anvil_reorg", 3, [])
        await service.caught_up()
        await agree(service, [slot])


async def agree(service: Service, slots: list[int]) -> None:
    """What is at hand is what a fresh book reads."""
    world = service.runtime.world
    fresh = Books(world.reads.devices, world.reads.meters, world.reads.orders, world.reads.accounts)
    accounts = [home.account for home in service.town.homes]
    meters = [home.meter for home in service.town.homes]
    keep = ("version", "side", "energy_wh", "limit_price", "acts", "digest")
    ours, theirs = await world.books.acts.get(slots), await fresh.acts.get(slots)
    for slot in slots:
        assert {m: [row[k] for k in keep] for m, row in ours[slot].items()} == {
            m: [row[k] for k in keep] for m, row in theirs[slot].items()
        }
    assert await world.books.standing.get(accounts) == await fresh.standing.get(accounts)
    assert await world.books.meters.get(meters) == await fresh.meters.get(meters)


@pytest.mark.chain
async def test_books__asked_between_the_rows_and_their_telling__count_an_act_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with founded(tmp_path / "chain", homes=1) as town, served(town, tmp_path / "s") as service:
        slot = await town.open_slot()
        applied = IndexStore.apply

        async def apply(store: IndexStore, blocks: Sequence[IndexedBlock], rows: Any) -> None:
            await applied(store, blocks, rows)
            await service.runtime.world.books.acts.get([slot])

        monkeypatch.setattr(IndexStore, "apply", apply)
        await place(town, slot)
        await service.caught_up()
        await agree(service, [slot])


@pytest.mark.chain
async def test_books__of_a_commit_whose_answer_was_lost__hear_of_its_rows(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with founded(tmp_path / "chain", homes=1) as town, served(town, tmp_path / "s") as service:
        slot = await town.open_slot()
        await agree(service, [slot])
        applied = IndexStore.apply

        async def apply(store: IndexStore, blocks: Sequence[IndexedBlock], rows: Any) -> None:
            await applied(store, blocks, rows)
            monkeypatch.undo()
            raise StoreUnavailable("gone before it answered")

        monkeypatch.setattr(IndexStore, "apply", apply)
        await place(town, slot)
        await service.caught_up()
        await agree(service, [slot])


@pytest.mark.chain
async def test_books__while_another_service_writes_the_index__hear_of_its_rows(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with founded(tmp_path / "chain", homes=1) as town, served(town, tmp_path / "s") as service:
        slot = await town.open_slot()
        await agree(service, [slot])

        class Others(IndexStore):
            head = IndexStore.head

        other = await follower_of(town.deployment, town.chain.node, Others(service.runtime.stores.index))

        async def head(store: IndexStore) -> IndexedBlock | None:
            await other.catch_up()
            return await Others.head(store)

        monkeypatch.setattr(IndexStore, "head", head)
        await place(town, slot)
        await service.caught_up()
        await agree(service, [slot])


@pytest.mark.chain
async def test_books__when_the_index_is_away_after_a_reorg__are_emptied_and_the_service_goes_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with founded(tmp_path / "chain", homes=1) as town, served(town, tmp_path / "s") as service:
        slot, world = await town.open_slot(), service.runtime.world
        await place(town, slot)
        await service.caught_up()
        await agree(service, [slot])

        real, answers = world.sponsors.refresh, iter([StoreUnavailable("gone")])

        async def refresh() -> None:
            for away in answers:
                raise away
            await real()

        monkeypatch.setattr(world.sponsors, "refresh", refresh)
        await town.chain.node.request("anvil_reorg", 1, [])
        await service.caught_up()
        assert not service.runtime.has_stopped
        await agree(service, [slot])
