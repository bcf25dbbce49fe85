"""docs/firmware.md does what it says: its section "Try it" is run as it stands, at other ports."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from gridweave.localnet import free_port
from tests.e2e.readme.pages import ROOT, at_ports, commands, ran, running, wait_for

pytestmark = [pytest.mark.chain, pytest.mark.slow]

PAGE = (ROOT / "docs" / "firmware.md").read_text(encoding="utf-8")


@pytest.mark.timeout(600)
def test_page__as_it_stands__has_one_release_run_and_the_next_one_stop_itself(place: Path) -> None:
    ports = {port: str(free_port()) for port in ("8000", "8545")}
    up, release = (at_ports(block, ports) for block in commands(PAGE))
    with running(up, place, "up.log") as chain:
        wait_for(place / "up.log", "service.log", chain)
        done = ran(release, place, within_s=500)
    told = done.stdout + done.stderr
    assert done.returncode == 0, told
    assert "may be installed: release 1 of model 8" in done.stdout, told
    assert re.search(r"^ +3 +paused .* its failures *$", done.stdout, re.MULTILINE), told
    assert "ReleaseNotInstallable model 8, counter 2, state paused" in done.stderr, told
    assert "no device installs it" in done.stdout and "No difference" in done.stdout, told
