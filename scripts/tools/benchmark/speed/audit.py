"""Payments that the audit recomputes a second, over the chain that the run has made."""

from __future__ import annotations

import time

from benchmark.figures import Figure
from benchmark.speed.scene import Scene
from gridweave.audit import AddressBook, Checked, audit
from gridweave.chain.hexes import quantity

__all__ = ["measure_audit"]

_SPAN = 500  # blocks that the audit asks for at once


async def measure_audit(scene: Scene) -> dict[str, Figure]:
    """Everything that `gridweave audit` recomputes, beside the node handing over the same logs and transactions."""
    record = scene.town.deployment
    book = AddressBook(record.chain_id, record.addresses, record.block, record.genesis_hash)
    node = scene.town.chain.node
    fetched = await _fetched(scene, await node.block_number())
    began = time.perf_counter()
    report = await audit(node, book, span=_SPAN)
    seconds = time.perf_counter() - began
    if not report.clean:
        raise RuntimeError(f"the audit found {len(report.differences)} differences")
    payments = report.counts[Checked.PAYMENTS]
    work = f"{payments} payments of {report.counts[Checked.ORDERS]} orders, each with its signature, price and balances"
    note = f"{work}; limit: the node handing over the same logs and transactions"
    return {"audit.payments_per_s": Figure.beside(payments / seconds, "payments/s", payments / fetched, note)}


async def _fetched(scene: Scene, head: int) -> float:
    """Seconds."""
    node, first = scene.town.chain.node, scene.town.deployment.block
    contracts = sorted(scene.town.deployment.every_address)
    began = time.perf_counter()
    for start in range(first, head + 1, _SPAN):
        end = min(head, start + _SPAN - 1)
        between = {"fromBlock": quantity(start), "toBlock": quantity(end)}
        await node.request("eth_getLogs", {"address": contracts} | between)
        await node.batch([("eth_getBlockByNumber", [quantity(at), True]) for at in range(start, end + 1)])
    return time.perf_counter() - began
