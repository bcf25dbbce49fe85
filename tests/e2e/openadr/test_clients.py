"""Two independent OpenADR 3.1 clients run a whole event against `gridweave serve`, each in its own environment."""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

from tests.support.process import ServiceProcess
from tests.support.town import founded

ROOT = Path(__file__).resolve().parents[3]
sys.path.append(str(ROOT / "scripts" / "tools"))

from openadr_clients import Missing, prepare  # noqa: E402 - a tool of scripts/tools

pytestmark = [pytest.mark.asyncio(loop_scope="module"), pytest.mark.chain, pytest.mark.slow]

Json = dict[str, Any]
ROLES = {"bl": "bl", "ven": "ven", "other": "ven"}


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def service(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[ServiceProcess]:
    folder = tmp_path_factory.mktemp("vtn")
    laboratory = {"vtn_private_webhooks": True, "vtn_webhook_echo": False}
    async with founded(folder / "chain", homes=1) as town:
        with ServiceProcess(town, folder, **laboratory) as running:
            await running.start()
            yield running


async def run(service: ServiceProcess, client: str) -> Json:
    """What the client's program saw."""
    try:
        python = await asyncio.to_thread(prepare, client)
    except Missing as missing:
        pytest.skip(str(missing))
    given: Json = {"url": f"{service.url}/openadr3/3.1.0"}
    for name, role in ROLES.items():
        id_ = f"{client}-{name}"
        added = await service.run("vtn", "client", "add", id_, "--role", role, "--json")
        given[name] = [id_, json.loads(added.stdout)["clientSecret"]]
    await asyncio.sleep(1.1)  # the running service looks for new clients once a second
    program = Path(__file__).parent / "clients" / f"{client.replace('-', '_')}_event.py"
    done = await asyncio.to_thread(
        subprocess.run, [python, program], input=json.dumps(given), capture_output=True, text=True, timeout=120
    )
    assert done.returncode == 0, done.stderr[-3_000:]
    seen: Json = json.loads(done.stdout)
    return seen


async def test_openadr3_client__lives_a_whole_event__sees_what_it_should(service: ServiceProcess) -> None:
    assert await run(service, "openadr3-client") == {
        "enrolled": True,
        "resource": "openadr3-client-ven",
        "polled": ["shed"],
        "setpoints": [-12.5] * 4,
        "reported": 3.25,
        "cancelled": "cancelled",
        "others": [0, 404],
        "twice": 409,
        "gone": 404,
    }


async def test_python_oa3_client__lives_a_whole_event__is_told_by_webhook(service: ServiceProcess) -> None:
    assert await run(service, "python-oa3-client") == {
        "enrolled": True,
        "polled": ["use more"],
        "setpoint": 7.5,
        "told": [["CREATE", "use more"], ["UPDATE", "use less"], ["DELETE", "use less"]],
        "reported": [201, "python-oa3-client-ven"],
        "hidden": 404,
        "forbidden": 403,
        "malformed": 400,
        "notifiers": {"WEBHOOK": True},
        "gone": 404,
    }
