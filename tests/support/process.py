"""The service as a process of its own, which can be killed at any instant and started again."""

from __future__ import annotations

import asyncio
import contextlib
import os
import subprocess
import sys
from collections.abc import Awaitable, Callable, Mapping
from pathlib import Path
from types import TracebackType
from typing import Any, Self, TypeVar

import httpx

from gridweave.localnet import DevKeys, free_port
from tests.support import stores
from tests.support.town import Town

_SERVE = "import sys; from gridweave.cli import main; main(sys.argv[1:])"
_READY_WITHIN = 30.0
T = TypeVar("T")


async def until(holds: Callable[[], Awaitable[T]], within: float = 60.0) -> T:
    """Asks until `holds` gives something true."""
    async with asyncio.timeout(within):
        while not (found := await holds()):  # noqa: ASYNC110 - nobody tells us
            await asyncio.sleep(0.1)
    return found


class ServiceProcess:
    """`gridweave serve` over a town. Its outbox and index lie in `folder` and outlive every kill."""

    def __init__(self, town: Town, folder: Path, **variables: Any) -> None:
        self.folder = folder
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.starts = 0
        self._process: subprocess.Popen[bytes] | None = None
        settings = {
            "rpc_url": town.chain.url,
            "deployment": town.chain.home.deployment_file,
            "data_dir": folder / "service",
            **stores.urls(folder / "service"),
            "relayer_key_file": DevKeys.path(town.chain.home.keys, "relayer"),
            "finality_depth": 30,
            "priority_fee_wei": 0,
            "poll_ms": 50,
            "batch_window_ms": 50,
            "resend_ms": 1_000,
            "keeper": False,
            "most_deadline_ahead": 10**6,
            "most_replacements": 10**4,
            "port": self.port,
        }
        clean = {name: value for name, value in os.environ.items() if not name.startswith("GRIDWEAVE_")}
        self.environment = clean | _named(settings | variables)
        folder.mkdir(parents=True, exist_ok=True)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.kill()

    @property
    def pid(self) -> int:
        assert self._process is not None
        return self._process.pid

    async def start(self) -> None:
        """Starts it and waits until it is ready."""
        self.starts += 1
        with (self.folder / "service.log").open("ab") as log:
            self._process = subprocess.Popen(  # noqa: ASYNC220 - it returns at once, and kill must not wait
                [sys.executable, "-c", _SERVE, "serve"],
                env=self.environment,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        async with httpx.AsyncClient(trust_env=False) as http, asyncio.timeout(_READY_WITHIN):
            while True:
                assert self._process.poll() is None, self.words()
                with contextlib.suppress(httpx.TransportError):
                    if (await http.get(f"{self.url}/readyz")).status_code == 200:
                        return
                await asyncio.sleep(0.05)

    def kill(self) -> None:
        """kill -9, wherever it is."""
        if self._process is not None and self._process.poll() is None:
            self._process.kill()
            self._process.wait()

    def stop(self, within: float = 30.0) -> int:
        """SIGTERM, and its exit code once it has ended."""
        assert self._process is not None
        self._process.terminate()
        return self._process.wait(within)

    def memory(self) -> int:
        """Bytes of its memory that are resident."""
        assert self._process is not None
        pages = int(Path(f"/proc/{self._process.pid}/statm").read_text().split()[1])
        return pages * os.sysconf("SC_PAGE_SIZE")

    async def run(self, *arguments: str, data_dir: Path | None = None) -> subprocess.CompletedProcess[str]:
        """Another command of the program with the same settings."""
        changed = _named({"data_dir": data_dir, **stores.urls(data_dir)}) if data_dir else {}
        return await asyncio.to_thread(
            subprocess.run,
            [sys.executable, "-c", _SERVE, *arguments],
            env=self.environment | changed,
            capture_output=True,
            text=True,
            check=False,
        )

    def words(self, most: int = 3_000) -> str:
        """The end of its log."""
        return (self.folder / "service.log").read_text()[-most:]


def _named(settings: Mapping[str, Any]) -> dict[str, str]:
    """Settings as the environment says them."""
    return {f"GRIDWEAVE_{name.upper()}": str(value) for name, value in settings.items()}
