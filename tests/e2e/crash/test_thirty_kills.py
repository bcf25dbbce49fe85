"""Thirty times something is killed, paused or undone while the town lives. Nothing acknowledged is lost or doubled.

Rounds are shared out among the nodes; GRIDWEAVE_KILL_ROUNDS asks for more of them. In the end the chain alone says what
took effect, the index equals one that is built anew, and the audit finds no difference.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import random
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest

from gridweave.audit import AddressBook, audit
from gridweave.localnet import Clock, localnet
from tests.support.ganache import ganache
from tests.support.havoc import Breakable, BreakableAnvil, BreakableGanache, Havoc, KeeperProcess, database_faults
from tests.support.life import Ends, Life, ends_on_chain, states_of
from tests.support.process import ServiceProcess
from tests.support.town import GENESIS, Town, found

pytestmark = [pytest.mark.chain, pytest.mark.slow, pytest.mark.timeout(900)]

HOMES = 6
ROUNDS = int(os.environ.get("GRIDWEAVE_KILL_ROUNDS", "30"))
NODES = ("anvil", "ganache")
_DONE_WITHIN = 180.0


@asynccontextmanager
async def broken_town(node: str, folder: Path) -> AsyncIterator[tuple[Town, Breakable, dict[str, Any]]]:
    """A town, the node to break, and what the service must know of its finality."""
    if node == "anvil":
        async with localnet(folder, clock=Clock.MANUAL, genesis_time=GENESIS, snapshot_seconds=1.0) as chain:
            settings = {"network": "anvil", "finality_depth": "", "finality_file": chain.home.final_file}
            yield await found(chain, HOMES), BreakableAnvil(chain), settings
    else:
        async with ganache(folder, GENESIS) as chain:
            settings = {"network": "ganache", "finality_depth": 30, "priority_fee_wei": ""}
            yield await found(chain, HOMES), BreakableGanache(chain), settings


@pytest.mark.parametrize("node", NODES)
async def test_town__broken_again_and_again__keeps_every_promise(tmp_path: Path, rng: random.Random, node: str) -> None:
    async with AsyncExitStack() as stack:
        town, breakable, settings = await stack.enter_async_context(broken_town(node, tmp_path / "chain"))
        service = stack.enter_context(ServiceProcess(town, tmp_path, **settings))
        keeper = stack.enter_context(KeeperProcess(town, tmp_path / "keeper", **settings))
        life = Life(town, service.url, rng, town.clock.slot_at(await town.now()))
        await life.prepare()
        havoc = Havoc(town, breakable, service, keeper, rng, await town.now(), more=database_faults(rng))
        await service.start()
        keeper.start()
        beating = asyncio.create_task(havoc.beat())
        stack.callback(beating.cancel)
        await _live(life, havoc, ROUNDS // len(NODES))
        await states_of(service.url, list(life.acknowledged))  # they may still change: the last fault may undo blocks
        await _finish(havoc)
        await _cancelled(beating)
        await _level(town, service)
        states = await states_of(service.url, list(life.acknowledged))
        ends = await ends_on_chain(town, life.marks)
        report = await audit(town.chain.node, _book(town))
        service.kill()
        rows = await _rows(service, "digest", service.folder / "service")
        anew = await _rows(service, "rebuild", tmp_path / "anew")

    print(f"{node}: {dict(havoc.done)}; {len(life.acknowledged)} acknowledged, {life.unanswered} unanswered")
    print(f"{sum(ends.effects.values())} effects, answers {dict(life.answered)}")
    assert life.acknowledged
    assert _lost(life, ends, states) == []
    assert _doubled(ends) == []
    assert _told_wrongly(life, ends, states) == []
    assert rows == anew
    assert report.clean, report.differences


async def _live(life: Life, havoc: Havoc, rounds: int) -> None:
    """One fault a round, each in a slot of its own."""
    living = asyncio.create_task(life.run())
    try:
        for _ in range(rounds):
            await asyncio.sleep(havoc.rng.uniform(0.2, 1.2))
            await havoc.strike()
            life.now = havoc.next_slot()
    finally:
        life.stop()
        await living


async def _finish(havoc: Havoc) -> None:
    """Time passes until every slot is closed: by a keeper that ends once nothing is due."""
    havoc.keeper.kill()
    town = havoc.town
    last = town.clock.slot_at(havoc.time) + 14
    havoc.time = max(havoc.time, town.terms.reading_deadline(last, town.clock) + 60)
    await asyncio.sleep(1)
    havoc.keeper.start("--once")
    async with asyncio.timeout(_DONE_WITHIN):
        while havoc.keeper.status is None:  # noqa: ASYNC110 - the keeper is another process
            await asyncio.sleep(0.1)
    assert havoc.keeper.status == 0, havoc.keeper.log.read_text()[-2_000:]


async def _cancelled(task: asyncio.Task[None]) -> None:
    task.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await task


async def _level(town: Town, service: ServiceProcess) -> None:
    """Waits until the service has seen the newest block."""
    head = await town.chain.node.block_number()
    async with httpx.AsyncClient(base_url=service.url, trust_env=False) as http, asyncio.timeout(60):
        while (await http.get("/v1/deployment")).json()["blockNumber"] != head:  # noqa: ASYNC110 - another process
            await asyncio.sleep(0.1)


def _book(town: Town) -> AddressBook:
    deployed = town.deployment
    return AddressBook(deployed.chain_id, deployed.addresses, deployed.block, deployed.genesis_hash)


async def _rows(service: ServiceProcess, command: str, data_dir: Path) -> Any:
    done = await service.run("index", command, "--json", data_dir=data_dir)
    assert done.returncode == 0, done.stderr
    answer = json.loads(done.stdout)
    return answer["digest"], answer["rows"]


def _lost(life: Life, ends: Ends, states: dict[str, dict[str, Any]]) -> list[str]:
    """Acknowledged, of no effect, and nobody says why."""
    return [
        id_
        for id_ in life.acknowledged
        if not life.effects_of(id_, ends) and not life.refused(id_, ends) and not states[id_]["reason"]
    ]


def _doubled(ends: Ends) -> list[str]:
    return [id_ for id_, times in ends.effects.items() if times > 1]


def _told_wrongly(life: Life, ends: Ends, states: dict[str, dict[str, Any]]) -> list[Any]:
    """What took effect and is said to be rejected, or the other way round."""
    return [
        (life.acknowledged[id_], states[id_])
        for id_ in life.acknowledged
        if bool(life.effects_of(id_, ends)) == (states[id_]["status"] == "rejected")
    ]
