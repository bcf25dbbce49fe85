"""The check that every test's answers go through sees what it is there for."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import httpx
import pytest

from gridweave.api.app import create_app
from gridweave.services.settings import Settings
from tests.support.promised import Promised


@pytest.fixture
def promised(tmp_path: Path) -> Promised:
    return Promised(create_app(Settings(data_dir=tmp_path)).openapi())


def answer(status: int, body: Any, path: str = "/healthz", **headers: str) -> httpx.Response:
    request = httpx.Request("GET", f"http://service{path}")
    return httpx.Response(status, json=body, headers=headers, request=request)


REFUSAL = {"error": {"name": "Unavailable", "message": "later", "args": {}}, "requestId": ""}


def test_check__as_promised__passes(promised: Promised) -> None:
    asyncio.run(promised.check(answer(200, {"status": "ok"})))
    asyncio.run(promised.check(answer(503, REFUSAL, **{"Retry-After": "2"})))


@pytest.mark.parametrize(
    "found",
    [
        answer(200, {"status": "well"}),
        answer(200, {}),
        answer(418, REFUSAL),
        answer(503, REFUSAL),
        answer(503, {"detail": "later"}, **{"Retry-After": "2"}),
        httpx.Response(200, text="ok", request=httpx.Request("GET", "http://service/healthz")),
        answer(200, {"markets": []}, "/v1/markets"),
        answer(200, {"orders": "few"}, "/v1/markets/1/slots/2/book"),
    ],
    ids=range(8),
)
def test_check__not_as_promised__fails(promised: Promised, found: httpx.Response) -> None:
    with pytest.raises(AssertionError):
        asyncio.run(promised.check(found))


AT_ONCE = {"/v1/device-challenges", "/v1/device-sessions", "/v1/readings/verify"}
"""What is posted and answered at once, since nothing of it goes on chain."""


def test_document__names_the_refusals_of_every_route(promised: Promised) -> None:
    for path, item in promised.document["paths"].items():
        for method, operation in item.items():
            statuses = set(operation["responses"])
            assert statuses >= {"422", "429", "503"}, (method, path)
            taken = "200" if path in AT_ONCE else "202"
            assert method == "get" or statuses >= {taken, "403", "408", "409", "413", "415"}, path
            assert "HTTPValidationError" not in str(operation), path
