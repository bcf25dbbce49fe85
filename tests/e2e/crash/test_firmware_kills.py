"""Approvals and receipts while the service is killed: what was answered counts, whoever answers last is acknowledged.

Every key and every device sends each of its words until it is answered, and then never again.
"""

from __future__ import annotations

import asyncio
import contextlib
import random
from collections import Counter
from pathlib import Path
from typing import Any

import httpx
import pytest

from gridweave.chain import decode_logs, topics_of
from gridweave.chain.events import FirmwareReleased, InstallTold, RolloutStepped
from tests.support.acts import Party, Posted
from tests.support.firmware import FirmwareActs, key_set, release_keys
from tests.support.load import mine_steadily
from tests.support.process import ServiceProcess, until
from tests.support.town import MODEL, Town, draw_home, founded

pytestmark = [pytest.mark.chain, pytest.mark.slow]

ROUNDS, LINES, DEVICES = 8, 24, 40
FIRST_LINE = 500


async def test_approvals_and_receipts__with_the_service_killed_eight_times__each_count_once(
    tmp_path: Path, rng: random.Random
) -> None:
    async with founded(tmp_path / "chain", homes=0) as town:
        people, acts = release_keys(3), _lines(town)
        devices = [draw_home(60_000 + number)[1] for number in range(DEVICES)]
        await _found(town, acts, people, devices)
        service, said = ServiceProcess(town, tmp_path), {}
        now, mining = await town.now(), asyncio.create_task(mine_steadily(town))
        post = _Patient(service.url)
        try:
            words = [
                *(post.release(each, rng.sample(people, 3), rng, said) for each in acts[1:]),
                *(post.until_answered(acts[0].receipt(key, 1, now), rng) for key in devices),
            ]
            sending = asyncio.gather(*words)
            for _ in range(ROUNDS):
                await service.start()
                await asyncio.wait([sending], timeout=rng.uniform(0.2, 1.0))
                service.kill()
            await service.start()
            await sending
            states = await post.states()
        finally:
            mining.cancel()
            service.kill()
            with contextlib.suppress(asyncio.CancelledError):
                await mining
        effects = await _effects(town)

    print(f"{len(post.acknowledged)} acknowledged, {post.gathered} kept, {post.unanswered} unanswered", effects.total())
    assert post.unanswered > 0
    assert post.gathered > LINES // 2, "most were kept for the next key"
    assert {state["status"] for state in states.values()} == {"committed"}
    assert set(effects.values()) == {1}
    assert effects == Counter(
        [
            *(("release", each.model, 1) for each in acts),
            *(("step", each.model, number) for each in acts for number in ((1, 2) if each is acts[0] else (1,))),
            *(("told", key.device, 1) for key in devices),
        ]
    )


def _lines(town: Town) -> list[FirmwareActs]:
    """Of MODEL, whose devices there are, and of others."""
    keys = key_set(release_keys(3), 2)
    return [FirmwareActs(town, model, keys) for model in (MODEL, *range(FIRST_LINE, FIRST_LINE + LINES))]


async def _found(town: Town, acts: list[FirmwareActs], people: list[Party], devices: list[Any]) -> None:
    maker, owner = Party("maker", town.keys["maker"].secret), town.keys["operator"].address
    by, first = people[:2], acts[0]
    released = first.release_of(1, least_receipts=1_000)
    posted = [each.opening(maker, by) for each in acts]
    posted += [first.release(released, by), first.start(released, 1_000, by), first.raise_share(1, 10_000, 1, by)]
    await town.send([town.enrol_call(key, owner) for key in devices])
    await town.send([each.call for each in posted if each.call is not None])


class _Patient:
    """Sends until it is answered; whatever is answered must be good."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.acknowledged: dict[str, str] = {}
        self.gathered = self.unanswered = 0

    async def release(self, acts: FirmwareActs, people: list[Party], rng: random.Random, said: dict[int, Any]) -> None:
        """Released and started, by each key on its own; the third may come too late to be needed."""
        released = said.setdefault(acts.model, acts.release_of(1))
        await asyncio.gather(*(self.until_answered(acts.release(released, [key]), rng) for key in people[:2]))
        start = acts.start(released, 500, [])
        signed = [acts.start(released, 500, [key]) for key in people]
        assert all(each.path == start.path for each in signed)
        await self._until_released(acts.model)
        await asyncio.gather(*(self.until_answered(each, rng) for each in signed))

    async def states(self) -> dict[str, dict[str, Any]]:
        """Of all that was acknowledged, once none is under way."""
        async with httpx.AsyncClient(base_url=self.url, trust_env=False) as http:

            async def settled(id_: str) -> dict[str, Any]:
                state: dict[str, Any] = (await http.get(f"/v1/requests/{id_}")).json()
                return state if state["status"] != "accepted" else {}

            return {id_: await until(lambda id_=id_: settled(id_)) for id_ in self.acknowledged}

    async def _until_released(self, model: int) -> None:
        while True:
            with contextlib.suppress(httpx.TransportError):
                async with httpx.AsyncClient(base_url=self.url, trust_env=False) as http:
                    if (await http.get(f"/v1/firmware/models/{model}/releases/1")).status_code == 200:
                        return
            await asyncio.sleep(0.2)

    async def until_answered(self, posted: Posted, rng: random.Random) -> None:
        while True:
            await asyncio.sleep(rng.uniform(0.0, 1.5))
            try:
                async with httpx.AsyncClient(base_url=self.url, timeout=10.0, trust_env=False) as http:
                    answer = await http.post(f"/v1/{posted.path}", json=posted.body)
            except httpx.TransportError:
                self.unanswered += 1
                continue
            if answer.status_code in (429, 503):
                continue
            assert answer.status_code in (200, 202), answer.text
            body = answer.json()
            if answer.status_code == 200:
                self.gathered += 1
                return
            item = body["items"][0] if "items" in body else body
            self.acknowledged[item["id"]] = item["acknowledgement"]
            return


async def _effects(town: Town) -> Counter[tuple[str, Any, int]]:
    """What happened on chain: releases, steps and receipts."""
    node, registry = town.chain.node, town.contracts.firmware.address
    topics = topics_of(FirmwareReleased, RolloutStepped, InstallTold)
    effects: Counter[tuple[str, Any, int]] = Counter()
    for event in decode_logs(await node.logs(0, await node.block_number(), [registry], topics)):
        match event:
            case FirmwareReleased():
                effects[("release", event.model, event.counter)] += 1
            case RolloutStepped():
                effects[("step", event.model, event.step)] += 1
            case InstallTold():
                effects[("told", event.device, event.counter)] += 1
    return effects
