"""The page's worked example does what it says, line by line."""

from __future__ import annotations

import asyncio
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.process import ServiceProcess
from tests.support.town import founded

PAGE = Path(__file__).resolve().parents[3] / "docs" / "openadr.md"
BEGIN, END = "<!-- worked example -->\n```sh\n", "```\n<!-- worked example end -->"

pytestmark = [pytest.mark.chain, pytest.mark.slow]


async def test_worked_example__as_it_stands__prints_what_the_page_says(tmp_path: Path) -> None:
    missing = [tool for tool in ("curl", "jq") if shutil.which(tool) is None]
    if missing:
        pytest.skip(f"{' and '.join(missing)} not installed")
    text = PAGE.read_text()
    lines = text.partition(BEGIN)[2].partition(END)[0]
    assert lines, "the page has its example"
    async with founded(tmp_path / "chain", homes=1) as town:
        with ServiceProcess(town, tmp_path) as service:
            await service.start()
            script = lines.replace("http://127.0.0.1:8000", service.url)
            path = f"{Path(sys.executable).parent}:{service.environment['PATH']}"
            done = await asyncio.to_thread(
                subprocess.run,
                ["bash", "-euo", "pipefail", "-c", script],
                env=service.environment | {"PATH": path},
                cwd=tmp_path,
                capture_output=True,
                text=True,
                timeout=60,
            )
    assert (done.returncode, done.stdout.split()) == (0, ["shed", "bakery"]), done.stderr
    assert "It prints `shed`, then `bakery`." in text
