"""The README's quick start, executed as it stands: only its ports are others, so that nobody is disturbed."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from gridweave.localnet import free_port

pytestmark = [pytest.mark.chain, pytest.mark.slow]

ROOT = Path(__file__).resolve().parents[3]
README = (ROOT / "README.md").read_text(encoding="utf-8")
READY_WITHIN_S = 90


def blocks(heading: str) -> list[str]:
    section = README.split(f"## {heading}\n", 1)[1].split("\n## ", 1)[0]
    return re.findall(r"^```sh\n(.*?)^```$", section, re.MULTILINE | re.DOTALL)


@pytest.fixture
def place(tmp_path: Path) -> Path:
    """A folder that looks like the clone to the commands: its environment, its node_modules, a var of its own."""
    for name in (".venv", "node_modules"):
        (tmp_path / name).symlink_to(ROOT / name)
    (tmp_path / "var").mkdir()
    return tmp_path


@pytest.fixture
def script(place: Path) -> Iterator[list[str]]:
    """The blocks after the first, which starts everything and keeps running meanwhile."""
    ports = {"8000": str(free_port()), "8545": str(free_port())}
    first, *others = (
        re.sub(r"\b(8000|8545)\b", lambda found: ports[found[0]], block) for block in blocks("Quick start")
    )
    with (place / "up.log").open("w") as log:
        up = subprocess.Popen(
            ["bash", "-ec", first], cwd=place, stdout=log, stderr=log, start_new_session=True, env=_environment(place)
        )
    try:
        _until_ready(f"http://127.0.0.1:{ports['8000']}/readyz", up, place / "up.log")
        yield others
    finally:
        os.killpg(up.pid, signal.SIGINT)
        assert up.wait(timeout=30) is not None


@pytest.mark.timeout(480)
def test_quick_start__executed_block_by_block__does_what_it_says(place: Path, script: list[str]) -> None:
    shown = _run("\n".join(script), place)
    assert re.search(r"bid of 0\.15 kWh at 0\.22 in slot \d+, version 2: committed", shown)
    assert re.search(r"version 1 in slot \d+: committed, without the service", shown)
    assert re.search(r"ask of 0\.2 kWh at 0\.10? in slot \d+, version 1: committed", shown)
    assert re.search(r"^ *\d{6,} +\S+ \S+ +0\.1 +0\.1 to 0\.1 +0\.15 *$", shown, re.MULTILINE), shown
    assert len(re.findall(r"reading of meter [12], slot \d+, version 1: (?:committed|settled)", shown)) == 2
    assert len(re.findall(r"Vault\.(?:Paid|Locked)", shown)) >= 2
    assert re.search(r"var/meter-1\.ndjson: \d+ rows", shown)
    assert shown.count("to check: ") == 7 and "does not hold" not in shown
    assert "No difference" in shown
    assert "2 kWh at 0.1" in shown


def test_first_screen__names_the_two_commands_that_matter() -> None:
    first_screen = "\n".join(README.splitlines()[:25])
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    for target in ("demo", "test"):
        assert f"make {target}" in first_screen
        assert re.search(rf"^{target}:", makefile, re.MULTILINE)


def test_links__each_leads_to_a_file_of_the_clone() -> None:
    links = [link for link in re.findall(r"\]\(([^)]+)\)", README) if not link.startswith("http")]
    assert links
    assert [link for link in links if not (ROOT / link).exists()] == []


def test_map__every_room_it_names_is_there() -> None:
    rooms = re.findall(r"^\| (`[^|]+) \|", README, re.MULTILINE)
    names = [name for room in rooms for name in re.findall(r"`([^`]+)`", room)]
    base = ROOT / "backend" / "gridweave"
    assert names
    assert [name for name in names if not ((ROOT / name).exists() or (base / name).exists())] == []


def _run(block: str, place: Path) -> str:
    done = subprocess.run(
        ["bash", "-euo", "pipefail", "-c", block],
        cwd=place,
        capture_output=True,
        text=True,
        timeout=420,
        check=False,
        env=_environment(place),
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def _environment(place: Path) -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith("GRIDWEAVE_")}
    return {**kept, "HOME": str(place)}


def _until_ready(url: str, process: subprocess.Popen[bytes], log: Path) -> None:
    ends = time.monotonic() + READY_WITHIN_S
    while time.monotonic() < ends:
        assert process.poll() is None, log.read_text()
        try:
            if httpx.get(url, trust_env=False).is_success:
                return
        except httpx.TransportError:
            pass
        time.sleep(0.1)
    raise AssertionError(f"not ready after {READY_WITHIN_S} s: {log.read_text()}")
