"""One anvil process: found, started, asked whether it lives, ended. It never outlives its supervisor."""

from __future__ import annotations

import asyncio
import contextlib
import errno
import os
import shutil
import signal
import socket
import subprocess
from pathlib import Path

from gridweave.chain import Node, NodeUnavailable
from gridweave.localnet.errors import AnvilMissing, LocalnetError
from gridweave.localnet.home import ChainInfo, Home
from gridweave.localnet.parent import die_with_parent

__all__ = ["Anvil", "check_port", "end_orphan", "find_anvil", "free_port", "is_free", "port_refused"]

ANVIL_ENV = "GRIDWEAVE_ANVIL"

BLOCK_GAS = 30_000_000
STATES_KEPT = 256
"""Blocks whose state anvil keeps: how deep a reorg and a pinned read can go. More go to disk, at 4 ms a block."""

_STARTS_WITHIN = 20.0  # seconds, a large snapshot included


def find_anvil() -> Path:
    """The anvil to run: GRIDWEAVE_ANVIL, else of the nearest node_modules above the working folder or this package,
    else of PATH. Raises AnvilMissing, which names the next step.
    """
    named = os.environ.get(ANVIL_ENV)
    if named:
        if os.access(named, os.X_OK):
            return Path(named)
        raise AnvilMissing(f"{ANVIL_ENV} names {named}, which is no program: name an anvil, or leave it out")
    for start in (Path.cwd(), Path(__file__).resolve()):
        for folder in (start, *start.parents):
            for binary in sorted(folder.glob("node_modules/@foundry-rs/anvil-*/bin/anvil*")):
                if os.access(binary, os.X_OK):
                    return binary
    on_path = shutil.which("anvil")
    if on_path:
        return Path(on_path)
    raise AnvilMissing("anvil is not installed: run `npm install @foundry-rs/anvil`, or in a clone `make setup`")


def is_free(port: int) -> bool:
    """Whether a server could listen on this port of 127.0.0.1 now."""
    try:
        check_port(port)
    except LocalnetError:
        return False
    return True


def check_port(port: int) -> None:
    """Raises LocalnetError if no server could listen on this port of 127.0.0.1 now."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError as fault:
            raise port_refused(port, fault) from fault


def port_refused(port: int, fault: OSError) -> LocalnetError:
    """Why the node cannot listen there, and what would do."""
    if fault.errno == errno.EACCES:
        message = f"the node's port {port} may not be used by this user: name one from 1024 up, or 0 for a free one"
        return LocalnetError(message)
    if fault.errno == errno.EADDRINUSE:
        return LocalnetError(f"the node's port {port} is in use: name another, or 0 for a free one")
    return LocalnetError(f"the node cannot listen on port {port} ({fault.strerror}): name another, or 0 for a free one")


def free_port() -> int:
    """A port of 127.0.0.1 that nobody uses now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


class Anvil:
    """A running anvil that mines only when told to."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self._process = process

    @classmethod
    async def start(cls, home: Home, info: ChainInfo, node: Node, state: Path | None = None) -> Anvil:
        """Starts anvil on the chain's port, with the state of a snapshot if one is given, and waits until it answers.

        LocalnetError if it ends or stays silent; its last words are in anvil.log.
        """
        end_orphan(home)
        arguments = _arguments(home, info) + (["--load-state", str(state)] if state else [])
        with home.log.open("ab") as log:
            process = await asyncio.create_subprocess_exec(
                find_anvil(),
                *arguments,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
                preexec_fn=die_with_parent(),
                env={"PATH": os.environ.get("PATH", os.defpath), "HOME": str(home.path)},
            )
        home.pid_file.write_text(str(process.pid))
        anvil = cls(process)
        try:
            await anvil._answers(node, home)
        except BaseException:
            await anvil.kill()
            raise
        return anvil

    @property
    def pid(self) -> int:
        return self._process.pid

    @property
    def is_alive(self) -> bool:
        return self._process.returncode is None

    async def wait(self) -> int:
        """Waits for its end and returns the exit status."""
        return await self._process.wait()

    async def kill(self) -> None:
        """Ends it at once: its state is in snapshots or nowhere."""
        with contextlib.suppress(ProcessLookupError):
            self._process.kill()
        await self._process.wait()

    async def _answers(self, node: Node, home: Home) -> None:
        try:
            async with asyncio.timeout(_STARTS_WITHIN):
                while self.is_alive:
                    try:
                        await node.chain_id()
                    except NodeUnavailable:
                        await asyncio.sleep(0.02)
                    else:
                        return
        except TimeoutError as error:
            raise LocalnetError(f"anvil does not answer; see {home.log}") from error
        raise LocalnetError(f"anvil ended with status {self._process.returncode}; see {home.log}")


def end_orphan(home: Home) -> None:
    """Ends an anvil of this home that outlived its supervisor, where the system let it."""
    try:
        pid = int(home.pid_file.read_text())
    except (FileNotFoundError, ValueError):
        return
    if str(home.cache) in _command_line(pid):
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
    home.pid_file.unlink(missing_ok=True)


def _command_line(pid: int) -> str:
    """What a process was started with; empty if there is none. Linux tells without `ps`, which slim systems lack."""
    if not Path("/proc/self/cmdline").exists():
        shown = subprocess.run(["ps", "-o", "args=", "-p", str(pid)], capture_output=True, text=True, check=False)
        return shown.stdout
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
    except OSError:
        return ""


def _arguments(home: Home, info: ChainInfo) -> list[str]:
    return [
        "--host=127.0.0.1",
        f"--port={info.port}",
        f"--chain-id={info.chain_id}",
        f"--timestamp={info.genesis_time}",
        "--no-mining",
        "--accounts=0",
        "--hardfork=osaka",
        "--enable-tx-gas-limit",
        f"--gas-limit={BLOCK_GAS}",
        f"--prune-history={STATES_KEPT}",
        "--no-request-size-limit",
        "--no-cors",
        f"--cache-path={home.cache}",
        "--quiet",
    ]
