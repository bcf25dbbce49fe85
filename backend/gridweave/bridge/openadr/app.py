"""The VTN as an application of its own, with a document of its own, and as a door of the service."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import Any

from fastapi import APIRouter, FastAPI

from gridweave.bridge.openadr import auth, notifiers, searches, shapes
from gridweave.bridge.openadr.crud import crud
from gridweave.bridge.openadr.problems import install_problems
from gridweave.services.settings import Settings
from gridweave.services.vtn.elsewhere import Elsewhere
from gridweave.services.vtn.kinds import Kind
from gridweave.services.vtn.vtn import Vtn, opened
from gridweave.store.database import Database

__all__ = ["PATH", "VtnDoor", "create_vtn"]

PATH = "/openadr3/3.1.0"


def create_vtn() -> FastAPI:
    """The application; `state.vtn` is what it answers from."""
    app = FastAPI(
        title="Gridweave VTN",
        description="OpenADR 3.1 over the service's events",
        version="3.1.0",
        docs_url=None,
        redoc_url=None,
    )
    install_problems(app)
    router = APIRouter()
    crud(router, Kind.PROGRAM, shapes.ProgramRequest, shapes.Program)
    crud(router, Kind.EVENT, shapes.EventRequest, shapes.Event)
    crud(router, Kind.REPORT, shapes.ReportRequest, shapes.Report)
    crud(router, Kind.SUBSCRIPTION, shapes.SubscriptionRequest, shapes.Subscription, _callbacks_answer)
    crud(router, Kind.VEN, shapes.VenRequest, shapes.Ven)
    crud(router, Kind.RESOURCE, shapes.ResourceRequest, shapes.Resource)
    for each in (searches.router, router, auth.router, notifiers.router):
        app.include_router(each)
    return app


class VtnDoor:
    """The VTN under `path`, open as long as the service is. `sources`: where more programs and events are born."""

    path = PATH
    forms = frozenset({f"{PATH}{auth.PATH}"})
    """Where forms are posted instead of JSON."""

    def __init__(self, settings: Settings, sources: Sequence[Elsewhere] = ()) -> None:
        self.application = create_vtn()
        self._settings, self._sources = settings, sources

    @asynccontextmanager
    async def open(self, outbox: Database) -> AsyncIterator[None]:
        """Answers from the outbox's database. Raises ClientsUnreadable."""
        async with opened(self._settings, outbox, self._sources) as vtn:
            self.application.state.vtn = vtn
            try:
                yield
            finally:
                self.application.state.vtn = None


async def _callbacks_answer(vtn: Vtn, body: Mapping[str, Any]) -> None:
    await vtn.callbacks.check(wish["callbackUrl"] for wish in body["objectOperations"])
