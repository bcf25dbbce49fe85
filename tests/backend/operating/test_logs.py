"""The log of a run: an order can be followed through it, and no secret is in it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from gridweave.api.logs import configure_logs
from gridweave.client.wallet import Wallet
from tests.backend.api.test_registry import withdrawal
from tests.support.service import served
from tests.support.town import founded

pytestmark = pytest.mark.chain

PASSWORD = "correct horse battery staple"


async def test_log__of_an_order__leads_from_the_request_to_its_transaction(tmp_path: Path) -> None:
    async with founded(tmp_path / "chain", homes=2) as town:
        relayer = town.keys["relayer"]
        Wallet(relayer.secret).save(tmp_path / "relayer.json", PASSWORD)
        (tmp_path / "password").write_text(PASSWORD)
        named = {"relayer_key_file": None, "relayer_keystore": tmp_path / "relayer.json"}
        named |= {"relayer_password_file": tmp_path / "password"}
        slot = await town.open_slot()
        order, taken = town.bid(town.homes[0], slot), withdrawal(town, town.homes[1].secret, 1, 1)
        with (tmp_path / "log").open("w", buffering=1) as stream:
            configure_logs("debug", stream)
            async with served(town, tmp_path / "s", log_level="debug", **named) as service:
                asked = {"X-Request-Id": "an-order-of-mine"}
                answer = await service.http.post("/v1/orders", json=order, headers=asked)
                id_ = answer.json()["items"][0]["id"]
                (state, _) = await service.done(id_, *await service.accept("withdrawals", taken))
                broken = await service.post("orders", town.ask(town.homes[1], slot) | {"signature": "0x" + "ee" * 64})
                assert broken.status_code >= 400
            configure_logs("info")
    lines: list[dict[str, Any]] = [json.loads(line) for line in (tmp_path / "log").read_text().splitlines()]
    accepted = next(line for line in lines if line["event"] == "accepted" and id_ in line["items"])
    assert accepted["request_id"] == "an-order-of-mine"
    signed = next(line for line in lines if line["event"] == "batch signed" and id_ in line["items"])
    mined = next(line for line in lines if line["event"] == "batch mined" and line["batch"] == signed["batch"])
    assert signed["transaction"] == mined["transaction"] == state["transaction"]
    text = (tmp_path / "log").read_text().lower()
    secrets = [relayer.secret.hex(), PASSWORD, order["signature"][2:], taken["signature"][2:], "ee" * 64]
    secrets += [home.secret.hex() for home in town.homes] + [answer.json()["items"][0]["acknowledgement"][2:]]
    assert [secret for secret in secrets if secret.lower() in text] == []
