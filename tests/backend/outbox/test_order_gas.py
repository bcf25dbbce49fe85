"""Orders get as much gas as they may take, so that a block has room for many calls; and too little loses none."""

from __future__ import annotations

import json
import random
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from gridweave.chain.hexes import int_of
from gridweave.domain.eip712 import digest
from gridweave.domain.orders import Order, Side
from gridweave.domain.signatures import sign_compact
from gridweave.outbox.gas_model import GasModel
from gridweave.outbox.kinds import Kind, call_of
from gridweave.outbox.order_gas import gas_of_orders
from gridweave.store.records import Item
from tests.backend.outbox.test_planner import item
from tests.support.service import served
from tests.support.town import Town, founded

BLOCK = 30_000_000
RESULTS = json.loads((Path(__file__).resolve().parents[3] / "benchmarks/results.json").read_text())
WIDE = {"tick_size": 200, "tick_count": 1_001}


def order_item(order: Order, tick: int | None, signature: bytes = bytes(64), attempts: int = 0) -> Item:
    found = item(Kind.ORDER, meter=order.meter, slot=order.slot, attempts=attempts)
    found.payload.update({"word": "0x" + order.pack().hex(), "signature": "0x" + signature.hex()})
    if tick is not None:
        found.payload.update({"tick": tick, "ownKey": True})
    return found


def drawn(rng: random.Random, count: int, ticks: int, slots: int = 1, **changes: Any) -> list[Item]:
    """Orders at any of so many ticks, every second one a bid, slot by turns."""
    items = []
    for n in range(count):
        tick = rng.randrange(ticks)
        side = Side.BID if n % 2 else Side.ASK
        order = Order(1, 7 + n % slots, n + 1, 1, 1_000, side, 100, 80_000 + 2_000 * tick)
        items.append(order_item(order, tick, **changes))
    return items


def test_limit_of__given_five_calls_of_100_orders__fits_a_block_of_30_million(rng: random.Random) -> None:
    """A block takes a call as long as its whole limit has room; what the calls before it left over is room again."""
    used = 100 * int(RESULTS["gas.place.batch100"]["value"])
    assert 4 * used + GasModel().limit_of(drawn(rng, 100, ticks=136)) <= BLOCK


def test_limit_of__given_what_failed_before_or_stands_alone__is_the_most_of_its_kind(rng: random.Random) -> None:
    model = GasModel()
    for items in (drawn(rng, 50, ticks=136, attempts=1), drawn(rng, 1, ticks=136)):
        assert model.limit_of(items) == model.limit(Kind.ORDER, len(items))
    assert model.limit_of(drawn(rng, 50, ticks=136)) < model.limit(Kind.ORDER, 50)


def test_limit_of__given_readings_without_the_precompile__has_room_for_each() -> None:
    model = GasModel(p256_in_code=True)
    full = [item(Kind.READING, meter=n) for n in range(model.capacity(Kind.READING, 0))]
    assert model.limit_of(full) > len(full) * int(RESULTS["gas.settle.p256.code"]["value"])


@pytest.mark.parametrize("name", ["tick", "ownKey"])
def test_gas_of_orders__given_what_is_not_known__counts_it_as_the_dearest(rng: random.Random, name: str) -> None:
    items = drawn(rng, 20, ticks=136)
    known = gas_of_orders(items)
    for one in items:
        del one.payload[name]
    assert gas_of_orders(items) > known


def test_gas_of_orders__given_orders_of_delegates__has_room_for_a_wallet_s_check_of_each(rng: random.Random) -> None:
    items = drawn(rng, 20, ticks=136)
    own = gas_of_orders(items)
    for one in items:
        one.payload["ownKey"] = False
    assert gas_of_orders(items) >= own + 20 * 100_000


def signed(town: Town, rng: random.Random, slots: Sequence[int], *, spread: bool) -> list[Item]:
    """An order of every home, slot by turns, at random ticks or all at one."""
    terms, items = town.terms, []
    for n, home in enumerate(town.homes):
        tick = rng.randrange(terms.tick_count) if spread else 11
        side, slot = (Side.BID if n % 2 else Side.ASK), slots[n % len(slots)]
        deadline = terms.gate(slot, town.clock) - 1
        order = Order(1, slot, home.meter, 1, deadline, side, 100, terms.limit_price(side, tick))
        signature = sign_compact(home.secret, digest(town.domain("EnergyAuction"), order))
        items.append(order_item(order, tick, signature))
    return items


@pytest.mark.chain
@pytest.mark.parametrize("terms", [{}, WIDE], ids=["street", "wide"])
async def test_gas_of_orders__on_books_that_nobody_wrote__is_more_than_the_node_s_estimate(
    tmp_path: Path, rng: random.Random, terms: dict[str, int]
) -> None:
    async with founded(tmp_path / "chain", homes=40, **terms) as town:
        first = await town.open_slot()
        for slots, spread in ((1, False), (1, True), (7, True), (40, True)):
            items = signed(town, rng, range(first, first + slots), spread=spread)
            for part in (items, items[:3]):
                call = call_of(town.contracts, part)
                estimate = int_of(
                    await town.chain.node.request("eth_estimateGas", call.rpc(town.keys["relayer"].address), "latest")
                )
                assert estimate < gas_of_orders(part) < 2 * estimate, (slots, spread, len(part))


@pytest.mark.chain
async def test_sender__500_orders__stand_in_one_block_of_30_million(tmp_path: Path) -> None:
    async with founded(tmp_path / "chain", homes=100) as town, served(town, tmp_path / "s") as service:
        slot = await town.open_slot()
        sides = (town.bid, town.ask)
        bodies = [sides[n % 2](home, slot + at) for at in range(5) for n, home in enumerate(town.homes)]
        await service.accept("orders", {"orders": bodies})
        outbox = service.runtime.world.outbox

        async def sent() -> bool:
            pool = await town.chain.node.request("txpool_status")
            return int_of(pool["pending"]) == 5

        async def arrived() -> bool:
            return not await outbox.pending()

        await service.until(sent)
        await service.until(arrived, mine=True)
        assert await outbox.done([Kind.ORDER]) == {Kind.ORDER: 500}
        batches = await outbox.batches("mined", "final")
        assert [batch.block_number for batch in batches] == [batches[0].block_number] * 5


@pytest.mark.chain
async def test_sender__a_call_with_too_little_gas__loses_no_order(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("gridweave.outbox.order_gas._ORDER", 20_000)
    monkeypatch.setattr("gridweave.outbox.order_gas._CALL", 21_000)
    async with founded(tmp_path / "chain", homes=12) as town, served(town, tmp_path / "s") as service:
        slot = await town.open_slot()
        ids = await service.accept("orders", {"orders": [town.bid(home, slot) for home in town.homes]})
        states = await service.done(*ids)
        assert {state["status"] for state in states} == {"committed"}
        batches = await service.runtime.world.outbox.batches("mined", "final")
        assert len(batches) > 1, "the first call ran out of gas"
