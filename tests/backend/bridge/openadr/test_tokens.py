"""Tokens are for credentials, by HTTP Basic or in the body; they end, and with their client they end at once."""

from __future__ import annotations

import time
from typing import Any
from urllib.parse import quote_plus

import httpx
import pytest

from gridweave.services.vtn.clients import ClientRefused, Clients, ClientsUnreadable, Role
from tests.support.vtn import Knocking, TestVtn

GRANT = {"grant_type": "client_credentials"}


async def fetch(vtn: TestVtn, form: dict[str, str], basic: tuple[str, str] | None = None) -> httpx.Response:
    auth = httpx.BasicAuth(*basic) if basic else None
    return await vtn.http.post("/auth/token", data=form, auth=auth)


async def test_server__asked_where_tokens_are__names_the_endpoint(vtn: TestVtn) -> None:
    assert (await vtn.http.get("/auth/server")).json() == {"tokenURL": "http://vtn/auth/token"}
    assert (await vtn.http.get("/auth/server", headers={"Host": "a b<c"})).status_code == 400


@pytest.mark.parametrize("by", ["basic", "body"])
async def test_token__for_credentials__opens_the_routes(vtn: TestVtn, by: str) -> None:
    credentials = ("building", vtn.secrets["building"])
    if by == "basic":
        answer = await fetch(vtn, GRANT, (quote_plus(credentials[0]), quote_plus(credentials[1])))
    else:
        answer = await fetch(vtn, GRANT | {"client_id": credentials[0], "client_secret": credentials[1]})
    assert answer.status_code == 200
    token = answer.json()
    assert (token["token_type"], token["expires_in"]) == ("Bearer", 3_600)
    assert answer.headers["cache-control"] == "no-store"
    assert await Knocking(vtn.http, "building", token["access_token"]).get("/programs") == []


@pytest.mark.parametrize(
    ("form", "basic", "told"),
    [
        (GRANT, ("building", "wrong"), (401, "invalid_client")),
        (GRANT, ("nobody", "wrong"), (401, "invalid_client")),
        (GRANT | {"client_id": "building", "client_secret": "wrong"}, None, (401, "invalid_client")),
        (GRANT, None, (401, "invalid_client")),
        ({"client_id": "building", "client_secret": "wrong"}, None, (400, "invalid_request")),
        ({"grant_type": "password"}, ("building", "wrong"), (400, "unsupported_grant_type")),
        (GRANT | {"client_secret": "twice"}, ("building", "wrong"), (400, "invalid_request")),
    ],
)
async def test_token__for_anything_else__is_refused_as_rfc_6749_says(
    vtn: TestVtn, form: dict[str, str], basic: tuple[str, str] | None, told: tuple[int, str]
) -> None:
    answer = await fetch(vtn, form, basic)
    assert (answer.status_code, answer.json()["error"]) == told


async def test_routes__without_a_token_or_with_another__are_closed(vtn: TestVtn) -> None:
    token = vtn.building.token
    parts = token.split("~")
    forged = f"utility~{parts[1]}~{parts[2]}"
    longer = f"{parts[0]}~{int(parts[1]) + 9}~{parts[2]}"
    for wrong in ("", "x", forged, longer, token[:-1], f"{parts[0]}~é~{parts[2]}"):
        assert await refused(vtn, wrong) == 401
    answer = await vtn.http.get("/programs")
    assert answer.headers["www-authenticate"].startswith("Bearer")


async def refused(vtn: TestVtn, token: str) -> int:
    headers = {"Authorization": f"Bearer {token}".encode()}
    return (await vtn.http.get("/programs", headers=headers)).status_code


async def test_token__after_its_time__is_none(vtn: TestVtn, monkeypatch: pytest.MonkeyPatch) -> None:
    token = vtn.building.token
    assert await refused(vtn, token) == 200
    monkeypatch.setattr(vtn.vtn.tokens, "_now", lambda: time.time() + vtn.settings.vtn_token_s)
    assert await refused(vtn, token) == 401


async def test_token__of_a_client_that_is_removed_or_has_another_secret__is_none(
    vtn: TestVtn, monkeypatch: pytest.MonkeyPatch
) -> None:
    token = vtn.building.token
    others = Clients(vtn.vtn.clients.file)
    others.remove("building")
    monkeypatch.setattr(vtn.vtn.clients, "_look_at", 0.0)
    assert await refused(vtn, token) == 401
    others.add("building", Role.VEN)
    monkeypatch.setattr(vtn.vtn.clients, "_look_at", 0.0)
    assert await refused(vtn, token) == 401, "of the same name, another client"


def test_clients__as_they_should_not_be__are_refused_and_the_file_stays(tmp_path: Any) -> None:
    clients = Clients(tmp_path / "clients.json")
    secret = clients.add("one", Role.VEN, "ONE")
    assert clients.file.stat().st_mode & 0o077 == 0
    assert secret not in clients.file.read_text()
    before = clients.file.read_bytes()
    for wrong in ("", "a/b", "a~b", "x" * 129, "one"):
        with pytest.raises(ClientRefused):
            clients.add(wrong, Role.VEN)
    for wrong in (("two", Role.VEN, "ONE"), ("two", Role.BL, "TWO")):
        with pytest.raises(ClientRefused):
            clients.add(*wrong)
    with pytest.raises(ClientRefused):
        clients.remove("two")
    assert clients.file.read_bytes() == before
    clients.file.write_text("[]")
    with pytest.raises(ClientsUnreadable):
        clients.all()
