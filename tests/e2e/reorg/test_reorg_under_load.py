"""A reorganisation is a normal event: rows follow the chain, and what was acknowledged comes back by itself."""

from __future__ import annotations

import asyncio
import contextlib
import json
import random
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.support.load import Load, acts_on_chain, mine_steadily, settled_states
from tests.support.process import ServiceProcess
from tests.support.town import founded

pytestmark = [pytest.mark.chain, pytest.mark.slow]


@pytest.fixture
def stack() -> Iterator[ExitStack]:
    """Ends what a test started, however it ends."""
    with ExitStack() as entered:
        yield entered


async def test_service__reorganised_to_every_depth_under_load__equals_a_rebuild(
    tmp_path: Path, rng: random.Random, stack: ExitStack
) -> None:
    async with founded(tmp_path / "chain", homes=16) as town:
        service = stack.enter_context(ServiceProcess(town, tmp_path))
        await service.start()
        first = await town.open_slot()
        load = Load(town, service.url, rng, slots=tuple(range(first + 4, first + 10)))
        for _ in range(22):  # what founded the town stays
            await town.chain.mine()
        founded_at = await town.chain.node.block_number() - 21
        trading = asyncio.create_task(load.run(2))
        depths = rng.sample(range(1, 21), 20)
        for depth in depths:
            for _ in range(rng.randint(depth // 4 + 1, depth // 2 + 2)):
                await town.chain.mine()
                await asyncio.sleep(0.1)
            height = await town.chain.node.block_number()
            await town.chain.node.request("anvil_reorg", min(depth, height - founded_at), [])
        load.stop()
        await trading
        mining = asyncio.create_task(mine_steadily(town, 0.2))
        states = await settled_states(service.url, list(load.acknowledged))
        mining.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await mining
        effects, refusals = await acts_on_chain(town)
        await _level(town, service)
        metrics = await _metrics(service)
        service.kill()
        ours = await _rows(service, "digest", service.folder / "service")
        anew = await _rows(service, "rebuild", tmp_path / "anew")
        same_again = await _rows(service, "rebuild", service.folder / "service")

    print(f"{len(load.acknowledged)} acknowledged, {sum(effects.values())} took effect, depths {depths}")
    assert metrics["gridweave_reorganisations"] >= 10
    assert anew["rows"]["placements"] > 100
    assert ours["rows"] == anew["rows"]
    assert ours["digest"] == anew["digest"] == same_again["digest"]
    assert max(effects.values()) == 1
    told = {id_ for id_, state in states.items() if state["status"] == "rejected" and state["reason"]}
    assert [id_ for id_ in load.acknowledged if not effects[id_] and not refusals[id_] and id_ not in told] == []


async def test_order__thrown_past_its_gate__is_rejected_by_name(tmp_path: Path, stack: ExitStack) -> None:
    """place, mined | the gate passes | a reorg throws the block out | the same bytes come too late."""
    async with founded(tmp_path / "chain", homes=2) as town:
        service = stack.enter_context(ServiceProcess(town, tmp_path, commit_margin=5))
        await service.start()
        slot = await town.open_slot()
        gate = town.terms.gate(slot, town.clock)
        await town.chain.mine(gate - 30)
        await _level(town, service)
        async with httpx.AsyncClient(base_url=service.url, trust_env=False) as http:
            answer = await http.post("/v1/orders", json=town.bid(town.homes[0], slot))
            assert answer.status_code == 202, answer.text
            id_ = answer.json()["items"][0]["id"]
            state = await _until(http, id_, lambda state: state["status"] == "committed", town, mine=True)
            assert not state["final"]
            depth = await town.chain.node.block_number() - state["block"] + 1
            await town.chain.mine(gate + 1)
            await town.chain.node.request("anvil_reorg", depth + 1, [])
            await town.chain.mine(gate + 2)
            state = await _until(http, id_, lambda state: state["status"] == "rejected", town, mine=True)
            assert state["reason"] == "GateClosedByReorg"
            await _until(http, id_, lambda state: state["final"], town, mine=True)


async def _until(http: httpx.AsyncClient, id_: str, holds: Any, town: Any, *, mine: bool) -> dict[str, Any]:
    async with asyncio.timeout(60):
        while True:
            state: dict[str, Any] = (await http.get(f"/v1/orders/{id_}")).json()
            if holds(state):
                return state
            if mine:
                await town.chain.mine()
            await asyncio.sleep(0.1)


async def _level(town: Any, service: ServiceProcess) -> None:
    head = await town.chain.node.block_number()
    async with httpx.AsyncClient(base_url=service.url, trust_env=False) as http, asyncio.timeout(30):
        while (await http.get("/v1/deployment")).json()["blockNumber"] != head:  # noqa: ASYNC110 - another process
            await asyncio.sleep(0.1)


async def _metrics(service: ServiceProcess) -> dict[str, float]:
    async with httpx.AsyncClient(base_url=service.url, trust_env=False) as http:
        lines = (await http.get("/metrics")).text.splitlines()
    return {line.split()[0]: float(line.split()[1]) for line in lines if line and not line.startswith("#")}


async def _rows(service: ServiceProcess, command: str, data_dir: Path) -> dict[str, Any]:
    done = await service.run("index", command, "--json", data_dir=data_dir)
    assert done.returncode == 0, done.stderr
    answer: dict[str, Any] = json.loads(done.stdout)
    return answer
