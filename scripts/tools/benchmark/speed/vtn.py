"""What VENs do most, asked of one worker: GET /events, with a token, what is not over and what they are granted."""

from __future__ import annotations

import asyncio
import json
import tempfile
from pathlib import Path
from typing import Any

import httpx

from benchmark.figures import Figure
from benchmark.speed.bare import EVENTS
from benchmark.speed.generator import asking, post_all
from benchmark.speed.orders import bare_application
from tests.support.process import ServiceProcess
from tests.support.town import founded

__all__ = ["vtn_figures"]

HANDS = 32
FULL, QUICK = 4_000, 400
_OVER = {"start": "2001-01-01T00:00:00Z", "duration": "PT15M"}
_COUNTED = ("programID", "id", "createdDateTime", "modificationDateTime", "objectType")


def vtn_figures(*, quick: bool) -> dict[str, Figure]:
    """Figures by name."""
    return asyncio.run(_measured(QUICK if quick else FULL))


async def _measured(count: int) -> dict[str, Figure]:
    with tempfile.TemporaryDirectory(prefix="gridweave-bench-") as name:
        folder = Path(name)
        async with founded(folder / "chain", homes=1) as town:
            with ServiceProcess(town, folder, rate_limit_per_s=0, read_limit_per_s=0) as service:
                await service.start()
                token = await _staged(service)
                ask = asking(f"{service.url}/openadr3/3.1.0/events?active=true", token)
                await post_all(service.url, [ask] * HANDS, HANDS, 200)
                asked = await post_all(service.url, [ask] * count, HANDS, 200)
    shown = json.loads(asked.bodies[-1])
    if len(shown) != len(EVENTS):
        raise RuntimeError(f"a VEN was shown {len(shown)} events, not {len(EVENTS)}")
    async with bare_application() as url:
        place = url.removesuffix("/v1/orders") + "/events"
        bare = await post_all(place, [asking(place)] * count, HANDS, 200)
    note = (
        f"{count} polls of one VEN for {len(EVENTS)} of 10 events, {HANDS} at a time, one worker on SQLite; "
        "limit: a bare FastAPI GET of the same body by the same generator"
    )
    pace, most = count / asked.seconds, count / bare.seconds
    return {"vtn.requests_per_s": Figure.beside(pace, "requests/s", most, note)}


async def _staged(service: ServiceProcess) -> str:
    """The token of a VEN that is granted a feeder, among events that it sees, that are others', and that are over."""
    tokens = {role: await _client(service, role) for role in ("bl", "ven")}
    headers = {"Authorization": f"Bearer {tokens['bl']}"}
    async with httpx.AsyncClient(base_url=f"{service.url}/openadr3/3.1.0", headers=headers, trust_env=False) as http:
        ven = {"objectType": "BL_VEN_REQUEST", "clientID": "ven", "venName": "ven", "targets": ["feeder-7"]}
        await _made(http, "/vens", ven)
        program = await _made(http, "/programs", {"programName": "bench"})
        for event in EVENTS:
            body = {name: value for name, value in event.items() if name not in _COUNTED}
            await _made(http, "/events", body | {"programID": program})
            await _made(http, "/events", body | {"programID": program, "targets": ["feeder-8"]})
        await _made(http, "/events", {"programID": program, "intervalPeriod": _OVER})
    return tokens["ven"]


async def _client(service: ServiceProcess, role: str) -> str:
    added = json.loads((await service.run("vtn", "client", "add", role, "--role", role, "--json")).stdout)
    await asyncio.sleep(1.1)  # a running service looks for new clients once a second
    async with httpx.AsyncClient(trust_env=False) as http:
        credentials = (role, added["clientSecret"])
        form = {"grant_type": "client_credentials"}
        answer = await http.post(f"{service.url}/openadr3/3.1.0/auth/token", data=form, auth=credentials)
        return str(answer.raise_for_status().json()["access_token"])


async def _made(http: httpx.AsyncClient, path: str, body: dict[str, Any]) -> str:
    return str((await http.post(path, json=body)).raise_for_status().json()["id"])
