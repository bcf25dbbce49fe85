"""A disk that fills up: a small one of its own where this user may mount, else a limit on what a process may write."""

from __future__ import annotations

import contextlib
import os
import resource
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

_SIZE = "16m"


class Disk:
    """What lies under `path` may grow until `fill`, and again from `free` on."""

    def __init__(self, path: Path, *, is_mounted: bool) -> None:
        self.path = path
        self._is_mounted = is_mounted
        self._filler = path / "filler"

    def fill(self, pid: int) -> None:
        """No room is left for the process `pid`."""
        if not self._is_mounted:
            _, most = resource.prlimit(pid, resource.RLIMIT_FSIZE)
            resource.prlimit(pid, resource.RLIMIT_FSIZE, (1, most))
            return
        with self._filler.open("wb", buffering=0) as file, contextlib.suppress(OSError):
            while True:
                file.write(b"\0" * 4096)

    def free(self, pid: int) -> None:
        """There is room again."""
        if self._is_mounted:
            self._filler.unlink()
            return
        _, most = resource.prlimit(pid, resource.RLIMIT_FSIZE)
        resource.prlimit(pid, resource.RLIMIT_FSIZE, (most, most))

    def make_read_only(self) -> Path:
        """A folder in which nobody can make anything: /proc for root where it may not mount, since no mode stops it."""
        if self._is_mounted:
            subprocess.run(["mount", "-o", "remount,ro", str(self.path)], check=True)
        elif os.geteuid() == 0:
            return Path("/proc")
        else:
            self.path.chmod(0o555)
        return self.path


@contextmanager
def small_disk(path: Path) -> Iterator[Disk]:
    """A disk at `path`, for the length of a block."""
    path.mkdir()
    mounting = ["mount", "-t", "tmpfs", "-o", f"size={_SIZE}", "none", str(path)]
    can_mount = shutil.which("mount") is not None
    is_mounted = can_mount and subprocess.run(mounting, capture_output=True, check=False).returncode == 0
    try:
        yield Disk(path, is_mounted=is_mounted)
    finally:
        if is_mounted:
            subprocess.run(["umount", "--lazy", str(path)], check=True)
