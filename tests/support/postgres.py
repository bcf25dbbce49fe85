"""A PostgreSQL server of the tests' own: real binaries, a cluster in a temporary folder, a port of 127.0.0.1.

The binaries come with the `pgserver` package, so that no machine must have a server installed. PostgreSQL refuses to
run as root: there it runs as `nobody`, from a copy that `nobody` may read.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import subprocess
import tempfile
import time
from importlib.util import find_spec
from pathlib import Path
from types import TracebackType
from typing import Self

from gridweave.localnet import free_port

_NOBODY = 65_534
_STARTS_WITHIN = 30.0
_TEMPLATE = "postgres"


class PostgresServer:
    """One cluster. It can be stopped, paused and killed like any other neighbour."""

    def __init__(self) -> None:
        self._folder = Path(tempfile.mkdtemp(prefix="gridweave-postgres-"))
        self._user = _NOBODY if os.geteuid() == 0 else None
        self._bin = self._binaries()
        self._data = self._folder / "data"
        self._port = free_port()
        self._databases = 0
        self._process: subprocess.Popen[bytes] | None = None
        self._data.mkdir(mode=0o700)
        self._own(self._folder)
        self._own(self._data)
        self._run("initdb", "--auth=trust", "--username=gridweave", "--encoding=UTF8", "--no-sync", str(self._data))

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.kill()
        shutil.rmtree(self._folder, ignore_errors=True)

    def start(self) -> None:
        """Starts it and waits until it answers."""
        (self._data / "postmaster.pid").unlink(missing_ok=True)
        options = {"unix_socket_directories": self._folder, "fsync": "off", "max_connections": 200}
        words = [f"-c{name}={value}" for name, value in options.items()]
        with (self._folder / "log").open("ab") as log:
            self._process = subprocess.Popen(
                [self._bin / "postgres", "-D", self._data, "-h127.0.0.1", f"-p{self._port}", *words],
                stdout=log,
                stderr=log,
                user=self._user,
                group=self._user,
                cwd=self._folder,
                start_new_session=True,
            )
        patience = time.monotonic() + _STARTS_WITHIN
        while self._ask("pg_isready", "--quiet", f"--dbname={_TEMPLATE}") != 0:
            assert self._process.poll() is None, (self._folder / "log").read_text()[-2_000:]
            assert time.monotonic() < patience, "PostgreSQL does not answer"
            time.sleep(0.05)

    def kill(self) -> None:
        """kill -9 of the server and of all its sessions."""
        if self._process is not None and self._process.poll() is None:
            self._signal(signal.SIGKILL)
            self._process.wait()

    def pause(self) -> None:
        """SIGSTOP: connections stand, and nobody answers."""
        self._signal(signal.SIGSTOP)

    def resume(self) -> None:
        self._signal(signal.SIGCONT)

    def database(self) -> str:
        """The URL of a fresh, empty database."""
        self._databases += 1
        name = f"town_{self._databases}"
        self.execute(f"CREATE DATABASE {name}")
        return f"postgresql://gridweave@127.0.0.1:{self._port}/{name}"

    def execute(self, statement: str) -> None:
        """One statement, as the server's owner."""
        self._ask("psql", "--quiet", "--no-psqlrc", f"--dbname={_TEMPLATE}", f"--command={statement}", check=True)

    def _signal(self, number: signal.Signals) -> None:
        assert self._process is not None
        for pid in _family(self._process.pid):
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, number)

    def _ask(self, program: str, *arguments: str, check: bool = False) -> int:
        place = ["--host=127.0.0.1", f"--port={self._port}", "--username=gridweave"]
        return subprocess.run(
            [self._bin / program, *place, *arguments], check=check, stdout=subprocess.DEVNULL, cwd=self._folder
        ).returncode

    def _run(self, program: str, *arguments: str) -> None:
        done = subprocess.run(
            [self._bin / program, *arguments],
            user=self._user,
            group=self._user,
            cwd=self._folder,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stderr

    def _own(self, path: Path) -> None:
        if self._user is not None:
            os.chown(path, self._user, self._user)

    def _binaries(self) -> Path:
        package = find_spec("pgserver")
        assert package is not None, "run `make setup`"
        assert package.origin is not None
        installed = Path(package.origin).parent
        if self._user is None:
            return installed / "pginstall" / "bin"
        for name in ("pgserver/pginstall", "pgserver.libs"):
            shutil.copytree(installed.parent / name, self._folder / name, symlinks=True)
        return self._folder / "pgserver" / "pginstall" / "bin"


def _family(pid: int) -> list[int]:
    """A process and all its children."""
    found = subprocess.run(["ps", "-o", "pid=", "--ppid", str(pid)], capture_output=True, text=True, check=False)
    return [pid, *(child for line in found.stdout.split() for child in _family(int(line)))]
