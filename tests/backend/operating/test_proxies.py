"""Who counts as one client: the address behind a trusted proxy, and nobody else's word for it."""

from __future__ import annotations

from pathlib import Path

import httpx
import pytest

from gridweave.api import create_app
from gridweave.services.settings import Settings, SettingsInvalid


def client(tmp_path: Path, address: str) -> httpx.AsyncClient:
    """Somebody at that address, before a service that trusts 10.1.0.0/16 and lets each read twice a second."""
    given = Settings.from_env({"GRIDWEAVE_TRUSTED_PROXIES": "10.1.0.0/16, 192.0.2.7"}, read_limit_per_s=2)
    transport = httpx.ASGITransport(create_app(given), client=(address, 1))
    return httpx.AsyncClient(transport=transport, base_url="http://service")


async def statuses(http: httpx.AsyncClient, forwarded: list[str]) -> set[int]:
    return {(await http.get("/docs", headers={"X-Forwarded-For": each})).status_code for each in forwarded}


MANY = [f"203.0.113.{at}" for at in range(20)]


async def test_rate_limit__forwarded_by_a_trusted_proxy__counts_each_client(tmp_path: Path) -> None:
    async with client(tmp_path, "10.1.2.3") as proxy:
        assert await statuses(proxy, MANY) == {200}
        assert 429 in await statuses(proxy, ["203.0.113.77"] * 20)


async def test_rate_limit__forwarded_by_anybody_else__counts_who_asks(tmp_path: Path) -> None:
    async with client(tmp_path, "198.51.100.1") as stranger:
        assert 429 in await statuses(stranger, MANY)


async def test_rate_limit__an_address_put_before_the_proxys_word__does_not_count(tmp_path: Path) -> None:
    async with client(tmp_path, "192.0.2.7") as proxy:
        assert 429 in await statuses(proxy, [f"{made_up}, 203.0.113.5" for made_up in MANY])


def test_settings__a_proxy_that_is_no_address__names_the_variable() -> None:
    with pytest.raises(SettingsInvalid, match="GRIDWEAVE_TRUSTED_PROXIES"):
        Settings.from_env({"GRIDWEAVE_TRUSTED_PROXIES": "proxy.example"})
