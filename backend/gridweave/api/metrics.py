"""Prometheus metrics of one application, in a registry of its own."""

from __future__ import annotations

import platform
from importlib.metadata import version

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, ProcessCollector, generate_latest

from gridweave.api.figures import VitalsCollector
from gridweave.services.runtime import Runtime
from gridweave.services.vitals import vitals

__all__ = ["UNMATCHED", "Metrics"]

UNMATCHED = "unmatched"
"""The route of every path that is none, so that nobody can make labels up."""

_METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})


class Metrics:
    """Counters that the middleware keeps, and figures that are read when somebody asks."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self._requests = Counter(
            "gridweave_requests_total", "Requests", ("method", "route", "status"), registry=self.registry
        )
        self._seconds = Histogram(
            "gridweave_request_seconds", "Time to answer", ("method", "route"), registry=self.registry
        )
        self.rate_limited = Counter(
            "gridweave_rate_limited_total", "Requests told to slow down", registry=self.registry
        )
        self._build = Gauge(
            "gridweave_build_info", "What runs here", ("version", "python", "chain"), registry=self.registry
        )
        self._vitals = VitalsCollector()
        self.registry.register(self._vitals)
        ProcessCollector(registry=self.registry)

    def observe(self, method: str, route: str | None, status: int, seconds: float) -> None:
        """A request was answered. `route` is its template, None for a path that is none."""
        verb, template = method if method in _METHODS else UNMATCHED, route or UNMATCHED
        self._requests.labels(verb, template, str(status)).inc()
        self._seconds.labels(verb, template).observe(seconds)
        if status == 429:
            self.rate_limited.inc()

    async def render(self, runtime: Runtime) -> bytes:
        """The exposition text: what is known, whatever is away."""
        chain = str(runtime.world.deployment.chain_id)
        self._build.labels(version("gridweave"), platform.python_version(), chain).set(1)
        self._vitals.found = await vitals(runtime)
        return generate_latest(self.registry)
