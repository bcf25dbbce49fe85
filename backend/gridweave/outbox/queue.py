"""The door of the outbox: what comes back from `accept` is on disk.

Requests that arrive while a commit is under way share the next one, so that the cost of an fsync is divided among them.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable, Iterable, Sequence

from gridweave.outbox.kinds import AT_ONCE, REVIVABLE
from gridweave.store.outbox import OutboxStore
from gridweave.store.records import Accepted, NewItem

__all__ = ["Lanes", "Queue"]

_MOST_PER_COMMIT = 2_000

Waiting = tuple[list[NewItem], "asyncio.Future[list[Accepted]]"]


class Lanes:
    """How many items under way touch each account, meter or device: there the chain's state is about to change."""

    def __init__(self) -> None:
        self._counts: Counter[str] = Counter()

    def busy(self, lanes: Iterable[str]) -> bool:
        """Whether anything that touches one of these is accepted and not yet on chain."""
        return any(self._counts[lane] for lane in lanes)

    def count(self, lane: str) -> int:
        """How many items under way touch it."""
        return self._counts[lane]

    def add(self, lanes: Iterable[str]) -> None:
        """An item is under way."""
        self._counts.update(lanes)

    def remove(self, lanes: Iterable[str]) -> None:
        """An item arrived."""
        for lane in lanes:
            if self._counts[lane] <= 1:
                del self._counts[lane]
            else:
                self._counts[lane] -= 1


class Queue:
    """Accepts items durably. `on_accepted` is called after each commit: the sender's bell."""

    def __init__(self, store: OutboxStore, lanes: Lanes, on_accepted: Callable[[], None]) -> None:
        self._store = store
        self._lanes = lanes
        self._on_accepted = on_accepted
        self._waiting: list[Waiting] = []
        self._ids: Counter[str] = Counter()
        self._committing: asyncio.Task[None] | None = None

    async def accept(self, items: Sequence[NewItem]) -> list[Accepted]:
        """The items as stored, in order. Raises StoreUnavailable; then nothing is acknowledged.

        They count as under way at once, before anything is awaited, so that requests at the same time see each other.
        """
        if not items:
            return []
        for item in items:
            self._lanes.add(item.lanes)
            self._ids[item.id] += 1
        answer: asyncio.Future[list[Accepted]] = asyncio.get_running_loop().create_future()
        self._waiting.append((list(items), answer))
        if self._committing is None or self._committing.done():
            self._committing = asyncio.create_task(self._commit())
        return await answer

    def holds(self, id_: str) -> bool:
        """Whether an item of that id waits for its commit: the same again takes no more room."""
        return id_ in self._ids

    async def close(self) -> None:
        """Waits for the commit under way."""
        if self._committing is not None:
            await self._committing

    async def _commit(self) -> None:
        while self._waiting:
            taken = self._take()
            wanted = [item for items, _ in taken for item in items]
            try:
                answers = await self._stored(wanted)
            except Exception as error:  # noqa: BLE001 - each waiting request gets it
                for items, future in taken:
                    for item in items:
                        self._lanes.remove(item.lanes)
                    if not future.done():
                        future.set_exception(error)
                continue
            self._answer(taken, answers)
            self._on_accepted()

    async def _stored(self, items: Sequence[NewItem]) -> list[Accepted]:
        try:
            return await self._store.accept(items, REVIVABLE, AT_ONCE)
        finally:
            self._ids -= Counter(item.id for item in items)

    def _take(self) -> list[Waiting]:
        size, count = 0, 0
        for items, _ in self._waiting:
            size += len(items)
            if count and size > _MOST_PER_COMMIT:
                break
            count += 1
        taken, self._waiting = self._waiting[:count], self._waiting[count:]
        return taken

    def _answer(self, taken: Sequence[Waiting], answers: Sequence[Accepted]) -> None:
        at = 0
        queued: set[str] = set()
        for items, future in taken:
            mine = list(answers[at : at + len(items)])
            at += len(items)
            for item, found in zip(items, mine, strict=True):
                if not found.is_new or item.id in queued:
                    self._lanes.remove(item.lanes)
                queued.add(item.id)
            if not future.done():
                future.set_result(mine)
