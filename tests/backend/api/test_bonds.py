"""An acknowledgement with teeth: a sponsor's bond, proofs of refusal, claims, through REST and on the real contracts.

no bond | posted                         | gate                 | a week later
--------|--------------------------------|----------------------|--------------> t
 acks     acks name the sponsor            claim, or refused      redeem
"""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import sys
from dataclasses import replace
from itertools import count
from pathlib import Path
from typing import Any

import pytest

from gridweave.chain import Promise, Reverted
from gridweave.client import Wallet, wire
from gridweave.client.keystore import Keystore
from gridweave.client.promises import KeptPromise, PromiseFolder
from gridweave.domain.acknowledgements import Acknowledgement
from gridweave.domain.acts import PostBond, Unbond
from gridweave.domain.eip712 import digest
from gridweave.domain.hashing import keccak
from gridweave.domain.orders import Order, Schedule, Side
from gridweave.domain.signatures import recover, sign_compact
from tests.support.service import Service
from tests.support.town import FOREVER, Town

pytestmark = [pytest.mark.asyncio(loop_scope="module"), pytest.mark.chain]

UNIT = 1_000_000
PASSWORD = "a password of some length"
_nonces = count(9_000)


def act_json(town: Town, message: Any) -> dict[str, Any]:
    act = town.act(town.keys["utility"], "RelayerBond", message)
    return {
        "signer": act.signer,
        "nonce": act.nonce,
        "deadline": act.deadline,
        "signature": "0x" + act.signature.hex(),
    }


def bond_body(town: Town, kind: type[PostBond | Unbond], amount: int) -> dict[str, Any]:
    keys = town.keys
    message = kind(keys["utility"].address, keys["relayer"].address, amount, next(_nonces), FOREVER)
    return {"relayer": message.relayer, "amountMicro": amount, "sponsor": act_json(town, message)}


async def post_bond(service: Service, amount: int = 10 * UNIT) -> None:
    (state,) = await service.done(*await service.accept("bonds", bond_body(service.town, PostBond, amount)))
    assert state["status"] == "committed", state
    await service.caught_up()


def order_of(body: dict[str, Any]) -> Order:
    side = Side.BID if body["side"] == "bid" else Side.ASK
    place = (body["market"], body["slot"], body["meter"], body["version"], body["deadline"])
    return Order(*place, side, body["energyWh"], body["limitPriceMicroPerKwh"])


def promise_of(town: Town, answer: dict[str, Any], body: dict[str, Any]) -> Promise:
    """The service's answer as a claim takes it."""
    request, signed = bytes.fromhex(answer["id"][2:]), bytes.fromhex(body["signature"][2:])
    said = Acknowledgement.of(request, signed, answer["sponsor"], answer["commitBefore"])
    return Promise(said, town.keys["relayer"].address, bytes.fromhex(answer["acknowledgement"][2:]))


def withheld(town: Town, body: dict[str, Any]) -> Promise:
    """What the relayer's key signs for an order that it then leaves."""
    order = order_of(body)
    request = digest(town.domain("EnergyAuction"), order)
    gate = town.terms.gate(order.slot, town.clock)
    said = Acknowledgement.of(
        request, bytes.fromhex(body["signature"][2:]), town.keys["utility"].address, min(gate, order.deadline + 1)
    )
    relayer = town.keys["relayer"]
    return Promise(said, relayer.address, sign_compact(relayer.secret, digest(town.domain("RelayerBond"), said)))


async def refused_by(town: Town, order: Order, promise: Promise) -> str:
    with pytest.raises(Reverted) as refusal:
        await town.chain.node.call(town.contracts.bond.claim(order, promise))
    return refusal.value.name


async def test_order__without_a_bond__is_acknowledged_without_a_sponsor(service: Service) -> None:
    town = service.town
    body = town.bid(town.homes[0], await town.open_slot())
    answer = (await service.post("orders", body)).json()["items"][0]
    promise = promise_of(town, answer, body)
    assert answer["sponsor"] is None
    assert recover(digest(town.domain("RelayerBond"), promise.said), promise.signature) == promise.relayer
    assert (await service.get("bonds"))["bonds"] == []
    await service.done(answer["id"])


async def test_bond__once_posted__is_named_in_every_acknowledgement(service: Service) -> None:
    town = service.town
    await post_bond(service)
    sponsor = town.keys["utility"].address
    state = await service.get("bonds")
    assert (state["sponsor"], state["compensationMicro"]) == (sponsor, UNIT)
    assert state["bonds"] == [{"sponsor": sponsor, "bondMicro": 10 * UNIT, "leavingMicro": 0, "redeemableAt": None}]
    assert (await service.get("deployment"))["sponsor"] == sponsor
    assert (await service.get(f"accounts/{sponsor}"))["bondsMicro"] == 10 * UNIT
    body = town.bid(town.homes[0], await town.open_slot(1))
    answer = (await service.post("orders", body)).json()["items"][0]
    assert answer["sponsor"] == sponsor
    await service.done(answer["id"])
    promise = promise_of(town, answer, body)
    assert await town.contracts.bond.digest_of_acknowledgement(promise) == digest(
        town.domain("RelayerBond"), promise.said
    )
    assert await refused_by(town, order_of(body), promise) == "CommitmentNotDue"
    again = (await service.post("orders", body)).json()["items"][0]
    assert again["acknowledgement"] == answer["acknowledgement"]


async def test_order__refused_on_chain__is_proved_to_the_bond_in_time(service: Service) -> None:
    town = service.town
    home = town.homes[1]
    slots = [await town.open_slot(at) for at in (2, 3)]
    bodies = [town.bid(home, slot, 150_000) for slot in slots]  # 33.00 each, of 50.00
    answers = (await service.post("orders", {"orders": bodies})).json()["items"]
    states = await service.done(*[answer["id"] for answer in answers])
    assert [state["reason"] for state in states] == [None, "AvailableTooSmall"]
    promise = promise_of(town, answers[1], bodies[1])

    async def proved() -> int:
        return await town.contracts.bond.refused_at(
            promise.said.request, promise.said.request, promise.said.signature_hash
        )

    assert await service.until(proved, mine=True) < promise.said.commit_before
    await service.travel(promise.said.commit_before)
    assert await refused_by(town, order_of(bodies[1]), promise) == "OrderWasRefused"
    assert await refused_by(town, order_of(bodies[0]), promise_of(town, answers[0], bodies[0])) == "OrderArrived"
    assert (await service.get(f"requests/{answers[1]['id']}"))["status"] == "rejected"


async def test_schedule__with_a_line_refused_on_chain__is_proved_for_that_line(service: Service) -> None:
    town = service.town
    home = town.homes[2]
    slots = [await town.open_slot(at) for at in (4, 5)]
    said = Schedule(home.account, tuple(order_of(town.bid(home, slot, 150_000)) for slot in slots))
    signature = sign_compact(home.secret, digest(town.domain("EnergyAuction"), said))
    (id_,) = await service.accept("schedules", wire.schedule_json(said, signature))
    (state,) = await service.done(id_)
    assert [line["status"] for line in state["lines"]] == ["committed", "rejected"]
    refused, placed = (digest(town.domain("EnergyAuction"), said.orders[at]) for at in (1, 0))
    request = digest(town.domain("EnergyAuction"), said)

    async def proved() -> int:
        return await town.contracts.bond.refused_at(refused, request, keccak(signature))

    assert await service.until(proved, mine=True)
    assert await town.contracts.bond.refused_at(placed, request, keccak(signature)) == 0


async def test_schedule__whose_first_line_came_too_late__is_proved_for_the_others(service: Service) -> None:
    """No line is committed, and the first one's reason is none that a bond must hear of."""
    town = service.town
    home, first, other = town.homes[4], await town.open_slot(10), await town.open_slot(11)
    body = town.bid(home, first, 150_000)  # 33.00 of 50.00
    lines = order_of(town.bid(home, first, version=body["version"])), order_of(town.bid(home, other, 150_000))
    said = Schedule(home.account, lines)
    signature = sign_compact(home.secret, digest(town.domain("EnergyAuction"), said))
    single = (await service.post("orders", body)).json()["items"][0]["id"]
    (id_,) = await service.accept("schedules", wire.schedule_json(said, signature))
    _, state = await service.done(single, id_)
    assert (state["status"], state["reason"]) == ("rejected", "VersionNotNewer")
    refused, request = digest(town.domain("EnergyAuction"), lines[1]), digest(town.domain("EnergyAuction"), said)

    async def proved() -> int:
        return await town.contracts.bond.refused_at(refused, request, keccak(signature))

    assert await service.until(proved, mine=True)


async def test_claim__of_an_order_that_was_left__is_paid_and_told(service: Service, tmp_path: Path) -> None:
    town = service.town
    home = town.homes[3]
    body = town.bid(home, await town.open_slot(6))
    order, promise = order_of(body), withheld(town, body)
    kept = KeptPromise(
        promise.said,
        promise.relayer,
        promise.signature,
        (order,),
        None,
        town.chain.chain_id,
        town.contracts.bond.address,
        town.contracts.auction.address,
    )
    folder = PromiseFolder(tmp_path / "keys" / "promises")
    folder.keep(kept)
    assert (await claims(town, tmp_path))[0]["state"] == "CommitmentNotDue"
    await service.travel(promise.said.commit_before)
    assert (await claims(town, tmp_path))[0]["state"] == "claimable"

    before = await town.contracts.vault.account_of(home.account)
    Keystore(tmp_path / "keys").add_wallet("payer", Wallet(town.keys["admin"].secret), PASSWORD)
    (told,) = await claims(town, tmp_path, kept.id, "--gas-key", "payer")
    assert (told["state"], told["sponsor"]) == ("compensated", promise.said.sponsor)
    await town.chain.mine()
    after = await town.contracts.vault.account_of(home.account)
    assert after.available == before.available + UNIT
    assert (await claims(town, tmp_path))[0]["state"] == "AlreadyCompensated"
    await service.caught_up()
    (row,) = (await service.get("compensations"))["items"]
    assert (row["id"], row["account"], row["amountMicro"]) == (kept.id, home.account, UNIT)
    assert (await service.get("bonds"))["bonds"][0]["bondMicro"] == 9 * UNIT
    moves = (await service.get(f"accounts/{home.account}/moves"))["items"]
    assert (moves[-1]["kind"], moves[-1]["amountMicro"]) == ("released", UNIT)

    forged = replace(kept, orders=(replace(order, version=order.version + 1),))
    folder.keep(forged)
    assert (await claims(town, tmp_path))[0]["state"] == "WrongSignature"


_CLI = "import sys; from gridweave.cli import main; main(sys.argv[1:])"


async def claims(town: Town, folder: Path, *more: str) -> list[dict[str, Any]]:
    """What `gridweave order claim` says of what is kept there, mined meanwhile."""
    words = ["order", "claim", *more, "--rpc", town.chain.url, "--keystore", str(folder / "keys"), "--json"]
    environment = os.environ | {"GRIDWEAVE_PASSWORD": PASSWORD}
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "env": environment}
    process = await asyncio.create_subprocess_exec(sys.executable, "-c", _CLI, *words, **pipes)
    ended = asyncio.create_task(process.communicate())
    while more and not ended.done():
        await town.chain.mine()
        await asyncio.sleep(0.1)
    told, faults = await ended
    assert process.returncode == 0, faults.decode()
    found: list[dict[str, Any]] = json.loads(told)
    return found


async def test_bond__given_more_than_is_withdrawable_or_there__says_so(service: Service) -> None:
    town = service.town
    refused = await service.post("bonds", bond_body(town, PostBond, 10**6 * UNIT))
    assert (refused.status_code, refused.json()["error"]["name"]) == (409, "BondNotWithdrawable")
    refused = await service.post("bonds/unbond", bond_body(town, Unbond, 100 * UNIT))
    assert (refused.status_code, refused.json()["error"]["name"]) == (409, "BondTooSmall")
    refused = await service.post("bonds", bond_body(town, PostBond, 0))
    assert (refused.status_code, refused.json()["error"]["name"]) == (422, "ZeroAmount")
    body = bond_body(town, PostBond, UNIT)
    body["amountMicro"] += 1
    refused = await service.post("bonds", body)
    assert (refused.status_code, refused.json()["error"]["name"]) == (403, "WrongSignature")


async def test_bond__taken_out__is_named_no_more_and_redeemed_after_a_week(service: Service) -> None:
    town = service.town
    sponsor, relayer = town.keys["utility"].address, town.keys["relayer"].address
    (state,) = await service.done(*await service.accept("bonds/unbond", bond_body(town, Unbond, 9 * UNIT)))
    assert state["status"] == "committed"
    await service.caught_up()
    bonds = await service.get("bonds")
    assert bonds["sponsor"] is None
    (bond,) = bonds["bonds"]
    body = {"sponsor": sponsor, "relayer": relayer}
    early = await service.post("bonds/redeem", body)
    assert (early.status_code, early.json()["error"]["name"]) == (409, "BondNotRedeemable")
    await service.travel(bond["redeemableAt"])
    before = await town.contracts.vault.account_of(sponsor)
    (state,) = await service.done(*await service.accept("bonds/redeem", body))
    assert state["status"] == "committed"
    after = await town.contracts.vault.account_of(sponsor)
    assert after.available == before.available + 9 * UNIT
    await service.caught_up()
    assert (await service.get("bonds"))["bonds"][0]["bondMicro"] == 0


async def test_bond__of_less_than_a_compensation__is_named_nowhere(service: Service) -> None:
    await post_bond(service, UNIT - 1)
    assert (await service.get("bonds"))["sponsor"] is None


async def test_bond__posted_while_some_leaves__tells_when_that_can_be_redeemed(service: Service) -> None:
    await service.done(*await service.accept("bonds/unbond", bond_body(service.town, Unbond, UNIT - 1)))
    await post_bond(service, UNIT)
    (bond,) = (await service.get("bonds"))["bonds"]
    assert (bond["bondMicro"], bond["leavingMicro"]) == (2 * UNIT - 1, UNIT - 1)
    assert bond["redeemableAt"] is not None
