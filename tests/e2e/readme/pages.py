"""A page's commands, run as they stand in a folder of their own."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

ROOT = Path(__file__).resolve().parents[3]
WITHIN_S = 90


def commands(page: str) -> list[str]:
    """The blocks of the page's section "Try it", in their order."""
    section = page.split("## Try it\n", 1)[1].split("\n## ", 1)[0]
    return re.findall(r"^```sh\n(.*?)^```$", section, re.MULTILINE | re.DOTALL)


def at_ports(block: str, ports: dict[str, str]) -> str:
    """The block, with other ports than the page names."""
    return re.sub(rf"\b({'|'.join(ports)})\b", lambda found: ports[found[0]], block)


def environment(place: Path) -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith("GRIDWEAVE_")}
    return {**kept, "HOME": str(place)}


@contextmanager
def running(block: str, place: Path, log: str) -> Iterator[subprocess.Popen[bytes]]:
    """A block that goes on until it is interrupted."""
    with (place / log).open("wb") as file:
        process = subprocess.Popen(
            ["bash", "-ec", block], cwd=place, stdout=file, stderr=file, start_new_session=True, env=environment(place)
        )
    try:
        yield process
    finally:
        os.killpg(process.pid, signal.SIGINT)
        process.wait(timeout=30)


def ran(block: str, place: Path, within_s: int = 150) -> subprocess.CompletedProcess[str]:
    """A block that ends by itself."""
    return subprocess.run(
        ["bash", "-euo", "pipefail", "-c", block],
        cwd=place,
        capture_output=True,
        text=True,
        timeout=within_s,
        check=False,
        env=environment(place),
    )


def wait_for(log: Path, text: str, process: subprocess.Popen[bytes]) -> None:
    ends = time.monotonic() + WITHIN_S
    while text not in log.read_text():
        assert process.poll() is None and time.monotonic() < ends, log.read_text()
        time.sleep(0.1)
