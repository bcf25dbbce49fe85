"""Orders accepted and committed a second, one by one and in batches of 100."""

from __future__ import annotations

import asyncio
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx

from benchmark.figures import Figure, percentile
from benchmark.speed.generator import Answered, post_all, request
from benchmark.speed.scene import Scene, in_batches
from gridweave.chain.events import Placed
from gridweave.domain.eip712 import digest
from gridweave.domain.orders import Order, Side
from gridweave.domain.signatures import recover
from gridweave.localnet import free_port

__all__ = ["bare_application", "measure_orders"]

HANDS_SINGLE, HANDS_BATCH = 32, 8
_TOOLS = Path(__file__).resolve().parents[2]
_BLOCKS_SINGLE, _BLOCKS_BATCH = 1.0, 0.1
"""Seconds between blocks: the pace of a local chain, and as many as keep the node busy."""

_UNIT = "orders/s"


async def measure_orders(scene: Scene) -> dict[str, Figure]:
    """Singles in slots of their own, then a batch of every home's order in every slot. All end on chain, each once."""
    singles = [order for slot in scene.slots_of_singles for order in scene.orders(slot)][: scene.size.singles]
    batched = [order for slot in scene.slots for order in scene.orders(slot)]
    async with scene.blocks(_BLOCKS_SINGLE):
        single = await _single(scene, singles)
    async with scene.blocks(_BLOCKS_BATCH):
        batches = await _batches(scene, batched)
    placed = await scene.events(Placed)
    if placed != len(singles) + len(batched):
        raise RuntimeError(f"{len(singles) + len(batched)} orders were accepted, {placed} placed")
    return single | batches


async def _single(scene: Scene, orders: Sequence[dict[str, Any]]) -> dict[str, Figure]:
    answered = await scene.post("orders", [[order] for order in orders], HANDS_SINGLE)
    await scene.until_done()
    bare = await _bare(orders)
    posts = f"{len(orders)} POSTs of one order, {HANDS_SINGLE} at a time, while earlier ones are committed"
    note = f"{posts}; limit: a bare FastAPI POST of the same bodies by the same generator"
    pace, most = len(orders) / answered.seconds, len(orders) / bare.seconds
    figures = {"orders.accepted_per_s.single": Figure.beside(pace, _UNIT, most, note)}
    for share in (50, 99):
        waited = Figure.ms(percentile(answered.waits, share), percentile(bare.waits, share), note)
        figures[f"orders.accepted_ms.single.p{share}"] = waited
    return figures


async def _batches(scene: Scene, orders: Sequence[dict[str, Any]]) -> dict[str, Figure]:
    started = time.perf_counter()
    answered = await scene.post("orders", in_batches(orders), HANDS_BATCH)
    await scene.until_done()
    committed = len(orders) / (time.perf_counter() - started)
    accepted = len(orders) / answered.seconds
    posts = f"{len(orders)} orders in POSTs of 100, {HANDS_BATCH} at a time"
    return {
        "orders.accepted_per_s.batch100": Figure.beside(
            accepted, _UNIT, _recovered(scene, orders), f"{posts}; limit: recovering their signers, nothing else"
        ),
        "orders.committed_per_s": Figure.beside(
            committed, _UNIT, accepted, f"{posts}, to the last one's place on chain; limit: accepted in the same run"
        ),
    }


def _recovered(scene: Scene, orders: Sequence[dict[str, Any]]) -> float:
    """Signers recovered a second."""
    domain = scene.town.domain("EnergyAuction")
    work = [(digest(domain, _order(body)), bytes.fromhex(body["signature"][2:])) for body in orders]
    started = time.perf_counter()
    for hash_, signature in work:
        recover(hash_, signature)
    return len(work) / (time.perf_counter() - started)


def _order(body: dict[str, Any]) -> Order:
    side = Side.BID if body["side"] == "bid" else Side.ASK
    place = (body["market"], body["slot"], body["meter"], body["version"], body["deadline"])
    return Order(*place, side, body["energyWh"], body["limitPriceMicroPerKwh"])


async def _bare(orders: Sequence[dict[str, Any]]) -> Answered:
    """The same POSTs to an application that does nothing."""
    async with bare_application() as url:
        return await post_all(url, [request(url, {"orders": [order]}) for order in orders], HANDS_SINGLE)


@asynccontextmanager
async def bare_application() -> AsyncIterator[str]:
    """The address at which an application that does nothing takes orders."""
    port = free_port()
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "benchmark.speed.bare", str(port), cwd=_TOOLS, stderr=subprocess.DEVNULL
    )
    try:
        await _listens(f"http://127.0.0.1:{port}")
        yield f"http://127.0.0.1:{port}/v1/orders"
    finally:
        process.kill()
        await process.wait()


async def _listens(url: str) -> None:
    async with httpx.AsyncClient(trust_env=False) as http, asyncio.timeout(30):
        while True:
            try:
                await http.get(url)
            except httpx.TransportError:
                await asyncio.sleep(0.05)
            else:
                return
