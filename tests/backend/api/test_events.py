"""Server-sent events over a real socket, as the client reads them."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from gridweave.client.service import Event, GridweaveClient
from tests.support.load import mine_steadily
from tests.support.process import ServiceProcess
from tests.support.town import founded

pytestmark = pytest.mark.chain


def until_order(events: Iterator[Event]) -> list[Event]:
    found = []
    for event in events:
        found.append(event)
        if event.kind == "order":
            return found
    raise AssertionError("the stream ended")


async def test_events__an_order__arrives_and_can_be_resumed_after_a_kill(tmp_path: Path) -> None:
    async with founded(tmp_path / "chain", homes=1) as town:
        with ServiceProcess(town, tmp_path) as service:
            await service.start()
            mining = asyncio.create_task(mine_steadily(town))
            client = GridweaveClient(service.url)
            stream = client.events()
            listening = asyncio.create_task(asyncio.to_thread(until_order, stream))
            await asyncio.sleep(0.5)
            body = town.bid(town.homes[0], await town.open_slot())
            async with httpx.AsyncClient(base_url=service.url, trust_env=False) as http:
                id_ = (await http.post("/v1/orders", json=body)).json()["items"][0]["id"]
            heard = await asyncio.wait_for(listening, 20)
            assert heard[-1].data["id"] == id_
            assert {event.kind for event in heard[:-1]} <= {"block"}
            service.kill()
            await service.start()
            before = next((event.id for event in heard[-2::-1]), None) or "0.0."
            resumed = client.events(after=before)
            again = await asyncio.wait_for(asyncio.to_thread(until_order, resumed), 20)
            assert (again[-1].id, again[-1].data) == (heard[-1].id, heard[-1].data)
            mining.cancel()
            client.close()
