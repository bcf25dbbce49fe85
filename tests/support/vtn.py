"""The VTN within the test's own process: clients with tokens, no sockets between test and routes."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import httpx
from fastapi import FastAPI

from gridweave.bridge.openadr.app import create_vtn
from gridweave.services.settings import Settings
from gridweave.services.vtn.clients import Role
from gridweave.services.vtn.elsewhere import Elsewhere
from gridweave.services.vtn.vtn import Vtn, clients_of, opened
from gridweave.store.database import Kind
from tests.support import stores
from tests.support.promised import Promised

CLIENTS = {"utility": Role.BL, "building": Role.VEN, "battery": Role.VEN}
Json = dict[str, Any]


@dataclass
class Knocking:
    """One client of the VTN."""

    http: httpx.AsyncClient
    id: str
    token: str

    async def ask(self, method: str, path: str, body: Any = None, **query: Any) -> httpx.Response:
        headers = {"Authorization": f"Bearer {self.token}"} if self.token else {}
        return await self.http.request(method, path, json=body, params=query, headers=headers)

    async def make(self, path: str, body: Json) -> Json:
        """The object that is created."""
        response = await self.ask("POST", path, body)
        assert response.status_code == 201, response.text
        made: Json = response.json()
        return made

    async def get(self, path: str, **query: Any) -> Any:
        """What a good answer holds."""
        response = await self.ask("GET", path, **query)
        assert response.status_code == 200, response.text
        return response.json()

    async def refused(self, method: str, path: str, body: Any = None, **query: Any) -> int:
        """The status of a refusal, whose body is a problem."""
        response = await self.ask(method, path, body, **query)
        told = response.json()
        assert told.keys() == {"title", "status", "detail"}, told
        assert told["status"] == response.status_code
        return response.status_code


@dataclass
class TestVtn:
    """A running VTN: its clients by id, `stranger` without a token."""

    __test__ = False

    vtn: Vtn
    settings: Settings
    http: httpx.AsyncClient
    secrets: dict[str, str]

    def __getattr__(self, name: str) -> Knocking:
        if name == "stranger":
            return Knocking(self.http, "", "")
        if name not in self.secrets:
            raise AttributeError(name)
        return Knocking(self.http, name, self.vtn.tokens.give("client_credentials", name, self.secrets[name]))

    async def granted(self, ven: str, *targets: str) -> Json:
        """The utility enrols a VEN of that client with these targets."""
        body = {"objectType": "BL_VEN_REQUEST", "venName": f"VEN {ven}", "clientID": ven, "targets": list(targets)}
        return await self.utility.make("/vens", body)

    async def program(self, name: str = "shed", *targets: str) -> Json:
        """A program of the utility's."""
        return await self.utility.make("/programs", {"programName": name, "targets": list(targets)})

    async def event(self, program: Json, *targets: str, **fields: Any) -> Json:
        """An event of that program."""
        body = {"programID": program["id"], "targets": list(targets), **fields}
        return await self.utility.make("/events", body)


@cache
def _made() -> tuple[FastAPI, Promised]:
    """The application, which keeps nothing, and what its document promises: both take a second to make."""
    app = create_vtn()
    return app, Promised(app.openapi())


@asynccontextmanager
async def running_vtn(folder: Path, sources: Sequence[Elsewhere] = (), **changes: Any) -> AsyncIterator[TestVtn]:
    """A VTN whose data lie in `folder`, with CLIENTS; `changes` to its settings."""
    settings = Settings.from_env({}, data_dir=folder, **stores.urls(folder), **changes)
    clients = clients_of(settings)
    known = {client.id for client in clients.all()}
    secrets = {id_: clients.add(id_, role) for id_, role in CLIENTS.items() if id_ not in known}
    database = stores.database(Kind.OUTBOX, folder)
    try:
        await database.migrate()
        app, promised = _made()
        async with opened(settings, database, sources) as vtn:
            app.state.vtn = vtn
            hooks = {"response": [promised.check]}
            transport = httpx.ASGITransport(app, raise_app_exceptions=False)
            async with httpx.AsyncClient(transport=transport, base_url="http://vtn", event_hooks=hooks) as http:
                yield TestVtn(vtn, settings, http, secrets)
    finally:
        await database.close()
