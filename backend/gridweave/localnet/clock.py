"""Moving a manual chain's time from another process, over plain JSON-RPC."""

from __future__ import annotations

from types import TracebackType
from typing import Any, Self

import httpx

__all__ = ["ManualClock"]


class ManualClock:
    """Makes blocks of a chain that stands still otherwise. Synchronous; close it or use `with`."""

    def __init__(self, url: str, *, timeout: float = 30.0) -> None:
        self._http = httpx.Client(base_url=url, timeout=timeout, trust_env=False)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Closes the connection."""
        self._http.close()

    def now(self) -> int:
        """Chain time: the newest block's timestamp, seconds."""
        return int(self._ask("eth_getBlockByNumber", "latest", False)["timestamp"], 16)

    def mine(self, timestamp: int | None = None) -> int:
        """Makes one block at `timestamp`, never before the last one and by default a second after; returns its time."""
        now = self.now()
        wanted = now + 1 if timestamp is None else timestamp
        self._ask("evm_mine", max(now, wanted))
        return self.now()

    def _ask(self, method: str, *params: Any) -> Any:
        response = self._http.post("", json={"jsonrpc": "2.0", "id": 1, "method": method, "params": list(params)})
        answer = response.raise_for_status().json()
        if "error" in answer:
            raise ValueError(f"{method}: {answer['error'].get('message')}")
        return answer["result"]
