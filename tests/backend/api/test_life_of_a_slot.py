"""From signed orders to a bill, through REST, on the real contracts.

place        gate         slot          end                deadline            corrections end
  |-----------|------------|-------------|------------------|---------------------|
   orders       clear                      readings pay        silence is settled
"""

from __future__ import annotations

from copy import copy
from dataclasses import replace

import pytest

from gridweave.services.status import request_status
from gridweave.services.world import Heads
from tests.support.service import Service

pytestmark = [pytest.mark.asyncio(loop_scope="module"), pytest.mark.chain]


async def test_slot__orders_clear_readings__pay_everybody(service: Service) -> None:
    town = service.town
    buyer, seller, late = town.homes[:3]
    slot = await town.open_slot()
    placed = await service.accept("orders", {"orders": [town.bid(buyer, slot, 1_000), town.ask(seller, slot, 1_500)]})
    states = await service.done(*placed)
    assert [s["status"] for s in states] == ["committed", "committed"]
    places = [(s["transaction"], s["block"]) for s in states]
    assert [s["final"] for s in states] == [False, False]

    book = await service.get(f"markets/1/slots/{slot}/book")
    assert [(level["bidWh"], level["askWh"]) for level in book["depth"]] == [(0, 1_500), (1_000, 0)]
    assert (await service.get(f"markets/1/slots/{slot}"))["status"] == "open"

    await service.travel(town.clock.end(slot))
    assert (await service.get(f"markets/1/slots/{slot}"))["status"] == "gated"
    readings = [town.reading(buyer, slot, 1_100, 0), town.reading(seller, slot, 0, 1_000)]
    paid = await service.done(*await service.accept("readings", {"readings": readings}))
    assert [s["status"] for s in paid] == ["settled", "settled"]

    state = await service.get(f"markets/1/slots/{slot}")
    assert state["clearing"]["volumeWh"] == 1_000
    assert state["clearing"]["longSide"] == "ask"
    orders = [await service.get(f"orders/{id_}") for id_ in placed]
    assert [(o["status"], o["filledWh"]) for o in orders] == [("settled", 1_000), ("settled", 1_000)]
    assert [(o["transaction"], o["block"]) for o in orders] == places
    assert [o["settledIn"] for o in orders] == [p["transaction"] for p in paid]
    assert [o["cashMicro"] for o in orders] == [p["cashMicro"] for p in paid]

    bill = await service.get(f"accounts/{buyer.account}/bill", **{"from": slot, "to": slot})
    (line,) = bill["lines"]
    price = state["clearing"]["priceMicroPerKwh"]
    assert line["tradeMicro"] == -price
    assert line["feeMicro"] == 20_000
    assert line["deviationMicro"] == -340_000 // 10
    assert line["cashMicro"] == line["tradeMicro"] - line["feeMicro"] + line["deviationMicro"]
    assert line["withoutMarketMicro"] == -374_000
    assert bill["totals"]["gainMicro"] == line["cashMicro"] - line["withoutMarketMicro"] > 0
    assert late.account not in str(bill)

    (given,) = (await service.get(f"accounts/{seller.account}/bill", **{"from": slot, "to": slot}))["lines"]
    balance = await service.get("markets/1/balance", **{"from": slot, "to": slot})
    (row,) = balance["slots"]
    assert (row["tradedWh"], row["importWh"], row["exportWh"], row["meters"]) == (1_000, 1_100, 1_000, 2)
    assert (row["surplusWh"], row["shortfallWh"], row["withoutReading"]) == (0, 100, 0)
    assert row["utilityMicro"] == -line["deviationMicro"]
    assert row["utilityMicro"] + row["operatorMicro"] + line["cashMicro"] + given["cashMicro"] == 0
    assert balance["totals"] == {name: row[name] for name in balance["totals"]}


async def test_balance__of_a_slot_with_dust__adds_up_to_nothing(service: Service) -> None:
    town = service.town
    seller, *buyers = town.homes[:4]
    slot = await town.open_slot(9)
    orders = [town.ask(seller, slot, 100), *(town.bid(buyer, slot, 67) for buyer in buyers)]
    await service.done(*await service.accept("orders", {"orders": orders}))
    await service.travel(town.clock.end(slot))
    readings = [town.reading(seller, slot, 0, 100), *(town.reading(buyer, slot, 33, 0) for buyer in buyers)]
    await service.done(*await service.accept("readings", {"readings": readings}))
    await service.caught_up()
    span = {"from": slot, "to": slot}
    (row,) = (await service.get("markets/1/balance", **span))["slots"]
    bills = [await service.get(f"accounts/{home.account}/bill", **span) for home in (seller, *buyers)]
    assert row["closed"]
    assert row["utilityMicro"] == -row["priceMicroPerKwh"] // 1_000
    assert sum(bill["totals"]["cashMicro"] for bill in bills) + row["utilityMicro"] + row["operatorMicro"] == 0


async def test_balance__of_too_many_slots__says_how_many(service: Service) -> None:
    response = await service.http.get("/v1/markets/1/balance", params={"from": 0, "to": 10_000})
    assert (response.status_code, response.json()["error"]["name"]) == (422, "SpanNotAllowed")
    assert "1 to 400 slots" in response.json()["error"]["message"]


async def test_slot__final__once_deep_enough(service: Service) -> None:
    town = service.town
    slot = await town.open_slot(1)
    (id_,) = await service.accept("orders", town.bid(town.homes[0], slot))
    (state,) = await service.done(id_)
    assert not state["final"]
    for _ in range(5):
        await town.chain.mine()
    await service.caught_up()
    assert (await service.get(f"orders/{id_}"))["final"]


async def test_order__replaced_then_cancelled__says_so(service: Service) -> None:
    town = service.town
    home = town.homes[3]
    slot = await town.open_slot(2)
    (first,) = await service.accept("orders", town.bid(home, slot))
    await service.done(first)
    (second,) = await service.accept("orders", town.bid(home, slot, 2_000))
    await service.done(second)
    assert (await service.get(f"orders/{first}"))["reason"] == "Replaced"
    (third,) = await service.accept("cancels", town.cancel(home, slot))
    await service.done(third)
    state = await service.get(f"orders/{second}")
    assert (state["status"], state["reason"]) == ("cancelled", "Cancelled")
    cancel = await service.status(third)
    assert state["cancelledIn"] == cancel["transaction"] != state["transaction"]
    assert "replacedBy" not in state
    replaced = await service.get(f"orders/{first}")
    assert (replaced["reason"], replaced["replacedBy"]) == ("Replaced", second)
    listed = await service.get("orders", meter=home.meter, slot=slot)
    assert [item["version"] for item in listed["items"]] == [1, 2, 3]
    assert (await service.get(f"markets/1/slots/{slot}/book"))["depth"] == []


async def test_order__dependent_acts_in_one_breath__stay_in_order(service: Service) -> None:
    """A replacement and a cancel posted before the first order is on chain: all three take effect, in order."""
    town = service.town
    home = town.homes[4]
    slot = await town.open_slot(3)
    orders = [town.bid(home, slot, 1_000), town.bid(home, slot, 1_500)]
    ids = [*await service.accept("orders", {"orders": orders})]
    ids += await service.accept("cancels", town.cancel(home, slot))
    states = await service.done(*ids)
    assert [s["status"] for s in states] == ["cancelled", "cancelled", "committed"]


async def test_reading__corrected__settles_the_difference(service: Service) -> None:
    town = service.town
    home = town.homes[5]
    slot = town.clock.slot_at(await town.now())
    await service.travel(town.clock.end(slot))
    ids = await service.accept("readings", town.reading(home, slot, 700, 0))
    (first,) = await service.done(*ids)
    ids = await service.accept("readings", town.reading(home, slot, 600, 0, version=2))
    (second,) = await service.done(*ids)
    assert second["cashMicro"] - first["cashMicro"] == 34_000
    shown = await service.get("readings", meter=home.meter, **{"from": slot, "to": slot})
    assert [(r["version"], r["importWh"]) for r in shown["items"]] == [(1, 700), (2, 600)]
    account = await service.get(f"accounts/{home.account}")
    moves = await service.get(f"accounts/{home.account}/moves")
    assert moves["items"][-1]["availableMicro"] == account["availableMicro"]


async def test_reading__whose_block_is_indexed_while_its_state_is_read__is_never_told_by_half(service: Service) -> None:
    """The outbox knows the block by its receipt; the index reaches it just after its rows were looked through."""
    town, world = service.town, service.runtime.world
    home = town.homes[1]
    slot = await town.open_slot()
    await service.travel(town.clock.end(slot))
    (id_,) = await service.accept("readings", town.reading(home, slot, 300, 0))
    (told,) = await service.done(id_)
    assert world.heads.block is not None
    heads = Heads(world.heads.profile, replace(world.heads.block, number=told["block"] - 1))

    async def reading(*_: object) -> None:
        heads.block = world.heads.block

    meters = copy(world.reads.meters)
    meters.reading = reading
    state = await request_status(replace(world, heads=heads, reads=replace(world.reads, meters=meters)), id_)
    assert (state.status, state.final) == ("accepted", False)


async def test_order__replaced_twice__each_version_names_its_own_place_and_the_next(service: Service) -> None:
    town = service.town
    home = town.homes[4]
    slot = await town.open_slot(4)
    ids, placed = [], []
    for energy in (1_000, 2_000, 3_000):
        (id_,) = await service.accept("orders", town.bid(home, slot, energy))
        (state,) = await service.done(id_)
        ids.append(id_)
        placed.append((state["transaction"], state["block"]))
    assert len(set(placed)) == 3
    listed = await service.get("orders", meter=home.meter, slot=slot)
    shown = {order["id"]: order for order in listed["items"]}
    assert [(shown[id_]["transaction"], shown[id_]["block"]) for id_ in ids] == placed
    assert [shown[id_].get("replacedBy") for id_ in ids] == [ids[1], ids[2], None]


async def test_request__unknown__is_called_a_request(service: Service) -> None:
    response = await service.http.get("/v1/requests/0x" + "ab" * 32)
    assert response.status_code == 404
    assert response.json()["error"]["name"] == "UnknownRequest"


async def test_orders__of_a_meter_that_nobody_registered__is_unknown_meter(service: Service) -> None:
    response = await service.http.get("/v1/orders", params={"meter": 4_000, "slot": 9})
    assert response.status_code == 404
    assert response.json()["error"]["name"] == "UnknownMeter"
