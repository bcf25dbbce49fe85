"""What a meter would have used, by the chain's own reckoning. Nothing is written."""

from __future__ import annotations

from dataclasses import astuple
from typing import ClassVar

from gridweave.chain.contracts.base import Contract
from gridweave.domain.flexibility.baselines import Called, Measured, Measuring

__all__ = ["ResponseGauge"]


class ResponseGauge(Contract):
    """Views alone: it obeys nobody and has no events."""

    NAME: ClassVar[str] = "ResponseGauge"

    async def measure(
        self, measuring: Measuring, meter: int, called: Called, event_days: int = 0, block: int | None = None
    ) -> Measured:
        """As `domain.flexibility.baselines.Gauge.measure`."""
        arguments = astuple(measuring), meter, astuple(called), event_days
        found, baseline, actual, missing, ratio = await self._results("measure", *arguments, block=block)
        slots = frozenset(i for i in range(called.slots) if missing >> i & 1)
        return Measured(found, tuple(baseline), tuple(actual), slots, ratio)
