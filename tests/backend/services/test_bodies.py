"""Sealed bodies on disk: what was kept is found, whatever became of a file in between, and nothing else is."""

from __future__ import annotations

import asyncio
import os
import threading
from hashlib import sha256
from pathlib import Path

import pytest

from gridweave.services import bodies
from gridweave.services.bodies import BODIES, BodyStore
from gridweave.services.errors import Unavailable

pytestmark = pytest.mark.asyncio

BODY = b"sealed" * 100
HASH = sha256(BODY).digest()


@pytest.fixture
def store(tmp_path: Path) -> BodyStore:
    return BodyStore(tmp_path / BODIES)


def file_of(store: BodyStore) -> Path:
    return store.folder / HASH.hex()[:2] / HASH.hex()


def names_in(folder: Path) -> list[str]:
    return [path.name for path in folder.rglob("*")]


async def test_keep__where_the_disk_takes_nothing__is_unavailable_and_leaves_nothing(tmp_path: Path) -> None:
    (tmp_path / BODIES).write_text("a file where the folder would be")
    with pytest.raises(Unavailable):
        await BodyStore(tmp_path / BODIES).keep(BODY)
    assert names_in(tmp_path) == [BODIES]


async def test_find__what_was_never_kept__is_none(store: BodyStore) -> None:
    assert await store.find(HASH) is None


@pytest.mark.parametrize("content", [b"", BODY[:-1], BODY + b"\0", b"other"], ids=["empty", "cut", "longer", "other"])
async def test_find__a_file_that_is_something_else__is_none(store: BodyStore, content: bytes) -> None:
    await store.keep(BODY)
    file_of(store).write_bytes(content)
    assert await store.find(HASH) is None


async def test_find__what_was_kept__is_it_byte_for_byte(store: BodyStore) -> None:
    await store.keep(BODY)
    await store.keep(BODY)
    assert await store.find(HASH) == BODY
    assert [path for path in store.folder.rglob("*") if path.is_file()] == [file_of(store)]


async def test_keep__over_a_file_that_rotted__puts_the_whole_one_there(store: BodyStore) -> None:
    await store.keep(BODY)
    file_of(store).write_bytes(b"rot")
    await store.keep(BODY)
    assert await store.find(HASH) == BODY


async def test_keep__by_many_at_once__leaves_one_file(store: BodyStore) -> None:
    await asyncio.gather(*(store.keep(BODY) for _ in range(16)))
    assert [path for path in store.folder.rglob("*") if path.is_file()] == [file_of(store)]
    assert await store.find(HASH) == BODY


async def test_keep__what_another_has_just_renamed__waits_until_the_name_is_on_disk(
    store: BodyStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The first is stopped between rename and flush; the second must flush the name itself before it answers."""
    real, is_first, may_go, renamed = bodies._flush, [True], threading.Event(), threading.Event()
    flushed: list[Path] = []

    def flush(*folders: Path) -> None:
        if is_first.pop() if is_first else False:
            renamed.set()
            may_go.wait(10)
        real(*folders)
        flushed.extend(folders)

    monkeypatch.setattr(bodies, "_flush", flush)
    first = asyncio.create_task(store.keep(BODY))
    try:
        await asyncio.to_thread(renamed.wait, 10)
        assert file_of(store).exists()
        await store.keep(BODY)
        assert file_of(store).parent in flushed
    finally:
        may_go.set()
        await first


async def test_keep__the_first_body_of_a_service__flushes_every_folder_it_made(
    store: BodyStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    real, synced = os.fsync, set[int]()

    def fsync(descriptor: int) -> None:
        synced.add(os.fstat(descriptor).st_ino)
        real(descriptor)

    monkeypatch.setattr(os, "fsync", fsync)
    await store.keep(BODY)
    made = (file_of(store), file_of(store).parent, store.folder, store.folder.parent)
    assert {path.stat().st_ino for path in made} <= synced
