"""How long an order waits from its POST until a reader of the stream sees it committed, when nobody is in a hurry."""

from __future__ import annotations

import asyncio
import json
import time

import httpx

from benchmark.figures import Figure, percentile
from benchmark.speed.scene import Scene

__all__ = ["measure_waiting"]

_BLOCKS = 1.0  # seconds between blocks: the pace of a local chain
_PAUSE = 0.05  # between orders
_WITHIN = 120.0


async def measure_waiting(scene: Scene) -> dict[str, Figure]:
    """An order of every home, one after another, beside waiting for the next block and nothing else."""
    orders = scene.orders(scene.slots_of_singles.stop)
    sent: dict[str, float] = {}
    async with scene.blocks(_BLOCKS), asyncio.timeout(_WITHIN), asyncio.TaskGroup() as group:
        listening = asyncio.Event()
        seen = group.create_task(_seen(scene, len(orders), listening))
        await listening.wait()
        for order in orders:
            began = time.perf_counter()
            answered = await scene.post("orders", [[order]], 1)
            sent[json.loads(answered.bodies[0])["items"][0]["id"]] = began
            await asyncio.sleep(_PAUSE)
    waits = [at - sent[id_] for id_, at in seen.result().items()]
    note = f"{len(orders)} orders, one every {_PAUSE * 1_000:.0f} ms, to the event that says committed; "
    note += f"limit: the wait for the next block, one every {_BLOCKS * 1_000:.0f} ms"
    return {
        f"orders.post_to_committed_ms.p{share}": Figure.ms(percentile(waits, share), _BLOCKS * share / 100, note)
        for share in (50, 99)
    }


async def _seen(scene: Scene, wanted: int, listening: asyncio.Event) -> dict[str, float]:
    """When each order's commitment was told, by its id."""
    seen: dict[str, float] = {}
    client = httpx.AsyncClient(base_url=scene.service.url, timeout=None, trust_env=False)
    async with client as http, http.stream("GET", "/v1/events") as stream:
        listening.set()
        async for line in stream.aiter_lines():
            if line.startswith("data:") and '"committed"' in line:
                seen[json.loads(line.removeprefix("data:"))["id"]] = time.perf_counter()
            if len(seen) == wanted:
                break
    return seen
