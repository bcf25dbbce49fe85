"""Each filter gives what a stranger finds by reading every log of the chain."""

from __future__ import annotations

import random
from dataclasses import fields
from typing import Any

import pytest

from gridweave.api.fields import camel
from gridweave.chain.abi import snake_case
from gridweave.chain.errors import error_name
from gridweave.chain.events import Event, Placed
from gridweave.chain.hexes import to_hex
from gridweave.domain.orders import Order
from tests.support.service import Service
from tests.support.told import Told

pytestmark = [pytest.mark.chain, pytest.mark.asyncio(loop_scope="session")]

KINDS = ("contract", "event", "account", "device", "meter", "market", "transaction")
Question = dict[str, Any]


async def pages(service: Service, limit: int = 1_000, **params: Any) -> list[dict[str, Any]]:
    """Every row, page by page."""
    found: list[dict[str, Any]] = []
    cursor = None
    while True:
        asked = params | {"limit": limit} | ({"cursor": cursor} if cursor else {})
        page = await service.get("history", **asked)
        assert len(page["items"]) <= limit
        found += page["items"]
        cursor = page["nextCursor"]
        if cursor is None:
            return found


async def places(service: Service, limit: int = 1_000, **params: Any) -> list[tuple[int, int]]:
    return [(row["block"], row["logIndex"]) for row in await pages(service, limit, **params)]


def where(told: list[Told], **kinds: Any) -> list[tuple[int, int]]:
    """Places of logs that name, of each kind, one of the values."""
    return [each.place for each in told if all(any((k, v) in each.names for v in vs) for k, vs in kinds.items())]


def values(told: list[Told], kind: str) -> list[Any]:
    return sorted({value for each in told for named, value in each.names if named == kind})


async def test_history__without_filters__is_every_log_of_every_contract(service: Service, told: list[Told]) -> None:
    rows = await pages(service)
    assert [(row["block"], row["logIndex"]) for row in rows] == [each.place for each in told]
    for row, each in zip(rows, told, strict=True):
        event = each.event
        assert row["event"] == type(event).__name__
        assert row["contract"] == service.town.deployment.every_address[event.contract]
        assert (row["address"], row["time"]) == (event.contract, each.time)
        assert (row["transaction"], row["blockHash"]) == (to_hex(event.transaction_hash), to_hex(event.block_hash))
        assert row["final"] == (row["block"] <= service.runtime.world.heads.final)


@pytest.mark.parametrize("kind", KINDS)
async def test_history__by_any_value_of_a_kind__is_what_the_logs_name(
    service: Service, told: list[Told], kind: str
) -> None:
    found = values(told, kind)
    assert found
    for value in found:
        assert await places(service, **{kind: value}) == where(told, **{kind: [value]}), value


async def test_history__by_slots__is_what_the_logs_name(service: Service, told: list[Told]) -> None:
    first, second = values(told, "slot")[:2]
    for since, until in ((first, first), (second, second), (first, second), (second + 1, second + 50)):
        wanted = where(told, slot=range(since, until + 1))
        assert await places(service, fromSlot=since, toSlot=until) == wanted
    assert await places(service, fromSlot=first, toSlot=first)


async def test_history__by_times_and_blocks__includes_both_ends(service: Service, told: list[Told]) -> None:
    some = told[len(told) // 3], told[len(told) // 2]
    since, until = (each.time for each in some)
    assert await places(service, fromTime=since, toTime=until) == [t.place for t in told if since <= t.time <= until]
    low, high = (each.place[0] for each in some)
    assert await places(service, fromBlock=low, toBlock=high) == [t.place for t in told if low <= t.place[0] <= high]
    assert await places(service, fromTime=told[-1].time + 1) == []
    assert await places(service, toTime=1) == []


async def test_history__only_final__stops_there(service: Service, told: list[Told]) -> None:
    final = service.runtime.world.heads.final
    wanted = [each.place for each in told if each.place[0] <= final]
    assert await places(service, final=True) == wanted
    assert len(wanted) < len(told)


async def test_history__random_combinations__are_what_the_logs_name(
    service: Service, told: list[Told], rng: random.Random
) -> None:
    some = 0
    for _ in range(60):
        kinds = rng.sample([*KINDS, "slot"], rng.randint(2, 3))
        of = rng.choice(told).names
        asked: dict[str, list[Any]] = {}
        for kind in kinds:
            own = [value for named, value in of if named == kind]
            asked[kind] = sorted({*own[:1], *rng.sample(values(told, kind), min(2, len(values(told, kind))))})
        params: Question = {kind: found for kind, found in asked.items() if kind != "slot"}
        if "slot" in asked:
            span = range(asked["slot"][0], asked["slot"][-1] + 1)
            params |= {"fromSlot": span[0], "toSlot": span[-1]}
            asked["slot"] = list(span)
        found = await places(service, rng.choice((1, 3, 50, 1_000)), **params)
        assert found == where(told, **asked), asked
        some += bool(found)
    assert some > 10


@pytest.mark.parametrize("limit", [1, 7, 64])
async def test_history__in_pages_of_any_length__is_the_same(service: Service, limit: int) -> None:
    assert await pages(service, limit) == await pages(service)
    assert await pages(service, limit, market=1) == await pages(service, market=1)


async def test_history__arguments__are_the_events_own(service: Service, told: list[Told]) -> None:
    for row, each in zip(await pages(service), told, strict=True):
        for name, value in own(each.event).items():
            shown = row["args"]["from" if name == "sender" else camel(name)]
            if isinstance(value, bool | str):
                assert shown == value
            elif isinstance(value, int) and not isinstance(shown, dict):
                assert int(shown) == value
                assert isinstance(shown, int) == (abs(value) <= 2**53)
            elif isinstance(value, bytes) and isinstance(shown, str):
                assert shown == (error_name(value) if name == "reason" else to_hex(value))
        assert len(row["args"]) == len(own(each.event))


async def test_history__words__are_taken_apart(service: Service, told: list[Told]) -> None:
    placed = [Order.unpack(each.event.order) for each in told if isinstance(each.event, Placed)]
    rows = [row["args"]["order"] for row in await pages(service, event="Placed")]
    assert [Order(**{snake_case(name): value for name, value in row.items()}) for row in rows] == placed
    assert len(placed) == 8


def own(event: Event) -> dict[str, Any]:
    return {f.name: getattr(event, f.name) for f in fields(event) if f.name not in {g.name for g in fields(Event)}}


@pytest.mark.parametrize(
    ("params", "status", "name"),
    [
        ({"contract": "Nobody"}, 422, "NoSuchContract"),
        ({"contract": "0x" + "11" * 20}, 422, "NoSuchContract"),
        ({"event": "Happened"}, 422, "NoSuchEvent"),
        ({"account": "0x12"}, 422, "RequestInvalid"),
        ({"device": "home"}, 422, "RequestInvalid"),
        ({"meter": -1}, 422, "RequestInvalid"),
        ({"meter": 2**32}, 422, "RequestInvalid"),
        ({"meter": list(range(51))}, 422, "RequestInvalid"),
        ({"market": "one"}, 422, "RequestInvalid"),
        ({"transaction": "0x12"}, 422, "RequestInvalid"),
        ({"fromSlot": 1.5}, 422, "RequestInvalid"),
        ({"fromSlot": 5, "toSlot": 20_000}, 422, "TooManySlots"),
        ({"fromSlot": 5}, 422, "TooManySlots"),
        ({"fromTime": "yesterday"}, 422, "RequestInvalid"),
        ({"fromBlock": 2**63}, 422, "RequestInvalid"),
        ({"limit": 0}, 422, "RequestInvalid"),
        ({"limit": 1_001}, 422, "RequestInvalid"),
        ({"final": "perhaps"}, 422, "RequestInvalid"),
        ({"acount": "0x" + "11" * 20}, 422, "RequestInvalid"),
        ({"cursor": "1.2"}, 422, "CursorInvalid"),
        ({"cursor": "1.2.zzzzzzzzzzzz"}, 422, "CursorInvalid"),
        ({"cursor": "x" * 201}, 422, "RequestInvalid"),
        ({"cursor": f"{9**14}.0.{'a' * 12}"}, 409, "CursorReorganised"),
    ],
)
async def test_history__what_cannot_be_asked__is_refused_by_name(
    service: Service, params: Question, status: int, name: str
) -> None:
    for path in ("history", "history/export"):
        if "limit" in params and path == "history/export":
            continue
        answer = await service.http.get(f"/v1/{path}", params=params)
        assert (answer.status_code, answer.json()["error"]["name"]) == (status, name), answer.text
