"""The wall clock, and how often something was asked, how often it failed, and how long it took."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

__all__ = ["Timing", "now_ms"]


@dataclass
class Timing:
    """Figures that only grow; `seconds` counts the failed ones, too."""

    calls: int = 0
    failures: int = 0
    seconds: float = 0.0

    @contextmanager
    def measure(self, failure: type[Exception]) -> Iterator[None]:
        """Counts what happens within; an exception of the kind `failure` counts as one."""
        started = time.perf_counter()
        try:
            yield
        except failure:
            self.failures += 1
            raise
        finally:
            self.calls += 1
            self.seconds += time.perf_counter() - started


def now_ms() -> int:
    """Wall-clock time in milliseconds."""
    return time.time_ns() // 1_000_000
