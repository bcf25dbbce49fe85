"""The application: built from settings, given or making its own chain and stores."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager
from typing import Protocol

from fastapi import FastAPI
from fastapi.middleware.cors import CORSMiddleware
from uvicorn.middleware.proxy_headers import ProxyHeadersMiddleware

from gridweave import API_VERSIONS
from gridweave import __doc__ as about
from gridweave.api import docs
from gridweave.api.bodies import BodyLimit
from gridweave.api.errors import install_error_handlers
from gridweave.api.limits import READS, UNCOUNTED, WRITES, RateLimit
from gridweave.api.metrics import Metrics
from gridweave.api.middleware import RequestLog
from gridweave.api.routes import (
    accounts,
    assets,
    bills,
    bonds,
    deployment,
    devices,
    events,
    firmware,
    firmware_acts,
    health,
    history,
    markets,
    operations,
    orders,
    readings,
    registry,
    sessions,
    streams,
)
from gridweave.chain.node import Node
from gridweave.services.runtime import Runtime
from gridweave.services.schedules import MOST_LINES
from gridweave.services.sessions import Sessions
from gridweave.services.settings import Settings
from gridweave.services.stores import Stores
from gridweave.store.database import Database

__all__ = ["Door", "create_app"]

_BY_TRAFFIC = (
    orders,
    readings,
    streams,
    markets,
    accounts,
    bills,
    deployment,
    devices,
    sessions,
    registry,
    assets,
    firmware_acts,
    firmware,
    bonds,
    events,
    history,
    operations,
)
"""A request is matched with them in this order."""


class Door(Protocol):
    """An application of its own under a path of the service, open as long as the service is."""

    path: str
    forms: frozenset[str]
    """Paths where forms are posted instead of JSON."""
    application: FastAPI

    def open(self, outbox: Database) -> AbstractAsyncContextManager[None]:
        """Answers from the outbox's database until the block ends."""


Bridge = Callable[[Settings, Sessions], AbstractAsyncContextManager[None]]

_MOST_FIELDS = 16
"""Of one item in a batch, with room."""


@asynccontextmanager
async def _no_bridge(settings: Settings, sessions: Sessions) -> AsyncIterator[None]:  # noqa: ARG001 - as bridges are
    yield


def create_app(
    settings: Settings,
    *,
    chain: Node | None = None,
    store: Stores | None = None,
    bridge: Bridge = _no_bridge,
    doors: Sequence[Door] = (),
) -> FastAPI:
    """The service as an ASGI application. What it is not given (`chain`, `store`) its lifespan opens and closes.

    `bridge` is another way in for devices, open as long as the service is, `doors` are applications beside ours.

    Starting raises SettingsInvalid, WrongChain, StoreBusy, StoreMismatch, KeyUnusable or NodeUnavailable.
    """
    metrics = Metrics()

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        async with AsyncExitStack() as opened:
            try:
                runtime = await Runtime.open(settings, chain, store)
                opened.push_async_callback(runtime.close)
                await opened.enter_async_context(bridge(settings, runtime.world.sessions))
                for door in doors:
                    door.application.state.runtime = runtime
                    await opened.enter_async_context(door.open(runtime.stores.outbox))
            except Exception as refusal:
                app.state.refusal = refusal
                raise
            app.state.runtime = runtime
            await runtime.start()
            yield

    app = FastAPI(
        title="Gridweave",
        description=about or "",
        version=API_VERSIONS[-1].removeprefix("v"),
        lifespan=lifespan,
        docs_url=None,
        redoc_url=None,
    )
    app.state.metrics = metrics
    install_error_handlers(app)
    fields, within_s = _MOST_FIELDS * max(settings.most_orders, MOST_LINES), settings.body_timeout_ms / 1e3
    forms = frozenset(path for door in doors for path in door.forms)
    app.add_middleware(BodyLimit, limit=settings.body_limit, fields=fields, within_s=within_s, forms=forms)
    if settings.rate_limit_per_s:
        app.add_middleware(RateLimit, per_second=settings.rate_limit_per_s, methods=WRITES)
    if settings.read_limit_per_s:
        app.add_middleware(RateLimit, per_second=settings.read_limit_per_s, methods=READS, free=UNCOUNTED)
    if settings.cors_origins:
        app.add_middleware(CORSMiddleware, allow_origins=list(settings.cors_origins), allow_methods=["GET", "POST"])
    app.add_middleware(RequestLog, metrics=metrics)
    if settings.trusted_proxies:
        app.add_middleware(ProxyHeadersMiddleware, trusted_hosts=list(settings.trusted_proxies))
    for door in doors:  # before the many routes, which each would be held against a path that is none of theirs
        app.mount(door.path, door.application)
    for module in _BY_TRAFFIC:
        app.include_router(module.router, prefix=f"/{API_VERSIONS[-1]}")
    app.include_router(health.router)
    app.include_router(operations.pages)
    app.include_router(docs.router)
    return app
