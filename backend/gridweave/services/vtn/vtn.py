"""The VTN as a whole, over the outbox's database: what its routes are answered from."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Any

import structlog

from gridweave.services.settings import Settings
from gridweave.services.vtn.clients import Clients
from gridweave.services.vtn.delivery import Callbacks, Delivery
from gridweave.services.vtn.elsewhere import Elsewhere, Mirror
from gridweave.services.vtn.objects import Objects
from gridweave.services.vtn.tokens import Tokens
from gridweave.store.database import Database
from gridweave.store.errors import StoreBusy, StoreUnavailable
from gridweave.store.vtn import VtnStore

__all__ = ["Vtn", "clients_of", "opened"]

log = structlog.get_logger(__name__)

_LOOK_S = 1.0


class Vtn:
    """Clients, tokens, objects and callbacks. `opened` makes one and keeps it running."""

    def __init__(self, settings: Settings, outbox: Database, callbacks: Callbacks) -> None:
        self.store = VtnStore(outbox)
        self.clients = clients_of(settings)
        self.tokens = Tokens(self.clients, settings.vtn_token_s)
        self.callbacks = callbacks
        self.delivery = Delivery(self.store, callbacks)
        self.objects = Objects(self.store, self.clients, settings.vtn_most_objects, self.delivery.ring)
        self.public_url = settings.vtn_public_url.rstrip("/")


def clients_of(settings: Settings) -> Clients:
    """The file of clients that the settings name."""
    return Clients(settings.vtn_clients or settings.data_dir / "vtn-clients.json")


@asynccontextmanager
async def opened(settings: Settings, outbox: Database, sources: Sequence[Elsewhere] = ()) -> AsyncIterator[Vtn]:
    """The VTN over a migrated database, telling subscribers and looking at `sources` until the block ends.

    Raises ClientsUnreadable.
    """
    async with Callbacks(private=settings.vtn_private_webhooks, echo=settings.vtn_webhook_echo) as callbacks:
        vtn = Vtn(settings, outbox, callbacks)
        vtn.clients.all()
        mirrors = [Mirror(vtn.store, vtn.objects, source) for source in sources]
        works: list[Any] = [vtn.delivery.run(), *(_reflect(mirror) for mirror in mirrors)]
        tasks = [asyncio.create_task(work) for work in works]
        try:
            yield vtn
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)


async def _reflect(mirror: Mirror) -> None:
    while True:
        try:
            await mirror.look()
        except (StoreUnavailable, StoreBusy) as away:
            log.warning("what stands elsewhere waits", reason=str(away))
        await asyncio.sleep(_LOOK_S)
