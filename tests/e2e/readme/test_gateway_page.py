"""docs/gateway.md does what it says: its section "Try it" and its program are run as they stand, at other ports."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest

from gridweave.localnet import free_port
from tests.support.broker import needs_mosquitto

pytestmark = [pytest.mark.chain, pytest.mark.slow]

ROOT = Path(__file__).resolve().parents[3]
PAGE = (ROOT / "docs" / "gateway.md").read_text(encoding="utf-8")
WITHIN_S = 90


def commands() -> list[str]:
    """The blocks of the section: what starts all, what runs the gateway, what measures and reads."""
    section = PAGE.split("## Try it\n", 1)[1].split("\n## ", 1)[0]
    return re.findall(r"^```sh\n(.*?)^```$", section, re.MULTILINE | re.DOTALL)


def program() -> str:
    (found,) = re.findall(r"^```python meter\.py\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)
    return str(found)


@pytest.fixture
def place(tmp_path: Path) -> Path:
    for name in (".venv", "node_modules"):
        (tmp_path / name).symlink_to(ROOT / name)
    (tmp_path / "var").mkdir()
    return tmp_path


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


def wait_for(log: Path, text: str, process: subprocess.Popen[bytes]) -> None:
    ends = time.monotonic() + WITHIN_S
    while text not in log.read_text():
        assert process.poll() is None and time.monotonic() < ends, log.read_text()
        time.sleep(0.1)


@pytest.mark.timeout(300)
def test_page__as_it_stands__brings_a_reading_to_the_chain_and_back(place: Path) -> None:
    needs_mosquitto()
    ports = {port: str(free_port()) for port in ("8000", "8545", "1883")}
    up, gateway, device = (
        re.sub(r"\b(8000|8545|1883)\b", lambda found: ports[found[0]], block) for block in commands()
    )
    (place / "meter.py").write_text(program(), encoding="utf-8")
    with running(up, place, "up.log") as chain:
        wait_for(place / "up.log", "gateway.password", chain)
        assert httpx.get(f"http://127.0.0.1:{ports['8000']}/readyz", trust_env=False).is_success
        with running(gateway, place, "gateway.log") as running_gateway:
            wait_for(place / "gateway.log", "the broker is reached", running_gateway)
            done = subprocess.run(
                ["bash", "-euo", "pipefail", "-c", device],
                cwd=place,
                capture_output=True,
                text=True,
                timeout=150,
                check=False,
                env=environment(place),
            )
    assert done.returncode == 0, done.stdout + done.stderr
    assert re.search(r"^ +3 +\S+Z +1 +248\.5 +21\.50 *$", done.stdout, re.MULTILINE), done.stdout
    assert "reading 3 of" in done.stdout and "the key is trusted" in done.stdout
    assert re.search(r"readings of \d+ batches", done.stdout) and "No difference" in done.stdout
