"""The page for people under `/docs`: made from the OpenAPI document, whole without a network."""

from __future__ import annotations

import asyncio
import re
from html import unescape
from pathlib import Path

import httpx
import pytest
from fastapi import FastAPI

from gridweave.api.app import create_app
from gridweave.api.docs import routes_page
from gridweave.api.policy import style_hash
from gridweave.services.settings import Settings


@pytest.fixture
def app(tmp_path: Path) -> FastAPI:
    settings = Settings(
        rpc_url="http://127.0.0.1:1",
        deployment=tmp_path / "deployment.json",
        data_dir=tmp_path,
        relayer_key_file=tmp_path / "relayer.json",
    )
    return create_app(settings)


def get(app: FastAPI, path: str) -> httpx.Response:
    async def ask() -> httpx.Response:
        async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://service") as client:
            return await client.get(path)

    return asyncio.run(ask())


def test_docs__opened__lists_every_route_and_links_to_the_document(app: FastAPI) -> None:
    page = get(app, "/docs").text
    listed = re.findall(r"<h2><b>(\w+)</b><code>([^<]+)</code></h2>", page)
    document = app.openapi()
    assert {(method, unescape(path)) for method, path in listed} == {
        (method.upper(), path) for path, item in document["paths"].items() for method in item
    }
    assert len(listed) > 10
    assert '<a href="/openapi.json">' in page


def test_docs__opened_without_a_network__loads_nothing(app: FastAPI) -> None:
    page = get(app, "/docs").text
    assert not re.search(r"<script|<link|<img|@import|url\(|src=", page)
    assert set(re.findall(r'href="([^"]+)"', page)) == {"/openapi.json"}


def test_docs__its_policy__allows_its_own_style_alone(app: FastAPI) -> None:
    answer = get(app, "/docs")
    (style,) = re.findall(r"<style>(.*?)</style>", answer.text, re.DOTALL)
    policy = answer.headers["Content-Security-Policy"]
    assert f"style-src {style_hash(style)};" in policy
    assert policy.startswith("default-src 'none';")


def test_root__opened__leads_to_the_docs(app: FastAPI) -> None:
    answer = get(app, "/")
    assert (answer.status_code, answer.headers["location"]) == (307, "/docs")


def test_routes_page__given_hostile_text__escapes_it() -> None:
    hostile = "<script>alert(1)</script>"
    operation = {
        "description": hostile,
        "parameters": [{"in": "query", "name": hostile, "schema": {"type": "string"}}],
        "requestBody": {"content": {"application/json": {"schema": {"$ref": "#/components/schemas/Body"}}}},
        "responses": {"200": {"description": hostile}},
    }
    page = routes_page(
        {
            "info": {"title": hostile},
            "paths": {f"/{hostile}": {"post": operation}},
            "components": {"schemas": {"Body": {"properties": {hostile: {"enum": [hostile]}}}}},
        }
    )
    assert "<script" not in page
    assert page.count("&lt;script&gt;") >= 6
