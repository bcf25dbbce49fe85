"""What is away, and what does not belong together."""

from __future__ import annotations

import asyncio
from pathlib import Path

import httpx
import pytest
from starlette.types import Message, Receive, Scope, Send

from gridweave.api import create_app
from gridweave.api.limits import READS, UNCOUNTED, RateLimit
from gridweave.chain import Node
from gridweave.chain.hexes import to_hex
from gridweave.deployment import Deployment
from gridweave.services.belonging import WrongChain
from gridweave.services.settings import Settings, SettingsInvalid
from gridweave.store.errors import StoreBusy, StoreMismatch
from tests.support.service import served, settings_of
from tests.support.town import founded

pytestmark = pytest.mark.chain


class Switch:
    """A network to the node that can be cut."""

    def __init__(self, url: str) -> None:
        self.cut = False
        self._url = url
        self._http = httpx.AsyncClient(trust_env=False)

    async def post(self, content: bytes) -> tuple[int, bytes]:
        if self.cut:
            raise ConnectionResetError("cut")
        answer = await self._http.post(self._url, content=content, headers={"Content-Type": "application/json"})
        return answer.status_code, answer.content


async def test_service__node_away__still_accepts_orders_and_answers_503_where_it_must_ask(tmp_path: Path) -> None:
    async with founded(tmp_path / "chain", homes=2) as town:
        switch = Switch(town.chain.url)
        app = create_app(settings_of(town, tmp_path / "s"), chain=Node(town.chain.url, post=switch.post))
        async with app.router.lifespan_context(app):
            transport = httpx.ASGITransport(app, raise_app_exceptions=False)
            async with httpx.AsyncClient(transport=transport, base_url="http://service") as http:
                while (await http.get("/readyz")).status_code != 200:  # noqa: ASYNC110 - it offers no event
                    await asyncio.sleep(0.05)
                switch.cut = True
                account = await http.get(f"/v1/accounts/{town.homes[0].account}")
                assert (account.status_code, account.json()["error"]["name"]) == (503, "Unavailable")
                assert int(account.headers["Retry-After"]) > 0
                order = town.bid(town.homes[0], await town.open_slot())
                accepted = await http.post("/v1/orders", json=order)
                assert accepted.status_code == 202
                switch.cut = False
                id_ = accepted.json()["items"][0]["id"]
                async with asyncio.timeout(15):
                    while (await http.get(f"/v1/orders/{id_}")).json()["status"] != "committed":
                        await town.chain.mine()
                        await asyncio.sleep(0.1)


async def test_service__what_does_not_belong_together__refuses_to_start(tmp_path: Path) -> None:
    async with founded(tmp_path / "one", homes=0) as town:
        async with served(town, tmp_path / "s"):
            pass
        async with founded(tmp_path / "two", homes=0) as other:
            wrong_node = settings_of(town, tmp_path / "s", rpc_url=other.chain.url)
            foreign_outbox = settings_of(other, tmp_path / "s")
            no_record = settings_of(town, tmp_path / "s", deployment=tmp_path / "none.json")
            for settings, refusal in (
                (wrong_node, WrongChain),
                (foreign_outbox, StoreMismatch),
                (no_record, SettingsInvalid),
            ):
                app = create_app(settings)
                with pytest.raises(refusal):
                    async with app.router.lifespan_context(app):
                        pass
                assert isinstance(app.state.refusal, refusal)


async def test_service__on_an_outbox_that_another_works_with__refuses_to_start_until_that_ends(tmp_path: Path) -> None:
    async with founded(tmp_path / "chain", homes=0) as town:
        second = create_app(settings_of(town, tmp_path / "s"))
        async with served(town, tmp_path / "s"):
            with pytest.raises(StoreBusy, match=r"works with .*outbox.*: give each a .* and a key"):
                async with second.router.lifespan_context(second):
                    pass
        async with served(town, tmp_path / "s"):
            pass


async def test_service__on_an_index_that_another_works_with__refuses_to_start_and_lets_go_of_its_outbox(
    tmp_path: Path,
) -> None:
    async with founded(tmp_path / "chain", homes=0) as town:
        first = settings_of(town, tmp_path / "s")
        second = settings_of(town, tmp_path / "other", index_url=first.index_url)
        async with served(town, tmp_path / "s"):
            app = create_app(second)
            with pytest.raises(StoreBusy, match=r"works with .*index.*: give each a "):
                async with app.router.lifespan_context(app):
                    pass
        async with served(town, tmp_path / "other", index_url=first.index_url):
            pass


async def test_service__that_did_not_start__holds_no_outbox(tmp_path: Path) -> None:
    async with founded(tmp_path / "one", homes=0) as town, founded(tmp_path / "two", homes=0) as other:
        async with served(town, tmp_path / "s"):
            pass
        foreign = create_app(settings_of(other, tmp_path / "s"))
        with pytest.raises(StoreMismatch):
            async with foreign.router.lifespan_context(foreign):
                pass
        async with served(town, tmp_path / "s"):
            pass


async def test_service__rate_limited__answers_429_with_retry_after(tmp_path: Path) -> None:
    async with (
        founded(tmp_path / "chain", homes=1) as town,
        served(town, tmp_path / "s", rate_limit_per_s=3) as service,
    ):
        answers = [await service.post("orders", {"orders": []}) for _ in range(40)]
        assert {answer.status_code for answer in answers[:3]} == {422}
        refused = next(answer for answer in answers if answer.status_code != 422)
        assert (refused.status_code, refused.headers["Retry-After"]) == (429, "1")
        assert refused.json()["error"]["name"] == "RateLimited"
        assert (await service.http.get("/healthz")).status_code == 200


async def test_service__read_too_often__answers_429_and_still_says_how_it_is(tmp_path: Path) -> None:
    async with (
        founded(tmp_path / "chain", homes=1) as town,
        served(town, tmp_path / "s", read_limit_per_s=3) as service,
    ):
        answers = [await service.http.get("/v1/markets") for _ in range(40)]
        assert {answer.status_code for answer in answers[:3]} == {200}
        refused = next(answer for answer in answers if answer.status_code != 200)
        assert (refused.status_code, refused.headers["Retry-After"]) == (429, "1")
        assert refused.json()["error"]["name"] == "RateLimited"
        for path in ("/healthz", "/readyz", "/metrics"):
            assert {(await service.http.get(path)).status_code for _ in range(9)} == {200}
        assert (await service.post("orders", {"orders": []})).status_code == 422, "writes have a limit of their own"


async def test_rate_limit__the_stream_of_events__is_not_counted() -> None:
    reached: list[str] = []

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        reached.append(scope["path"])

    async def silent(*_: object) -> Message:
        return {"type": "http.request"}

    limit = RateLimit(app, per_second=1, methods=READS, free=UNCOUNTED)
    for path in ["/v1/events"] * 9 + ["/v1/markets"] * 9:
        await limit({"type": "http", "method": "GET", "path": path, "client": ("a", 1)}, silent, silent)
    assert reached == ["/v1/events"] * 9 + ["/v1/markets"]


def test_settings__a_wrong_value__is_one_clear_message() -> None:
    with pytest.raises(SettingsInvalid, match="GRIDWEAVE_PORT"):
        Settings.from_env({"GRIDWEAVE_PORT": "http"})


def test_settings__from_the_environment__derive_the_databases(tmp_path: Path) -> None:
    settings = Settings.from_env(
        {"GRIDWEAVE_DATA_DIR": str(tmp_path), "GRIDWEAVE_CORS_ORIGINS": "https://a, https://b"}
    )
    assert settings.outbox_url == f"sqlite+aiosqlite:///{tmp_path}/outbox.db"
    assert settings.cors_origins == ("https://a", "https://b")


async def test_deployment__as_served__is_what_the_record_says(tmp_path: Path) -> None:
    async with founded(tmp_path / "chain", homes=1) as town, served(town, tmp_path / "s") as service:
        shown = await service.get("deployment")
        record = Deployment.load(town.chain.home.deployment_file)
        assert shown["contracts"] == record.addresses
        assert shown["genesisHash"] == to_hex(await town.chain.node.genesis_hash())
        assert shown["relayer"] == town.keys["relayer"].address
        assert shown["chainTime"] == await town.now()
