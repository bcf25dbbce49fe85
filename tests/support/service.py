"""The service within the test's own process, over a town's chain: no sockets between test and API."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx

from gridweave.api import create_app
from gridweave.localnet import DevKeys
from gridweave.services.runtime import Runtime
from gridweave.services.settings import Settings
from tests.support import stores
from tests.support.promised import Promised
from tests.support.town import Town

WITHIN = 20.0


@dataclass
class Service:
    """A running service and its town."""

    town: Town
    http: httpx.AsyncClient
    runtime: Runtime
    document: dict[str, Any]

    async def post(self, path: str, body: Any) -> httpx.Response:
        return await self.http.post(f"/v1/{path}", json=body)

    async def get(self, path: str, **params: Any) -> Any:
        """The body of a good answer."""
        response = await self.http.get(f"/v1/{path}", params=params)
        assert response.status_code == 200, response.text
        return response.json()

    async def accept(self, path: str, body: Any) -> list[str]:
        """Posts what must be accepted; ids of the items."""
        response = await self.post(path, body)
        assert response.status_code == 202, response.text
        answer = response.json()
        return [item["id"] for item in answer.get("items", [answer])]

    async def until(self, holds: Callable[[], Awaitable[Any]], *, mine: bool = False) -> Any:
        """Waits until `holds` gives something true, making blocks meanwhile if asked to."""
        async with asyncio.timeout(WITHIN):
            while not (found := await holds()):
                if mine:
                    await self.town.chain.mine()
                await asyncio.sleep(0.05)
        return found

    async def status(self, id_: str) -> dict[str, Any]:
        answer: dict[str, Any] = await self.get(f"requests/{id_}")
        return answer

    async def done(self, *ids: str) -> list[dict[str, Any]]:
        """Mines until none of the requests is `accepted` any more; their states."""

        async def all_done() -> list[dict[str, Any]]:
            states = [await self.status(id_) for id_ in ids]
            return states if all(state["status"] != "accepted" for state in states) else []

        found: list[dict[str, Any]] = await self.until(all_done, mine=True)
        return found

    async def caught_up(self) -> None:
        """Waits until the index stands on the chain's head."""

        async def level() -> bool:
            head = await self.town.chain.node.head()
            block = self.runtime.world.heads.block
            return block is not None and block.hash == "0x" + head.hash.hex()

        await self.until(level)

    async def travel(self, time: int) -> None:
        """Chain time moves to `time`, and the index with it."""
        await self.town.chain.mine(time)
        await self.caught_up()


def settings_of(town: Town, folder: Path, **changes: Any) -> Settings:
    """Settings of a service over the town, quick and without a keeper."""
    values: dict[str, Any] = {
        "rpc_url": town.chain.url,
        "deployment": town.chain.home.deployment_file,
        "data_dir": folder,
        "relayer_key_file": DevKeys.path(town.chain.home.keys, "relayer"),
        "finality_depth": 5,
        "priority_fee_wei": 0,
        "poll_ms": 30,
        "batch_window_ms": 20,
        "resend_ms": 500,
        "keeper": False,
        "most_deadline_ahead": 10**6,
        **stores.urls(folder),
    }
    return Settings.from_env({}, **(values | changes))


@asynccontextmanager
async def served(town: Town, folder: Path, **changes: Any) -> AsyncIterator[Service]:
    """A service over the town, caught up, for the length of a block. `changes` to its settings."""
    app = create_app(settings_of(town, folder, **changes))
    async with app.router.lifespan_context(app):
        transport = httpx.ASGITransport(app, raise_app_exceptions=False)
        promised = Promised(app.openapi())
        hooks = {"response": [promised.check]}
        async with httpx.AsyncClient(transport=transport, base_url="http://service", event_hooks=hooks) as http:
            service = Service(town, http, app.state.runtime, app.openapi())
            await service.caught_up()
            yield service
