"""SIGTERM while everybody trades: readiness says no, what was taken in is answered, streams end, and it exits 0."""

from __future__ import annotations

import asyncio
import contextlib
import random
import sqlite3
from pathlib import Path

import httpx
import pytest

from tests.support.load import Load, mine_steadily
from tests.support.process import ServiceProcess
from tests.support.town import founded

pytestmark = [pytest.mark.chain, pytest.mark.slow]

ROUNDS = 4


async def readiness(url: str) -> list[int]:
    """What /readyz said, until nobody answered any more."""
    said: list[int] = []
    async with httpx.AsyncClient(trust_env=False) as http:
        while True:
            try:
                said.append((await http.get(f"{url}/readyz")).status_code)
            except httpx.TransportError:
                return said
            await asyncio.sleep(0.02)


async def follow(url: str) -> str:
    """Reads events until the service ends them; how they ended."""
    async with httpx.AsyncClient(trust_env=False, timeout=None) as http:
        try:
            async with http.stream("GET", f"{url}/v1/events") as stream:
                async for _ in stream.aiter_lines():
                    pass
        except httpx.RemoteProtocolError:
            return "broken off"
    return "ended"


def kept(folder: Path) -> set[str]:
    """Ids of everything in the outbox."""
    with contextlib.closing(sqlite3.connect(folder / "outbox.db")) as outbox:
        return {row[0] for row in outbox.execute("SELECT id FROM items")}


async def test_serve__terminated_under_load__answers_all_that_it_took_in(tmp_path: Path, rng: random.Random) -> None:
    async with founded(tmp_path / "chain", homes=24) as town:
        service = ServiceProcess(town, tmp_path, drain_ms=700)
        first = await town.open_slot()
        load = Load(town, service.url, rng, slots=tuple(range(first + 4, first + 10)))
        mining = asyncio.create_task(mine_steadily(town))
        try:
            for _ in range(ROUNDS):
                await service.start()
                trading = asyncio.create_task(load.run(hands=8))
                watching = asyncio.create_task(readiness(service.url))
                reading = asyncio.create_task(follow(service.url))
                await asyncio.sleep(rng.uniform(0.5, 2.0))
                code = await asyncio.to_thread(service.stop)
                load.stop()
                await trading
                said = await watching
                assert code == 0, service.words()
                assert said[-1] == 503, "readiness said no before the door closed"
                assert await reading == "ended"
        finally:
            mining.cancel()
            service.kill()
            with contextlib.suppress(asyncio.CancelledError):
                await mining
    print(f"{len(load.acknowledged)} acknowledged in {ROUNDS} rounds, {load.unanswered} found the door closed")
    assert len(load.acknowledged) > 50
    assert kept(tmp_path / "service") <= load.acknowledged.keys(), "something was taken in and not answered"
    assert load.acknowledged.keys() <= kept(tmp_path / "service")
