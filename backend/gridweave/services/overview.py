"""What the operations page shows: the service's vitals, and each market's newest price."""

from __future__ import annotations

from importlib.metadata import version
from typing import Any

from gridweave.services.markets import clearing_json
from gridweave.services.runtime import Runtime
from gridweave.services.vitals import OutboxVitals, Vitals, vitals
from gridweave.store.errors import StoreUnavailable

__all__ = ["overview"]

Json = dict[str, Any]


async def overview(runtime: Runtime) -> Json:
    """What cannot be asked now is null; nothing that node or database does makes it fail. Wei are texts."""
    found, world = await vitals(runtime), runtime.world
    return {
        "gridweave": version("gridweave"),
        "chainId": world.deployment.chain_id,
        "ready": found.not_ready is None,
        "reason": found.not_ready,
        "warnings": found.warnings,
        "chain": _chain(found),
        "outbox": _outbox(found.outbox) if found.outbox else None,
        "relayer": {"address": world.relayer.address, "low": found.low_balance} | _purse(found),
        "keeper": {"runs": world.settings.keeper, "due": found.keeper_due, "givenUp": found.keeper_given_up},
        "reorganisations": {
            "count": found.reorgs.count,
            "deepestBlocks": found.reorgs.deepest,
            "newest": [
                {"atMs": reorg.at_ms, "forkBlock": reorg.fork, "depthBlocks": reorg.depth}
                for reorg in reversed(found.reorgs.newest)
            ],
        },
        "markets": await _markets(runtime),
        "streams": found.streams,
    }


def _chain(found: Vitals) -> Json:
    return {
        "headBlock": found.head.number if found.head else None,
        "headTime": found.head.timestamp if found.head else None,
        "indexedBlock": found.indexed_block,
        "indexedTime": found.chain_time,
        "finalBlock": found.final_block,
        "lagBlocks": found.lag_blocks,
        "lagSeconds": found.lag_seconds,
        "unreachedSeconds": round(found.seconds_since_reached, 1),
    }


def _outbox(found: OutboxVitals) -> Json:
    return {
        "accepted": found.accepted,
        "oldestSeconds": {s: round(found.oldest_s(s), 1) for s in ("accepted", "committed", "rejected")},
        "batches": found.batches,
        "items": [
            {"kind": row.kind, "status": row.status, "count": row.count}
            for row in sorted(found.standing, key=lambda row: (row.kind, row.status))
        ],
    }


def _purse(found: Vitals) -> Json:
    purse = found.purse
    if purse is None:
        return {"balanceWei": None, "owedWei": None, "ordersLeft": None, "hoursLeft": None}
    hours = None if purse.hours is None else round(purse.hours, 1)
    return {
        "balanceWei": str(purse.balance),
        "owedWei": str(purse.owed),
        "ordersLeft": purse.orders,
        "hoursLeft": hours,
    }


async def _markets(runtime: Runtime) -> list[Json] | None:
    world = runtime.world
    try:
        rows = await world.reads.markets.newest_clearings()
    except StoreUnavailable:
        return None
    return [
        {"market": row["market"], "slot": row["slot"], "startsAt": world.clock.start(row["slot"])} | clearing_json(row)
        for row in rows
    ]
