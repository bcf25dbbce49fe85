"""docs/gateway.md does what it says: its section "Try it" and its program are run as they stand, at other ports."""

from __future__ import annotations

import re
from pathlib import Path

import httpx
import pytest

from gridweave.localnet import free_port
from tests.e2e.readme.pages import ROOT, at_ports, commands, ran, running, wait_for
from tests.support.broker import needs_mosquitto

pytestmark = [pytest.mark.chain, pytest.mark.slow]

PAGE = (ROOT / "docs" / "gateway.md").read_text(encoding="utf-8")


def program() -> str:
    (found,) = re.findall(r"^```python meter\.py\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)
    return str(found)


@pytest.mark.timeout(300)
def test_page__as_it_stands__brings_a_reading_to_the_chain_and_back(place: Path) -> None:
    needs_mosquitto()
    ports = {port: str(free_port()) for port in ("8000", "8545", "1883")}
    up, gateway, device = (at_ports(block, ports) for block in commands(PAGE))
    (place / "meter.py").write_text(program(), encoding="utf-8")
    with running(up, place, "up.log") as chain:
        wait_for(place / "up.log", "gateway.password", chain)
        assert httpx.get(f"http://127.0.0.1:{ports['8000']}/readyz", trust_env=False).is_success
        with running(gateway, place, "gateway.log") as running_gateway:
            wait_for(place / "gateway.log", "the broker is reached", running_gateway)
            done = ran(device, place)
    assert done.returncode == 0, done.stdout + done.stderr
    assert re.search(r"^ +3 +\S+Z +1 +248\.5 +21\.50 *$", done.stdout, re.MULTILINE), done.stdout
    assert "reading 3 of" in done.stdout and "the key is trusted" in done.stdout
    assert re.search(r"readings of \d+ batches", done.stdout) and "No difference" in done.stdout
