"""The page for people: from here alone, and true."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.support.service import served
from tests.support.town import founded

pytestmark = pytest.mark.chain


async def test_operations__of_a_service_that_cleared__shows_what_it_stands_on(tmp_path: Path) -> None:
    async with founded(tmp_path / "chain", homes=2) as town, served(town, tmp_path / "s", keeper=True) as service:
        slot = await town.open_slot()
        ids = await service.accept("orders", {"orders": [town.bid(town.homes[0], slot), town.ask(town.homes[1], slot)]})
        seen = await service.get("operations")
        assert {(row["kind"], row["status"], row["count"]) for row in seen["outbox"]["items"]} == {
            ("order", "accepted", 2)
        }
        await service.done(*ids)
        await service.travel(town.clock.start(slot))

        async def cleared() -> bool:
            return bool((await service.get("operations"))["markets"])

        await service.until(cleared, mine=True)
        await service.caught_up()
        shown = await service.get("operations")
        assert (shown["ready"], shown["reason"], shown["warnings"]) == (True, None, [])
        assert [(market["market"], market["slot"]) for market in shown["markets"]] == [(1, slot)]
        assert shown["markets"][0]["priceMicroPerKwh"] > 0
        assert shown["chain"]["headBlock"] - shown["chain"]["indexedBlock"] == shown["chain"]["lagBlocks"]
        assert shown["relayer"]["address"] == town.keys["relayer"].address
        assert int(shown["relayer"]["balanceWei"]) > 10**20


async def test_page__as_served__loads_nothing_from_elsewhere(tmp_path: Path) -> None:
    async with founded(tmp_path / "chain", homes=0) as town, served(town, tmp_path / "s") as service:
        page = await service.http.get("/operations")
        assert page.status_code == 200
        assert "default-src 'none'" in page.headers["Content-Security-Policy"]
        named = re.findall(r'(?:src|href)="([^"]+)"', page.text)
        assert named
        for path in named:
            part = await service.http.get(path)
            assert part.status_code == 200
            assert "unsafe-inline" not in part.headers["Content-Security-Policy"]
            assert not re.search(r"https?://|@import|url\(", part.text)
        assert not re.search(r"<style|<script>| style=| on[a-z]+=", page.text)
