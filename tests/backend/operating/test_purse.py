"""A relayer that runs out of gas money: told in time, and nothing is promised that it could not pay for."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import Any

import pytest

from gridweave.api.logs import configure_logs
from tests.support.service import Service, served
from tests.support.town import founded

pytestmark = pytest.mark.chain

GWEI = 10**9
ORDER_GAS = 350_000
"""The most that one order alone may take."""


async def give(service: Service, wei: int) -> None:
    """Sets the relayer's balance and waits until the service has seen it."""
    relayer = service.runtime.world.relayer.address
    await service.town.chain.node.request("anvil_setBalance", relayer, hex(wei))

    async def seen() -> bool:
        state = service.runtime.world.purse.state
        return state is not None and state.balance == wei

    await service.until(seen)


def told(log: Path) -> list[dict[str, Any]]:
    return [line for line in map(json.loads, log.read_text().splitlines()) if "balance" in line["event"]]


async def test_purse__balance_falls_and_rises__is_told_once_each_time(tmp_path: Path) -> None:
    with (tmp_path / "log").open("w", buffering=1) as stream:
        configure_logs("info", stream)
        async with (
            founded(tmp_path / "chain", homes=0) as town,
            served(town, tmp_path / "s", relayer_low_orders=100, priority_fee_wei=GWEI) as service,
        ):
            await give(service, 99 * 75_000 * GWEI)
            for _ in range(3):
                await service.runtime.world.purse.look()
            ready = await service.http.get("/readyz")
            assert (ready.status_code, ready.json()["warnings"]) == (200, ["the relayer's balance is low"])
            await give(service, 10**20)
            assert (await service.http.get("/readyz")).json()["warnings"] == []
        configure_logs("info")
    assert [line["level"] for line in told(tmp_path / "log")] == ["warning", "info"]


async def test_orders__the_relayer_cannot_pay_for__are_refused_and_those_accepted_are_kept(tmp_path: Path) -> None:
    async with (
        founded(tmp_path / "chain", homes=6) as town,
        served(town, tmp_path / "s", priority_fee_wei=GWEI, finality_depth=2) as service,
    ):
        slot = await town.open_slot()
        orders = [town.bid(home, slot, 100) for home in town.homes]
        await service.runtime.world.purse.look()
        state = service.runtime.world.purse.state
        assert state is not None
        await give(service, 5 * ORDER_GAS * state.fee // 2)
        answer = await service.post("orders", {"orders": orders})
        assert answer.status_code == 207
        items = answer.json()["items"]
        accepted = [item["id"] for item in items if "error" not in item]
        refused = {item["error"]["name"] for item in items if "error" in item}
        assert 1 <= len(accepted) < len(orders)
        assert refused == {"RelayerOutOfFunds"}
        alone = await service.post("orders", orders[-1])
        assert (alone.status_code, alone.json()["error"]["name"]) == (503, "RelayerOutOfFunds")
        assert int(alone.headers["Retry-After"]) > 0
        assert (await service.post("orders", orders[0])).status_code == 202, "known already: the same answer"
        assert {state["status"] for state in await service.done(*accepted)} == {"committed"}
        await give(service, 10**20)
        later = await service.accept("orders", orders[-1])
        assert (await service.done(*later))[0]["status"] == "committed"


async def test_orders__in_requests_at_once__are_not_promised_beyond_the_balance(tmp_path: Path) -> None:
    async with (
        founded(tmp_path / "chain", homes=6) as town,
        served(town, tmp_path / "s", priority_fee_wei=GWEI) as service,
    ):
        slot = await town.open_slot()
        orders = [town.bid(home, slot, 100) for home in town.homes]
        await service.runtime.world.purse.look()
        state = service.runtime.world.purse.state
        assert state is not None
        await give(service, 5 * ORDER_GAS * state.fee // 2)
        answers = await asyncio.gather(*(service.post("orders", order) for order in orders))
        assert 1 <= [answer.status_code for answer in answers].count(202) < len(orders)


async def test_orders__accepted_before_the_money_is_gone__arrive_once_there_is_some(tmp_path: Path) -> None:
    async with (
        founded(tmp_path / "chain", homes=2) as town,
        served(town, tmp_path / "s", priority_fee_wei=GWEI, batch_window_ms=1_000) as service,
    ):
        relayer = service.runtime.world.relayer.address
        (id_,) = await service.accept("orders", town.bid(town.homes[0], await town.open_slot()))
        await town.chain.node.request("anvil_setBalance", relayer, "0x0")

        async def refused_by_node() -> bool:
            return service.runtime.tally.refused_by_node > 0 and service.runtime.world.purse.is_empty

        await service.until(refused_by_node)
        assert (await service.status(id_))["status"] == "accepted"
        assert "cannot pay" in (await service.http.get("/readyz")).json()["warnings"][0]
        await give(service, 10**20)
        assert (await service.done(id_))[0]["status"] == "committed"
