"""Faults of the ground that a service stands on: each has a name, and takes nothing that was acknowledged."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.support.disks import small_disk
from tests.support.load import acts_on_chain, mine_steadily, settled_states
from tests.support.postgres import PostgresServer
from tests.support.process import ServiceProcess
from tests.support.town import Town, founded

pytestmark = [pytest.mark.chain, pytest.mark.slow]

ANSWERS_WITHIN = 60.0
_CLOCK = """
import pathlib, time
_ns, _file = time.time_ns, pathlib.Path({file!r})
time.time_ns = lambda: _ns() + int(_file.read_text()) * 10**9
time.time = lambda: time.time_ns() / 10**9
"""


@dataclass
class Trader:
    """Posts one order after another, and remembers what was acknowledged."""

    town: Town
    http: httpx.AsyncClient
    slot: int
    acknowledged: list[str] = field(default_factory=list)

    async def post(self) -> httpx.Response:
        home = self.town.homes[len(self.acknowledged) % len(self.town.homes)]
        answer = await self.http.post("/v1/orders", json=self.town.bid(home, self.slot))
        if answer.status_code == 202:
            self.acknowledged += [item["id"] for item in answer.json()["items"]]
        return answer

    async def must_be_accepted(self) -> None:
        answer = await self.post()
        assert answer.status_code == 202, answer.text

    async def until_accepted(self) -> None:
        """The service comes back by itself."""
        async with asyncio.timeout(ANSWERS_WITHIN):
            while (await self.post()).status_code != 202:  # noqa: ASYNC110 - the service is another process
                await asyncio.sleep(0.2)


@asynccontextmanager
async def trading(town: Town, service: ServiceProcess) -> AsyncIterator[Trader]:
    """A trader who, in the end, finds all that was acknowledged on the chain, once."""
    await service.start()
    slot = await town.open_slot() + 4
    mining = asyncio.create_task(mine_steadily(town))
    try:
        async with httpx.AsyncClient(base_url=service.url, trust_env=False, timeout=ANSWERS_WITHIN) as http:
            trader = Trader(town, http, slot)
            await trader.must_be_accepted()
            yield trader
            await trader.must_be_accepted()
        states = await settled_states(service.url, trader.acknowledged)
        effects, _ = await acts_on_chain(town)
    finally:
        mining.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await mining
        service.kill()
    assert {id_: effects[id_] for id_ in trader.acknowledged} == dict.fromkeys(trader.acknowledged, 1)
    assert {state["status"] for state in states.values()} <= {"committed", "cancelled"}


def set_clock(file: Path, days: int) -> None:
    """From now on the clock is so far ahead; nobody reads half a number."""
    fresh = file.with_suffix(".new")
    fresh.write_text(str(days * 86_400))
    fresh.replace(file)


def assert_away(answer: httpx.Response) -> None:
    assert answer.status_code == 503, answer.text
    assert answer.json()["error"]["name"] == "Unavailable"
    assert "the database does not answer" in answer.json()["error"]["message"]
    assert int(answer.headers["Retry-After"]) > 0


async def test_service__disk_full__says_503_and_goes_on_once_there_is_room(tmp_path: Path) -> None:
    with small_disk(tmp_path / "disk") as disk:
        async with founded(tmp_path / "chain", homes=2) as town:
            service = ServiceProcess(town, disk.path, **files(disk.path))
            async with trading(town, service) as trader:
                disk.fill(service.pid)
                answers = [await trader.post() for _ in range(3)]
                assert_away(answers[-1])
                assert (await trader.http.get("/healthz")).status_code == 200
                disk.free(service.pid)
                await trader.until_accepted()


async def test_service__on_a_disk_that_is_read_only__does_not_start_and_says_what_to_name(tmp_path: Path) -> None:
    async with founded(tmp_path / "chain", homes=1) as town:
        with small_disk(tmp_path / "disk") as disk:
            folder = disk.make_read_only()
            service = ServiceProcess(town, tmp_path, **files(folder), data_dir=folder / "service")
            done = await service.run("serve")
    assert done.returncode == 1
    assert "cannot be written" in done.stderr + done.stdout
    assert "--data-dir" in done.stderr + done.stdout


async def test_service__while_the_wall_clock_jumps__loses_nothing(tmp_path: Path) -> None:
    """Rules read the chain's time; the wall clock tells when something was accepted, and what may be forgotten."""
    offset, patch = tmp_path / "offset", tmp_path / "clock"
    set_clock(offset, days=0)
    patch.mkdir()
    (patch / "sitecustomize.py").write_text(_CLOCK.format(file=str(offset)))
    async with founded(tmp_path / "chain", homes=2) as town:
        service = ServiceProcess(town, tmp_path, **files(tmp_path))
        service.environment["PYTHONPATH"] = os.pathsep.join([str(patch), os.environ.get("PYTHONPATH", "")])
        async with trading(town, service) as trader:
            for days in (30, -365, 3_650, 0):
                set_clock(offset, days)
                await trader.must_be_accepted()
            set_clock(offset, days=-30)
            service.kill()
            await service.start()
            await trader.must_be_accepted()
    assert '"timestamp":"20' in (tmp_path / "service.log").read_text()


async def test_service__node_stands_still__answers_what_it_knows_and_goes_on(tmp_path: Path) -> None:
    async with founded(tmp_path / "chain", homes=2) as town:
        service = ServiceProcess(town, tmp_path, **files(tmp_path))
        async with trading(town, service) as trader:
            node = town.chain.anvil_pid
            os.kill(node, signal.SIGSTOP)
            try:
                assert (await trader.http.get("/v1/markets")).status_code == 200
                answer = await trader.post()
                assert answer.status_code == 202 or answer.headers["Retry-After"]
            finally:
                os.kill(node, signal.SIGCONT)
            await trader.until_accepted()


@pytest.fixture
def server() -> Iterator[PostgresServer]:
    with PostgresServer() as running:
        yield running


async def test_service__database_killed__says_503_and_goes_on_once_it_is_back(
    tmp_path: Path, server: PostgresServer
) -> None:
    async with founded(tmp_path / "chain", homes=2) as town, trading(town, on(server, town, tmp_path)) as trader:
        server.kill()
        assert_away(await trader.post())
        assert_away(await trader.http.get(f"/v1/accounts/{town.homes[0].account}"))
        assert_away(await trader.http.get("/readyz"))
        await asyncio.to_thread(server.start)
        await trader.until_accepted()


async def test_service__database_stands_still__says_503_in_the_end_and_goes_on(
    tmp_path: Path, server: PostgresServer
) -> None:
    async with founded(tmp_path / "chain", homes=2) as town, trading(town, on(server, town, tmp_path)) as trader:
        server.pause()
        try:
            assert_away(await trader.post())
        finally:
            server.resume()
        await trader.until_accepted()


def files(folder: Path) -> dict[str, Any]:
    """A service whose databases are files, whatever the other tests work with."""
    return {f"{kind}_url": f"sqlite:///{folder}/service/{kind}.db" for kind in ("outbox", "index")}


def on(server: PostgresServer, town: Town, folder: Path) -> ServiceProcess:
    url = server.database()
    return ServiceProcess(town, folder, outbox_url=url, index_url=url)
