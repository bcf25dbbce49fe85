"""A town with a past, and what is real in it: ids, slots, and a signed body for every route that takes one."""

from __future__ import annotations

import re
from typing import Any

import httpx

from fuzzing.devices import live_devices
from fuzzing.firmware import live_firmware
from fuzzing.telemetry import live_streams
from gridweave.domain.signatures import address_of
from tests.support.acts import Acts, Party, Posted
from tests.support.process import ServiceProcess, until
from tests.support.town import Town, draw_home

__all__ = ["Facts", "live"]

_WEEKS = 15 * 86_400
"""Longer than a bond takes to leave, seconds."""

_NAMED = (
    ("devices", "device"),
    ("device-batches", "root"),
    ("streams", "stream"),
    ("models", "model"),
    ("releases", "counter"),
)
"""What stands behind which part of a path."""

Facts = dict[str, dict[str, list[Any]]]


async def live(town: Town, service: ServiceProcess) -> Facts:
    """Trades two slots, settles one, posts a bond; then signs what the fuzzer may post."""
    async with httpx.AsyncClient(base_url=f"{service.url}/v1", timeout=20, trust_env=False) as http:
        past, now = await _trade(town, http)
        devices, posted, roots = await live_devices(town, http)
        of_streams, streams = await live_streams(town, http)
        of_firmware, firmware = await live_firmware(town, http)
        now = await town.open_slot(1)
        bodies = await _bodies(town, now)
        ids = [posted["id"] for posted in (await http.get("/orders", params={"meter": 1})).json()["items"]]
    values: dict[str, list[Any]] = {
        "market": [town.market],
        "meter": [home.meter for home in town.homes],
        "slot": [past, now, now + 1],
        "from": [past],
        "to": [past, now],
        "device": [*(home.key.device for home in town.homes), *(key.device for key in devices)],
        "asset": [1],
        "root": ["0x" + root.hex() for root in roots],
        "address": [*(home.account for home in town.homes), town.keys["utility"].address],
        "account": [home.account for home in town.homes],
        "relayer": [town.keys["relayer"].address],
        "digest": ids,
        "limit": [1, 1_000],
    }
    for named in (of_streams, of_firmware):
        for name, found in named.items():
            values.setdefault(name, []).extend(found)
    for each in (*posted, *streams, *firmware):
        bodies.setdefault(f"POST /v1/{_documented(each.path)}", []).append(each.body)
    return {"values": values, "bodies": bodies}


async def _trade(town: Town, http: httpx.AsyncClient) -> tuple[int, int]:
    """(a settled slot, an open one), orders and their readings on chain."""
    await _left_bond(town)
    slot = await town.open_slot()
    buyer, seller, *_ = town.homes
    await _commit(http, "orders", [town.bid(buyer, slot), town.ask(seller, slot), town.bid(buyer, slot + 5)])
    await town.chain.mine(town.terms.gate(slot, town.clock))
    await town.send([town.contracts.auction.clear(town.market, slot)])
    await town.chain.mine(town.clock.end(slot))
    readings = [town.reading(buyer, slot, 900, 0), town.reading(seller, slot, 0, 1_200)]
    await _commit(http, "readings", readings)
    return slot, await town.open_slot(1)


async def _left_bond(town: Town) -> None:
    """A bond, part of which can be redeemed, and tokens that can be deposited."""
    acts, sponsor, relayer = Acts(town), _party(town, "utility"), town.keys["relayer"].address
    bonds = acts.bond(sponsor.account, sponsor, relayer, 1_000), acts.unbond(sponsor.account, sponsor, relayer)
    tokens = town.contracts.currency.mint(town.homes[0].account, 1_000)
    await town.send([tokens, *(posted.call for posted in bonds if posted.call is not None)])
    await town.chain.mine(await town.now() + _WEEKS)


async def _commit(http: httpx.AsyncClient, path: str, bodies: list[dict[str, Any]]) -> None:
    """Posts, once the index has caught up, and waits until the chain has it."""

    async def taken() -> list[str]:
        answer = await http.post(path, json={path: bodies})
        return [item["id"] for item in answer.json()["items"]] if answer.status_code == 202 else []

    async def on_chain() -> bool:
        states = [(await http.get(f"/requests/{id_}")).json()["status"] for id_ in ids]
        return "accepted" not in states

    ids = await until(taken)
    await until(on_chain)


def _party(town: Town, role: str) -> Party:
    return Party(role, town.keys[role].secret)


async def _bodies(town: Town, slot: int) -> dict[str, list[Any]]:
    """Signed bodies by route, as the document names them."""
    acts, (home, other, third, *_) = Acts(town), town.homes
    owner, operator, maker, utility = (
        Party("owner", home.secret),
        *(_party(town, r) for r in ("operator", "maker", "utility")),
    )
    fresh, key = draw_home(700)
    relayer = town.keys["relayer"].address
    ahead = town.clock.slot_at(await town.now()) + 195
    made: dict[str, list[Posted]] = {
        "orders": [acts.order(home, owner, slot + n) for n in range(3)],
        "cancels": [acts.cancel(home, owner, slot + 9)],
        "schedules": [acts.schedule(home, owner, slot + n) for n in range(3)],
        "cancel-schedules": [acts.cancel_schedule(home, owner, slot + 10)],
        "delegations": [acts.delegation(home.account, owner, other.account)],
        "readings": [acts.reading(home, home.key, slot - 2)],
        "devices": [acts.enrolment(key, address_of(fresh), maker)],
        "devices/{device}/status": [acts.status(home.key.device, owner)],
        "meters": [acts.meter(key.device, address_of(fresh), operator)],
        "meter-moves": [acts.meter_move(other.key.device, other.account, operator, ahead)],
        "meters/{meter}/end": [acts.meter_end(each.meter, operator, ahead) for each in (home, third)],
        "assets": [acts.asset(home.meter, operator)],
        "markets": [acts.market(operator, utility)],
        "markets/{market}/terms": [acts.terms(town.market, operator, utility, ahead)],
        "deposits": [acts.deposit(home.account, owner, 1)],
        "withdrawals": [acts.withdrawal(home.account, owner)],
        "bonds": [acts.bond(utility.account, utility, relayer)],
        "bonds/unbond": [acts.unbond(utility.account, utility, relayer)],
        "bonds/redeem": [acts.redeem(utility.account, relayer)],
    }
    return {f"POST /v1/{path}": [_as_documented(path, each.body) for each in found] for path, found in made.items()}


def _documented(path: str) -> str:
    """The path with its parameters' names in place of their values."""
    for before, name in _NAMED:
        path = re.sub(rf"(?<=\b{before}/)(0x[0-9a-fA-F]+|[0-9]+)", f"{{{name}}}", path)
    return path


def _as_documented(path: str, body: dict[str, Any]) -> dict[str, Any]:
    return {path: [body]} if path in ("orders", "cancels", "readings") else body
