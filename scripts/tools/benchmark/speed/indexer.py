"""Events that the indexer turns into rows a second, over the chain that the run has made."""

from __future__ import annotations

import time
from pathlib import Path

from benchmark.figures import Figure
from benchmark.speed.scene import Scene
from gridweave.chain.events import EVENTS, topics_of
from gridweave.chain.hexes import quantity, to_hex
from gridweave.indexer.follower import Follower
from gridweave.store.database import Database, Kind
from gridweave.store.index import IndexStore

__all__ = ["measure_indexer"]

_UNIT = "events/s"
_STRIDE = 500  # blocks that the node is asked for at once


async def measure_indexer(scene: Scene, folder: Path) -> dict[str, Figure]:
    """An index made from nothing, in this process and by `gridweave index rebuild`, beside the node's bare logs."""
    head = await scene.town.chain.node.block_number()
    events, fetched = await _fetched(scene, head)
    indexed = await _indexed(scene, folder / "index.db")
    rebuilt = await _rebuilt(scene, folder)
    limit = "limit: eth_getLogs of the same range, nothing else"
    work = f"{events} events of {head} blocks"
    return {
        "indexer.events_per_s": Figure.beside(
            events / indexed, _UNIT, events / fetched, f"{work} into an empty index on disk; {limit}"
        ),
        "indexer.rebuild_events_per_s": Figure.beside(
            events / rebuilt,
            _UNIT,
            events / fetched,
            f"the same by `gridweave index rebuild`, its start included; {limit}",
        ),
    }


async def _fetched(scene: Scene, head: int) -> tuple[int, float]:
    """How many logs there are, and the seconds that the node takes to hand them over."""
    chosen = {
        "address": sorted(scene.town.deployment.every_address),
        "topics": [[to_hex(topic) for topic in topics_of(*EVENTS.values())]],
    }
    events, started = 0, time.perf_counter()
    for first in range(scene.town.deployment.block, head + 1, _STRIDE):
        between = {"fromBlock": quantity(first), "toBlock": quantity(min(head, first + _STRIDE - 1))}
        events += len(await scene.town.chain.node.request("eth_getLogs", chosen | between))
    return events, time.perf_counter() - started


async def _indexed(scene: Scene, file: Path) -> float:
    database = Database(Kind.INDEX, f"sqlite+aiosqlite:///{file}")
    try:
        await database.migrate()
        town = scene.town
        follower = Follower(
            town.chain.node,
            IndexStore(database),
            contracts=sorted(town.deployment.every_address),
            start=town.deployment.block,
        )
        started = time.perf_counter()
        await follower.catch_up()
        return time.perf_counter() - started
    finally:
        await database.close()


async def _rebuilt(scene: Scene, folder: Path) -> float:
    """By the command, which drops the folder's index before it builds it anew."""
    started = time.perf_counter()
    done = await scene.service.run("index", "rebuild", data_dir=folder)
    seconds = time.perf_counter() - started
    if done.returncode != 0:
        raise RuntimeError(done.stderr[-1_000:])
    return seconds
