"""What is measured: a founded town on its chain, the service as a process of its own, and blocks at an even pace."""

from __future__ import annotations

import asyncio
import contextlib
import random
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import httpx

from benchmark.speed.generator import Answered, post_all, request
from gridweave.chain.events import Event, topics_of
from gridweave.domain.orders import Side
from tests.support.load import mine_steadily
from tests.support.process import ServiceProcess
from tests.support.town import TestHome, Town, founded

__all__ = ["BATCH", "Scene", "Size", "in_batches", "opened"]

T = TypeVar("T")

BATCH = 100
TERMS = {"tick_size": 2_000, "tick_count": 116, "reading_window": 28_800, "correction_window": 36_000}
"""Prices of 0.08 to 0.31 over 116 ticks, and the time to settle many slots in one go."""

_PRODUCT = {
    "poll_ms": 250,
    "batch_window_ms": 200,
    "resend_ms": 5_000,
    "priority_fee_wei": 1_000_000_000,
    "most_replacements": 8,
    "rate_limit_per_s": 0,
    "read_limit_per_s": 0,
}
"""The service as it is delivered, but without its keeper and the limit per address: all load comes from one."""

_DEADLINE = 2**24
_WITHIN = 120.0
_WAITING = 'gridweave_outbox_items{status="accepted"}'


@dataclass(frozen=True)
class Size:
    """How much is measured. Orders are placed in whole slots, an order a home."""

    homes: int
    singles: int
    slots: int
    read_slots: int


def in_batches(items: Sequence[T]) -> list[list[T]]:
    """The items in lists of BATCH, the last one shorter."""
    return [list(items[start : start + BATCH]) for start in range(0, len(items), BATCH)]


@dataclass
class Scene:
    """A town, its service, and the slots that are traded in, from `first` on."""

    town: Town
    service: ServiceProcess
    size: Size
    rng: random.Random
    first: int

    @property
    def slots(self) -> range:
        """The slots in which all homes order."""
        return range(self.first, self.first + self.size.slots)

    @property
    def slots_of_singles(self) -> range:
        """The slots behind those, in which as many order as there are singles."""
        return range(self.slots.stop, self.slots.stop + -(-self.size.singles // self.size.homes))

    def orders(self, slot: int) -> list[dict[str, Any]]:
        """An order of every home: bids and asks in turn, prices over all ticks, 100 to 500 Wh."""
        return [self._order(home, slot) for home in self.town.homes]

    def _order(self, home: TestHome, slot: int) -> dict[str, Any]:
        side = Side.BID if home.meter % 2 else Side.ASK
        terms = self.town.terms
        net = terms.min_price + terms.tick_size * self.rng.randrange(terms.tick_count)
        limit = net + terms.grid_fee if side is Side.BID else net
        return self.town.order(home, slot, side, self.rng.randrange(100, 500), limit)

    async def post(self, path: str, bodies: Sequence[list[dict[str, Any]]], hands: int) -> Answered:
        """Posts lists of signed items under their own name."""
        url = f"{self.service.url}/v1/{path}"
        return await post_all(url, [request(url, {path: items}) for items in bodies], hands)

    async def until_done(self) -> None:
        """Waits until nothing is only accepted any more: it is on chain, or refused."""
        await self._until(lambda answer: f"{_WAITING} 0.0" in answer.text, "/metrics")

    async def travel(self, time: int) -> None:
        """Chain time moves to `time`, and the service with it."""
        await self.town.chain.mine(time)
        await self._until(lambda answer: answer.json()["chainTime"] >= time, "/v1/deployment")

    async def _until(self, holds: Callable[[httpx.Response], bool], path: str) -> None:
        async with httpx.AsyncClient(base_url=self.service.url, trust_env=False) as http, asyncio.timeout(_WITHIN):
            while True:
                if holds(await http.get(path)):
                    return
                await asyncio.sleep(0.1)

    async def events(self, kind: type[Event]) -> int:
        """How many events of that kind the chain holds."""
        node = self.town.chain.node
        logs = await node.logs(0, await node.block_number(), [self.town.contracts.auction.address], topics_of(kind))
        return len(logs)

    @asynccontextmanager
    async def blocks(self, pause: float) -> AsyncIterator[None]:
        """Blocks with so many seconds between them, meanwhile."""
        mining = asyncio.create_task(mine_steadily(self.town, pause))
        try:
            yield
        finally:
            mining.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await mining


@asynccontextmanager
async def opened(folder: Path, size: Size, seed: int) -> AsyncIterator[Scene]:
    """A scene in the folder, for the length of a block."""
    async with founded(folder / "chain", homes=size.homes, **TERMS) as town:
        with ServiceProcess(town, folder, most_deadline_ahead=_DEADLINE, **_PRODUCT) as service:
            await service.start()
            yield Scene(town, service, size, random.Random(seed), await town.open_slot(ahead=4))
