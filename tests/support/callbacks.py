"""A subscriber's end of webhooks, on a port of this machine."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from aiohttp import web


@dataclass
class Subscriber:
    """What it was told, with the Authorization header; it answers `status`, and a challenge if `echoes`."""

    url: str = ""
    echoes: bool = True
    status: int = 200
    told: list[tuple[dict[str, Any], str | None]] = field(default_factory=list)

    async def until(self, count: int, within: float = 15.0) -> list[dict[str, Any]]:
        """The bodies of the first so many notifications."""
        async with asyncio.timeout(within):
            while len(self.told) < count:  # noqa: ASYNC110 - nobody tells us
                await asyncio.sleep(0.02)
        return [body for body, _ in self.told[:count]]

    async def answer(self, request: web.Request) -> web.Response:
        if request.method == "GET":
            return web.Response(text=request.query.get("echo", "") if self.echoes else "hello")
        self.told.append((await request.json(), request.headers.get("Authorization")))
        return web.Response(status=self.status, headers={"Location": "/elsewhere"})


@asynccontextmanager
async def listening() -> AsyncIterator[Subscriber]:
    """A subscriber that can be called until the block ends."""
    subscriber = Subscriber()
    application = web.Application()
    application.router.add_route("*", "/{path:.*}", subscriber.answer)
    runner = web.AppRunner(application)
    await runner.setup()
    try:
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        subscriber.url = f"http://127.0.0.1:{runner.addresses[0][1]}/hook"
        yield subscriber
    finally:
        await runner.cleanup()
