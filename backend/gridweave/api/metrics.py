"""Prometheus metrics of one application, in a registry of its own."""

from __future__ import annotations

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest

from gridweave.services.runtime import Runtime

__all__ = ["Metrics"]


class Metrics:
    """Counters that the middleware keeps, and gauges that are read when somebody asks."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self.requests = Counter(
            "gridweave_requests_total", "Requests", ("method", "route", "status"), registry=self.registry
        )
        self.seconds = Histogram(
            "gridweave_request_seconds", "Time to answer", ("method", "route"), registry=self.registry
        )
        self._items = Gauge("gridweave_outbox_items", "Items not final yet", ("status",), registry=self.registry)
        self._accepted = Gauge("gridweave_outbox_accepted", "Items ever accepted", registry=self.registry)
        self._block = Gauge("gridweave_indexed_block", "Newest indexed block", registry=self.registry)
        self._time = Gauge("gridweave_chain_time_seconds", "Time of the newest indexed block", registry=self.registry)
        self._reorgs = Gauge("gridweave_reorganisations", "Reorganisations since the start", registry=self.registry)
        self._balance = Gauge("gridweave_relayer_balance_wei", "What the relayer has for gas", registry=self.registry)

    async def render(self, runtime: Runtime) -> bytes:
        """The exposition text. Raises NodeUnavailable, StoreUnavailable."""
        world = runtime.world
        counts = await world.outbox.counts()
        for status in ("accepted", "committed", "rejected"):
            self._items.labels(status).set(counts.get(status, 0))
        self._accepted.set(await world.outbox.accepted_total())
        self._block.set(world.heads.number)
        self._time.set(world.heads.time)
        self._reorgs.set(runtime.reorganisations)
        self._balance.set(await world.node.balance(world.relayer.address))
        return generate_latest(self.registry)
