"""The page for people: from here alone, and true."""

from __future__ import annotations

import json
import re
import subprocess
from pathlib import Path
from typing import Any

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


_BROWSER = """
const made = () => ({ textContent: "", className: "", children: [],
  append(...more) { this.children.push(...more); }, replaceChildren(...these) { this.children = these; } });
const shown = {};
globalThis.document = { getElementById: (id) => (shown[id] ??= made()), createElement: made };
globalThis.fetch = async () => ({ ok: true, json: async () => (ANSWER) });
globalThis.setTimeout = () => process.stdout.write(JSON.stringify(shown));
"""
"""As much of one as the page's script asks for; what it shows is printed."""


def shown(script: str, answer: dict[str, Any]) -> dict[str, Any]:
    """What the page shows by id when the service answers so."""
    program = _BROWSER.replace("ANSWER", json.dumps(answer)) + script.replace('"use strict";', "")
    done = subprocess.run(["node", "-e", program], capture_output=True, text=True, check=True)
    found: dict[str, Any] = json.loads(done.stdout)
    return found


async def test_page__given_the_balance_of_a_development_chain__says_more_than_a_million(tmp_path: Path) -> None:
    async with founded(tmp_path / "chain", homes=0) as town, served(town, tmp_path / "s") as service:

        async def known() -> bool:
            return (await service.get("operations"))["relayer"]["ordersLeft"] is not None

        await service.until(known)
        answer = await service.get("operations")
        script = (await service.http.get("/operations.js")).text
        assert answer["relayer"]["ordersLeft"] > 10**9
        seen = shown(script, answer)
        assert seen["orders"]["textContent"] == "over a million"
        assert "over a million orders" in [line["children"][1]["textContent"] for line in seen["relayer"]["children"]]
        few = answer | {"relayer": answer["relayer"] | {"ordersLeft": 123_456}}
        assert shown(script, few)["orders"]["textContent"] == "123,456"
        unknown = answer | {"relayer": answer["relayer"] | {"ordersLeft": None}}
        assert shown(script, unknown)["orders"]["textContent"] == "–"


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
