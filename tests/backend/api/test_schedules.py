"""Schedules, delegates, wallets, changed markets and moved meters, through the service from signature to row."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from gridweave import artifacts
from gridweave.chain import Call
from gridweave.client import wire
from gridweave.client.wire import SignedAct
from gridweave.domain.acts import ChangeMarket, Mandate, MeterEnd, MeterMove, MeterRegistration, UnderwriteChange
from gridweave.domain.delegations import NO_ASKS, Delegation, Scope
from gridweave.domain.eip712 import Message, digest
from gridweave.domain.orders import Cancel, CancelSchedule, Order, Schedule, Side
from gridweave.domain.signatures import address_of, sign_compact, to_rsv
from tests.support.service import Service, served
from tests.support.town import FOREVER, TestHome, founded

pytestmark = pytest.mark.chain

AGENT = b"\x07" * 32
STRANGER = b"\x08" * 32


@pytest.fixture
async def service(tmp_path: Path) -> AsyncIterator[Service]:
    async with founded(tmp_path / "chain", homes=3) as town, served(town, tmp_path / "s") as running:
        yield running


def line(home: TestHome, slot: int, version: int = 1, **changes: Any) -> Order:
    """A bid good for an hour or so from the first slots on."""
    values = {"market": 1, "slot": slot, "meter": home.meter, "version": version, "deadline": 1_800_090_000}
    return Order(**(values | {"side": Side.BID, "energy_wh": 1_000, "limit_price": 220_000} | changes))


def signed(service: Service, secret: bytes, message: Message) -> bytes:
    return sign_compact(secret, digest(service.town.domain("EnergyAuction"), message))


def schedule(service: Service, secret: bytes, account: str, *lines: Order) -> dict[str, Any]:
    said = Schedule(account, lines)
    return wire.schedule_json(said, signed(service, secret, said))


def act_of(service: Service, secret: bytes, contract: str, message: Any) -> SignedAct:
    signature = to_rsv(sign_compact(secret, digest(service.town.domain(contract), message)))
    return SignedAct(address_of(secret), message.nonce, message.deadline, signature)


def delegation(service: Service, home: TestHome, nonce: int, scope: Scope) -> dict[str, Any]:
    bounds = scope.max_energy_wh, scope.lowest_ask, scope.highest_bid, scope.until
    said = Delegation(home.account, address_of(AGENT), scope.market, (home.meter,), *bounds, nonce, FOREVER)
    return wire.delegation_json(said, to_rsv(signed(service, home.secret, said)))


async def refused(service: Service, path: str, body: dict[str, Any]) -> tuple[int, str, Any]:
    answer = await service.post(path, body)
    error = answer.json()["error"]
    return answer.status_code, error["name"], error["args"].get("line")


async def test_schedules__more_of_an_account_than_acts_of_a_signer__429(tmp_path: Path) -> None:
    """Each has a transaction of its own, and may fill a block."""
    async with (
        founded(tmp_path / "chain", homes=1) as town,
        served(town, tmp_path / "s", most_acts_under_way=2) as service,
    ):
        (home,), slot = town.homes, await town.open_slot()
        bodies = [schedule(service, home.secret, home.account, line(home, slot + n)) for n in range(3)]
        answers = [await service.post("schedules", body) for body in bodies]
        assert [answer.status_code for answer in answers] == [202, 202, 429]
        assert answers[2].json()["error"]["name"] == "TooManyUnderWay"
        assert (await service.post("schedules", bodies[0])).status_code == 202, "the same request, the same answer"


async def test_schedule__of_an_account_that_can_pay_for_no_line__is_refused_early(service: Service) -> None:
    """On chain it would cost the relayer a block's gas, and the proof of its refusal another."""
    home, slot = service.town.homes[0], await service.town.open_slot()
    dear = [line(home, slot + n, energy_wh=240_000) for n in range(2)]  # 52.80 each, of 50.00
    answer = await service.post("schedules", schedule(service, home.secret, home.account, *dear))
    assert (answer.status_code, answer.json()["error"]["name"]) == (409, "AvailableTooSmall")
    cheap = line(home, slot + 2)
    await service.accept("schedules", schedule(service, home.secret, home.account, *dear, cheap))


async def test_orders__older_than_the_acts_at_hand__are_shown_as_replaced(
    service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A schedule's lines are acts of the meter, but no orders in the outbox: they push older orders' acts out."""
    monkeypatch.setattr("gridweave.services.status._MOST_ORDERS", 3)
    home, slot = service.town.homes[0], await service.town.open_slot()
    for version, energy in ((1, 1_000), (2, 2_000)):
        await service.done(*await service.accept("orders", service.town.bid(home, slot, energy, version=version)))
    lines = (line(home, slot + i) for i in range(1, 5))
    await service.done(*await service.accept("schedules", schedule(service, home.secret, home.account, *lines)))
    await service.caught_up()
    listed = (await service.get("orders", meter=home.meter))["items"]
    first, second = sorted((item for item in listed if item["slot"] == slot), key=lambda item: item["version"])
    assert (first["status"], first["reason"], first["replacedBy"]) == ("cancelled", "Replaced", second["id"])
    assert second["status"] == "committed"


async def test_schedule__of_the_account__places_every_line_and_each_can_be_cancelled(service: Service) -> None:
    home, slot = service.town.homes[0], await service.town.open_slot()
    body = schedule(service, home.secret, home.account, *(line(home, slot + i) for i in range(4)))
    (id_,) = await service.accept("schedules", body)
    waiting = await service.status(id_)
    assert [each["status"] for each in waiting["lines"]] == [waiting["status"]] * 4
    (state,) = await service.done(id_)
    assert state["status"] == "committed"
    assert [(each["status"], each["slot"]) for each in state["lines"]] == [("committed", slot + i) for i in range(4)]
    assert len({each["transaction"] for each in state["lines"]}) == 1
    assert await service.accept("schedules", body) == [id_], "the same request twice is one"

    said = CancelSchedule(home.account, tuple(Cancel(1, slot + i, home.meter, 2, 1_800_090_000) for i in range(2)))
    (cancel,) = await service.accept(
        "cancel-schedules", wire.cancel_schedule_json(said, signed(service, home.secret, said))
    )
    (state,) = await service.done(cancel)
    assert [each["status"] for each in state["lines"]] == ["committed"] * 2
    await service.caught_up()
    state = await service.status(id_)
    assert [each["status"] for each in state["lines"]] == ["cancelled", "cancelled", "committed", "committed"]


async def test_schedule__with_a_line_that_breaks_a_rule__is_refused_whole_and_names_it(service: Service) -> None:
    home, neighbour = service.town.homes[:2]
    slot = await service.town.open_slot()
    before = await service.runtime.world.outbox.accepted_total()
    for bad, said in (
        (line(home, slot + 1, energy_wh=1), (422, "EnergyTooSmall", 2)),
        (line(home, slot + 1, energy_wh=500_001), (422, "EnergyAboveCapacity", 2)),
        (line(neighbour, slot + 1), (403, "WrongSigner", 2)),
        (line(home, slot, version=2), (409, "DuplicateInBatch", 2)),
        (line(home, slot + 400), (422, "BeyondHorizon", 2)),
    ):
        body = schedule(service, home.secret, home.account, line(home, slot), bad)
        assert await refused(service, "schedules", body) == said
    body = schedule(service, STRANGER, home.account, line(home, slot))
    assert (await refused(service, "schedules", body))[:2] == (403, "WrongSigner")
    body = schedule(service, home.secret, home.account, *(line(home, slot, version=i + 1) for i in range(101)))
    assert (await refused(service, "schedules", body))[:2] == (422, "RequestInvalid")
    assert await service.runtime.world.outbox.accepted_total() == before


async def test_delegate__within_its_scope__orders_until_that_is_taken_back(service: Service) -> None:
    home, slot = service.town.homes[0], await service.town.open_slot()

    def order(slot: int, **changes: Any) -> dict[str, Any]:
        said = line(home, slot, **changes)
        return wire.order_json(said, signed(service, AGENT, said))

    assert (await refused(service, "orders", order(slot)))[:2] == (403, "WrongSigner")
    scope = Scope(1, 1_000, NO_ASKS, 230_000, 1_900_000_000)
    await service.done(*await service.accept("delegations", delegation(service, home, 1, scope)))
    await service.caught_up()
    agent = address_of(AGENT)
    told = {"account": home.account, "delegate": agent, "meter": home.meter, "market": 1, "until": scope.until}
    told |= {"maxEnergyWh": 1_000, "lowestAskMicroPerKwh": None, "highestBidMicroPerKwh": 230_000}
    for who in (home.account, agent):
        assert await service.get(f"accounts/{who}/delegations") == {"items": [told]}
    (state,) = await service.done(*await service.accept("orders", order(slot)))
    assert state["status"] == "committed"
    body = schedule(service, AGENT, home.account, line(home, slot + 1))
    (state,) = await service.done(*await service.accept("schedules", body))
    assert state["lines"][0]["status"] == "committed"
    for beyond, limit, allowed in (
        ({"energy_wh": 1_001}, "maxEnergyWh", 1_000),
        ({"limit_price": 240_000}, "highestBidMicroPerKwh", 230_000),
        ({"side": Side.ASK}, "lowestAskMicroPerKwh", None),
    ):
        answer = await service.post("orders", {"orders": [order(slot + 2, **beyond)]})
        error = answer.json()["error"]
        assert (answer.status_code, error["name"]) == (403, "WrongSigner")
        assert error["args"] == {"limit": limit, "allowed": allowed}
        assert limit in error["message"]
    body = schedule(service, AGENT, home.account, line(home, slot + 2), line(home, slot + 3, energy_wh=1_001))
    assert await refused(service, "schedules", body) == (403, "WrongSigner", 2)
    await service.done(*await service.accept("delegations", delegation(service, home, 2, replace(scope, until=0))))
    await service.caught_up()
    assert (await refused(service, "orders", order(slot + 2)))[:2] == (403, "WrongSigner")
    assert await service.get(f"accounts/{agent}/delegations") == {"items": []}


async def test_schedule__of_a_wallet_contract__is_judged_by_the_wallet(service: Service) -> None:
    keeper = service.town.homes[0]
    wallet, home, ahead, deadline = await wallet_home(service, keeping(keeper))
    said = Schedule(wallet, (line(home, ahead, deadline=deadline),))
    long = to_rsv(signed(service, keeper.secret, said))
    assert (await refused(service, "schedules", wire.schedule_json(said, long[:-1] + b"\x05")))[:2] == (
        403,
        "WrongSigner",
    )
    (state,) = await service.done(*await service.accept("schedules", wire.schedule_json(said, long)))
    assert state["lines"][0]["status"] == "committed"


async def test_order__of_a_wallet_contract__is_judged_by_the_wallet_and_relayed_apart(service: Service) -> None:
    keeper, neighbour = service.town.homes[0], service.town.homes[2]
    _, home, ahead, deadline = await wallet_home(service, keeping(keeper))

    def order(version: int, secret: bytes) -> dict[str, Any]:
        said = line(home, ahead, version, deadline=deadline)
        return wire.order_json(said, signed(service, secret, said))

    assert (await refused(service, "orders", order(1, STRANGER)))[:2] == (403, "WrongSigner")
    others = [
        wire.order_json(said, signed(service, owner.secret, said))
        for owner in (keeper, neighbour)
        for said in (line(owner, ahead, deadline=deadline),)
    ]
    answer = await service.post("orders", {"orders": [others[0], order(1, keeper.secret), others[1]]})
    first, own, second = await service.done(*(item["id"] for item in answer.json()["items"]))
    assert {state["status"] for state in (first, own, second)} == {"committed"}
    assert first["transaction"] == second["transaction"] != own["transaction"]

    said = Cancel(1, ahead, home.meter, 2, deadline)
    await service.done(*await service.accept("cancels", wire.cancel_json(said, signed(service, keeper.secret, said))))
    await service.caught_up()
    assert (await service.status(own["id"]))["status"] == "cancelled"


async def test_order__of_a_wallet_that_burns_its_gas__is_refused(service: Service) -> None:
    _, home, ahead, deadline = await wallet_home(service, BURNS)
    said = line(home, ahead, deadline=deadline)
    body = wire.order_json(said, signed(service, STRANGER, said))
    assert (await refused(service, "orders", body))[:2] == (403, "WrongSigner")


def keeping(keeper: TestHome) -> bytes:
    """Creates a wallet that takes the keeper's signatures."""
    return artifacts.load("SmartWallet").bytecode + bytes.fromhex(keeper.account[2:]).rjust(32, b"\0")


BURNS = bytes.fromhex("635b6000566000526004601cf3")
"""Creates a contract of a jump to itself."""


async def wallet_home(service: Service, code: bytes) -> tuple[str, TestHome, int, int]:
    """Home 1's device measures for a wallet from a slot on, in which that may order until a deadline."""
    town = service.town
    (receipt,) = await town.send([Call(None, code)])
    wallet = str(receipt.created)
    ahead = town.clock.slot_at(await town.now()) + 193
    move = MeterMove(town.homes[1].key.device, 1, wallet, 9_000, 9_000, 1, False, ahead, 77, FOREVER)
    act = act_of(service, town.keys["operator"].secret, "DERRegistry", move)
    await service.done(*await service.accept("meter-moves", wire.meter_move_json(move, act, None)))
    currency, vault, admin = town.contracts.currency, town.contracts.vault, town.keys["admin"].address
    money = [currency.mint(admin, 10**6), currency.approve(vault.address, 10**6), vault.deposit(wallet, 10**6)]
    await town.send(money)
    await service.travel(town.clock.start(ahead - 100))
    meter = (await service.get("meters", account=wallet))["items"][0]["meter"]
    return wallet, replace(town.homes[1], meter=meter), ahead, town.clock.start(ahead) - 1_000


async def test_market__changed_beyond_the_horizon__keeps_earlier_slots_as_they_were(service: Service) -> None:
    town = service.town
    terms = replace(town.terms, grid_fee=0, from_slot=town.clock.slot_at(await town.now()) + 200)
    operator, utility = town.keys["operator"].secret, town.keys["utility"].secret
    acts = {
        "operator": act_of(service, operator, "EnergyAuction", ChangeMarket(1, terms, 71, FOREVER)).to_json(),
        "utility": act_of(service, utility, "EnergyAuction", UnderwriteChange(1, terms, 72, FOREVER)).to_json(),
    }
    (state,) = await service.done(*await service.accept("markets/1/terms", {"terms": wire.terms_json(terms), **acts}))
    assert state["status"] == "committed"
    await service.caught_up()
    market = await service.get("markets/1")
    assert [version["gridFeeMicroPerKwh"] for version in market["versions"]] == [town.terms.grid_fee, 0]
    before = await service.get(f"markets/1/slots/{terms.from_slot - 1}")
    assert before["status"] == "open"
    again = replace(terms, from_slot=terms.from_slot + 1)
    acts = {
        "operator": act_of(service, operator, "EnergyAuction", ChangeMarket(1, again, 73, FOREVER)).to_json(),
        "utility": act_of(service, utility, "EnergyAuction", UnderwriteChange(1, again, 74, FOREVER)).to_json(),
    }
    assert (await refused(service, "markets/1/terms", {"terms": wire.terms_json(again), **acts}))[:2] == (
        422,
        "TermsNotAllowed",
    )


async def test_meter__moved_and_ended__has_its_bounds_and_each_orders_its_own_slots(service: Service) -> None:
    town, home = service.town, service.town.homes[2]
    operator = town.keys["operator"].secret
    ahead = town.clock.slot_at(await town.now()) + 193
    heir = address_of(STRANGER)
    move = MeterMove(home.key.device, 1, heir, 5_000, 5_000, 1, True, ahead, 81, FOREVER)
    consent = act_of(service, STRANGER, "DERRegistry", Mandate(home.key.device, 1, heir, 82, FOREVER))
    body = wire.meter_move_json(move, act_of(service, operator, "DERRegistry", move), consent)
    (state,) = await service.done(*await service.accept("meter-moves", body))
    assert state["status"] == "committed"
    await service.caught_up()
    old, new = (await service.get("meters", device=home.key.device))["items"]
    assert (old["fromSlot"], old["untilSlot"], new["fromSlot"], new["untilSlot"]) == (0, ahead, ahead, None)
    await service.travel(town.clock.start(ahead - 100))
    deadline = town.clock.start(ahead) - 2_000
    early = line(replace(home, meter=new["meter"]), ahead - 1, energy_wh=100, deadline=deadline)
    answer = await refused(service, "orders", wire.order_json(early, signed(service, STRANGER, early)))
    assert answer[:2] == (409, "OrderMeterNotInForce")
    late = line(home, ahead, energy_wh=100, deadline=deadline)
    answer = await refused(service, "orders", wire.order_json(late, signed(service, home.secret, late)))
    assert answer[:2] == (409, "OrderMeterNotInForce")
    end = MeterEnd(home.meter, ahead + 200, 83, FOREVER)
    body = wire.meter_end_json(end, act_of(service, operator, "DERRegistry", end))
    assert (await refused(service, f"meters/{home.meter}/end", body))[:2] == (409, "MeterEnds")
    again = MeterRegistration(home.key.device, 1, heir, 5_000, 5_000, 1, False, 84, FOREVER)
    body = wire.meter_json(again, act_of(service, operator, "DERRegistry", again), None)
    assert (await refused(service, "meters", body))[:2] == (409, "DeviceAlreadyMetered")
