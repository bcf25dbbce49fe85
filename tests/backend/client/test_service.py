from __future__ import annotations

from pathlib import Path

import httpx
import pytest

from gridweave.client import GridweaveClient, KeystoreError
from gridweave.client.passwords import PASSWORD_ENV, PASSWORD_FILE_ENV, find_password
from tests.backend.client.simulator import CHAIN_ID, CONTRACTS, Simulator

STREAM = 'id: 7-1\nevent: cleared\ndata: {"slot": 5,\ndata: "volumeWh": 9}\n\n: heartbeat\n\nevent: block\ndata: {}\n\n'


def answering(*bodies: object) -> tuple[GridweaveClient, list[httpx.Request]]:
    left, asked = list(bodies), []

    def handle(request: httpx.Request) -> httpx.Response:
        asked.append(request)
        return httpx.Response(200, json=left.pop(0))

    return GridweaveClient("http://s", http=httpx.Client(transport=httpx.MockTransport(handle))), asked


def test_deployment__asked_for_twice__is_fetched_once(client: GridweaveClient, service: Simulator) -> None:
    assert client.deployment.chain_id == CHAIN_ID
    assert client.deployment.domain("RelayerBond").verifying_contract.lower() == CONTRACTS["RelayerBond"]
    assert len(service.seen) == 1


def test_prices__given_several_pages__reads_them_all() -> None:
    made, asked = answering({"items": [{"slot": 1}], "nextCursor": "c"}, {"items": [{"slot": 2}], "nextCursor": None})
    assert made.prices(1, 1, 2) == [{"slot": 1}, {"slot": 2}]
    assert "cursor=c" in str(asked[1].url)


def test_events__given_a_stream__yields_each_with_its_id_and_joined_data() -> None:
    seen: list[httpx.Request] = []

    def handle(request: httpx.Request) -> httpx.Response:
        seen.append(request)
        return httpx.Response(200, text=STREAM)

    made = GridweaveClient("http://s", http=httpx.Client(transport=httpx.MockTransport(handle)))
    events = list(made.events(after="6-0"))
    assert [(event.id, event.kind, event.data) for event in events] == [
        ("7-1", "cleared", {"slot": 5, "volumeWh": 9}),
        ("", "block", {}),
    ]
    assert seen[0].headers["last-event-id"] == "6-0"


def test_find_password__given_nothing__says_what_to_set() -> None:
    with pytest.raises(KeystoreError, match=PASSWORD_ENV):
        find_password(None, None, {})


def test_find_password__given_all_sources__takes_file_then_environment_then_question(tmp_path: Path) -> None:
    file = tmp_path / "secret"
    file.write_text("from file\n")
    environment = {PASSWORD_ENV: "from environment", PASSWORD_FILE_ENV: str(file)}
    assert find_password(file, None, {}) == "from file"
    assert find_password(None, None, environment) == "from file"
    assert find_password(None, None, {PASSWORD_ENV: "from environment"}) == "from environment"
    assert find_password(None, lambda: "asked", {}) == "asked"


def test_find_password__given_a_file_that_cannot_be_read__names_it(tmp_path: Path) -> None:
    with pytest.raises(KeystoreError, match="nowhere"):
        find_password(tmp_path / "nowhere", None, {})
