"""Lets chain time go on, and requests come to the chain."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Protocol

from gridweave.client import GridweaveClient, Item, RequestRejected

__all__ = ["ChainClock", "Waiter"]

_PATIENCE = 400
_BREATH_S = 0.03
OPEN = frozenset({"accepted"})


class ChainClock(Protocol):
    """The chain's time, moved by whoever lives the day. Times are seconds."""

    def now(self) -> int: ...

    def advance_to(self, timestamp: int) -> None:
        """Mines a block at `timestamp`, which is later than every block so far."""

    def tick(self) -> None:
        """Mines a block a second later."""

    def reorganise(self, since: int) -> int:
        """Throws out the blocks from the first at or after `since` on, none that is final; how many."""


class Waiter:
    """Lets the chain go on until requests are on it."""

    def __init__(self, client: GridweaveClient, clock: ChainClock, sleep: Callable[[float], None]) -> None:
        self.client = client
        self.clock = clock
        self._sleep = sleep

    def advance_to(self, timestamp: int) -> None:
        """Moves chain time, and waits until the service has seen it: it judges deadlines by what it has seen."""
        self.clock.advance_to(timestamp)
        for _ in range(_PATIENCE):
            if self.client.chain_time() >= timestamp:
                return
            self._sleep(_BREATH_S)
        raise TimeoutError(f"the service does not see the block of {timestamp}")

    def breathe(self, seconds: float) -> None:
        """Waits, and mines nothing."""
        self._sleep(seconds)

    def pass_time(self) -> None:
        """A breath for the service, and a block."""
        self._sleep(_BREATH_S)
        self.clock.tick()

    def until_mined(self, ids: Iterable[str]) -> list[str]:
        """Mines blocks until each request is on chain or refused; returns the refused. Raises TimeoutError.

        The newest is asked after first: by then the others are on chain as well, mostly.
        """
        return [request for request in reversed(list(ids)) if self._status_once_mined(request) == "rejected"]

    def _status_once_mined(self, request: str) -> str:
        for _ in range(_PATIENCE):
            status = str(self.client.request(request)["status"])
            if status not in OPEN:
                return status
            self.pass_time()
        raise TimeoutError(f"{request} is not on chain")

    def require(self, items: Sequence[Item]) -> None:
        """Waits until all are on chain. Raises RequestRejected for the first that is refused, TimeoutError."""
        refused = self.until_mined([item.id for item in items])
        if refused:
            state = self.client.request(refused[0])
            raise RequestRejected(refused[0], str(state.get("reason")))
