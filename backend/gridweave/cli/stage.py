"""A chain and a service of one's own for the length of a block, as separate processes that end with it."""

from __future__ import annotations

import asyncio
import contextlib
import os
import sys
import threading
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

import httpx

from gridweave.chain import Contracts
from gridweave.client import ClientError
from gridweave.deployment import Deployment
from gridweave.localnet import Clock, DevKeys, Localnet, free_port, localnet

__all__ = ["Stage", "StageFailed", "StoppableClock", "Stopped", "in_thread", "staged"]

_T = TypeVar("_T")

_READY_WITHIN_S = 30.0
_ENDS_WITHIN_S = 10.0
_SERVE = "import sys; from gridweave.cli import main; main(sys.argv[1:])"


class StageFailed(Exception):
    """The service did not start or ended by itself; its log says why."""


class Stopped(Exception):
    """Somebody asked to stop."""


@dataclass(frozen=True)
class Stage:
    """What stands: a chain with the contracts, and the service's address."""

    chain: Localnet
    deployment: Deployment
    contracts: Contracts
    url: str


class StoppableClock:
    """The manual chain's time for a thread beside the event loop; every use raises Stopped once `stop` is set."""

    def __init__(self, chain: Localnet, loop: asyncio.AbstractEventLoop, stop: threading.Event) -> None:
        self._chain, self._loop, self._stop = chain, loop, stop
        self._now = 0

    def now(self) -> int:
        return self._now or self._mine(None)

    def advance_to(self, timestamp: int) -> None:
        self._mine(max(timestamp, self._now + 1))

    def tick(self) -> None:
        self._mine(None)

    def reorganise(self, since: int) -> int:
        if self._stop.is_set():
            raise Stopped
        return asyncio.run_coroutine_threadsafe(self._chain.reorganise(since), self._loop).result()

    def sleep(self, seconds: float) -> None:
        """Waits, or raises Stopped as soon as that is asked for."""
        if self._stop.wait(seconds):
            raise Stopped

    def _mine(self, timestamp: int | None) -> int:
        if self._stop.is_set():
            raise Stopped
        block = asyncio.run_coroutine_threadsafe(self._chain.mine(timestamp), self._loop).result()
        self._now = block.timestamp
        return self._now


@asynccontextmanager
async def staged(folder: Path, genesis_time: int, settings: dict[str, str]) -> AsyncIterator[Stage]:
    """A new chain whose time stands still, the contracts on it, and the service over both.

    `settings` are further GRIDWEAVE_* variables of the service. Raises StageFailed, LocalnetError, DeploymentError.
    """
    async with localnet(folder / "chain", clock=Clock.MANUAL, genesis_time=genesis_time) as chain:
        deployment = await chain.deploy()
        port = free_port()
        async with _service(folder, chain, port, settings) as process:
            url = f"http://127.0.0.1:{port}"
            await _until_ready(process, url, folder)
            yield Stage(chain, deployment, deployment.bundle(chain.node), url)


@asynccontextmanager
async def _service(
    folder: Path, chain: Localnet, port: int, settings: dict[str, str]
) -> AsyncIterator[asyncio.subprocess.Process]:
    environment = {
        **{name: value for name, value in os.environ.items() if not name.startswith("GRIDWEAVE_")},
        "GRIDWEAVE_RPC_URL": chain.url,
        "GRIDWEAVE_DEPLOYMENT": str(chain.home.deployment_file),
        "GRIDWEAVE_DATA_DIR": str(folder / "service"),
        "GRIDWEAVE_RELAYER_KEY_FILE": str(DevKeys.path(chain.home.keys, "relayer")),
        "GRIDWEAVE_FINALITY_FILE": str(chain.home.final_file),
        "GRIDWEAVE_PRIORITY_FEE_WEI": "0",
        "GRIDWEAVE_PORT": str(port),
        **settings,
    }
    with (folder / "service.log").open("wb") as log:
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-c", _SERVE, "serve", env=environment, stdout=log, stderr=log, start_new_session=True
        )
    try:
        yield process
    finally:
        await _end(process)


async def in_thread(stop: threading.Event, work: Callable[[], _T]) -> _T:
    """`work` beside the event loop. When cancelled, sets `stop` and waits until the thread has seen it."""
    thread = asyncio.ensure_future(asyncio.to_thread(work))
    try:
        return await asyncio.shield(thread)
    except asyncio.CancelledError:
        stop.set()
        with contextlib.suppress(Stopped, ClientError, TimeoutError):
            await thread
        raise


async def _until_ready(process: asyncio.subprocess.Process, url: str, folder: Path) -> None:
    async with httpx.AsyncClient(trust_env=False) as http:
        for _ in range(int(_READY_WITHIN_S / 0.05)):
            if process.returncode is not None:
                raise StageFailed(f"the service ended with status {process.returncode}; see {folder / 'service.log'}")
            with contextlib.suppress(httpx.TransportError):
                if (await http.get(f"{url}/readyz")).is_success:
                    return
            await asyncio.sleep(0.05)
    raise StageFailed(f"the service is not ready after {_READY_WITHIN_S:.0f} s; see {folder / 'service.log'}")


async def _end(process: asyncio.subprocess.Process) -> None:
    """Asks the process to end, then insists."""
    if process.returncode is not None:
        return
    with contextlib.suppress(ProcessLookupError):
        process.terminate()
    try:
        async with asyncio.timeout(_ENDS_WITHIN_S):
            await process.wait()
    except TimeoutError:
        with contextlib.suppress(ProcessLookupError):
            process.kill()
        await process.wait()
