"""What every order is checked against, kept at hand: read from the index once, then kept true by each block's rows.

Answers may lag a block; they only ever decide what is answered early. A reorganisation empties every book.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from typing import Any, Generic, TypeVar

from gridweave.store.accounts import AccountReads
from gridweave.store.devices import DeviceReads
from gridweave.store.meters import MeterReads
from gridweave.store.orders import OrderReads
from gridweave.store.reading import Row

__all__ = ["Book", "Books"]

K = TypeVar("K")
V = TypeVar("V")

_MOST_SLOTS = 512
_MOST_ENTRIES = 50_000


class Book(Generic[K, V]):
    """A map that is loaded as it is asked for: who asks meanwhile for the same waits for the same load.

    Of a load, what changed before it came is used by those who wait for it, and not kept.
    """

    def __init__(self, load: Callable[[Sequence[K]], Awaitable[Mapping[K, V]]], most: int) -> None:
        self._load = load
        self._most = most
        self._known: dict[K, V] = {}
        self._loads: dict[K, asyncio.Task[Mapping[K, V]]] = {}

    async def get(self, keys: Iterable[K]) -> dict[K, V]:
        """Values by key; keys without one are missing. Raises StoreUnavailable."""
        wanted = list(keys)
        missing = [key for key in wanted if key not in self._known]
        if not missing:
            return {key: self._known[key] for key in wanted}
        found = {key: self._known[key] for key in wanted if key in self._known}
        for load in self._started(missing):
            loaded = await asyncio.shield(load)
            found |= {key: loaded[key] for key in missing if key in loaded}
        return found

    def learn(self, key: K, change: Callable[[V], V]) -> None:
        """Changes the value of a key that is known; an unknown one will be read when it is asked for."""
        self._loads.pop(key, None)
        if key in self._known:
            self._known[key] = change(self._known[key])

    def forget(self, key: K | None = None) -> None:
        """Drops one key, or all."""
        if key is None:
            self._loads.clear()
            self._known.clear()
        else:
            self._loads.pop(key, None)
            self._known.pop(key, None)

    def _started(self, missing: Sequence[K]) -> set[asyncio.Task[Mapping[K, V]]]:
        """The loads that bring these keys: those under way, and one for the rest."""
        fresh = [key for key in missing if key not in self._loads]
        if fresh:
            load = asyncio.create_task(self._loaded(fresh))
            load.add_done_callback(_heard)
            self._loads.update(dict.fromkeys(fresh, load))
        return {self._loads[key] for key in missing}

    async def _loaded(self, keys: Sequence[K]) -> Mapping[K, V]:
        try:
            found = await self._load(keys)
        finally:
            unchanged = [key for key in keys if self._loads.get(key) is asyncio.current_task()]
            for key in unchanged:
                del self._loads[key]
        self._known.update((key, found[key]) for key in unchanged if key in found)
        while len(self._known) > self._most:
            self._known.pop(next(iter(self._known)))
        return found


def _heard(load: asyncio.Task[Any]) -> None:
    """A load's fault is told to whoever waits for it, if anybody still does."""
    if not load.cancelled():
        load.exception()


class Books:
    """Meters, devices, delegations, what accounts have, and the newest act of each meter by slot."""

    def __init__(self, devices: DeviceReads, meters: MeterReads, orders: OrderReads, accounts: AccountReads) -> None:
        self.meters: Book[int, Row] = Book(meters.meters, _MOST_ENTRIES)
        self.devices: Book[str, Row] = Book(devices.devices, _MOST_ENTRIES)
        self.scopes: Book[tuple[str, str], dict[int, Row]] = Book(meters.scopes, _MOST_ENTRIES)
        self.standing: Book[str, tuple[int, bool]] = Book(accounts.standing, _MOST_ENTRIES)
        self.acts: Book[int, dict[int, Row]] = Book(orders.newest_of_slots, _MOST_SLOTS)

    def learn(self, rows: Mapping[str, Sequence[Row]]) -> None:
        """Takes in the rows of new blocks, by table."""
        for row in rows.get("moves", ()):
            self.standing.learn(row["account"], lambda old, row=row: (row["available"], old[1]))  # type: ignore[misc]
        for row in rows.get("debts", ()):
            self.standing.forget(row["debtor"])
        for row in rows.get("delegations", ()):
            self.scopes.forget((row["account"], row["delegate"]))
        for row in rows.get("meter_ends", ()):
            self.meters.forget(row["meter"])
        for table in ("device_owners", "device_keys", "device_statuses"):
            for row in rows.get(table, ()):
                self.devices.forget(row["device"])
        for table in ("placements", "cancellations"):
            for row in rows.get(table, ()):
                self.acts.learn(row["slot"], lambda old, row=row: _with_act(old, row))  # type: ignore[misc]

    def forget(self) -> None:
        """Rows were taken back."""
        for book in (self.meters, self.devices, self.scopes, self.standing, self.acts):
            book.forget()


def _with_act(acts: dict[int, Row], row: Row) -> dict[int, Row]:
    """The slot's acts with one more; the row's meter had it last. What was loaded since the row came has it already."""
    bare: Row = {"side": None, "energy_wh": None, "limit_price": None}
    newest = acts.get(row["meter"])
    if newest is None or newest["version"] < row["version"]:
        acts[row["meter"]] = bare | row | {"acts": newest["acts"] + 1 if newest else 1}
    return acts
