"""Devices, meters, assets, markets and money come into being through REST, each by the consent of those concerned."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from gridweave.chain import Act
from gridweave.client import wire
from gridweave.client.wire import SignedAct
from gridweave.domain.acts import (
    AssetKind,
    AssetRegistration,
    CreateMarket,
    DeviceStatus,
    Mandate,
    MeterRegistration,
    Permit,
    StatusChange,
    Underwrite,
    Withdrawal,
)
from gridweave.domain.eip712 import digest
from gridweave.domain.signatures import address_of, sign_compact, to_rsv
from tests.support.service import Service
from tests.support.town import FOREVER, DeviceKeyPair, Town, draw_home

pytestmark = [pytest.mark.asyncio(loop_scope="module"), pytest.mark.chain]


def signed(act: Act) -> SignedAct:
    return SignedAct(act.signer, act.nonce, act.deadline, act.signature)


def enrolment(town: Town, key: DeviceKeyPair, owner: str, **changes: Any) -> dict[str, Any]:
    endorsement = replace(town.endorsement(key, owner), **changes)
    act = town.act(town.keys["maker"], "DeviceRegistry", endorsement)
    return wire.enrolment_json(endorsement, signed(act), town.possession(key, owner))


def metering(town: Town, key: DeviceKeyPair, secret: bytes, nonce: int, **changes: Any) -> dict[str, Any]:
    account = address_of(secret)
    registration = replace(MeterRegistration(key.device, 1, account, 9_000, 5_000, 10, True, nonce, FOREVER), **changes)
    operator = town.act(town.keys["operator"], "DERRegistry", registration)
    mandate = town.act(secret, "DERRegistry", Mandate(key.device, 1, account, nonce, FOREVER))
    return wire.meter_json(registration, signed(operator), signed(mandate))


def deposit(town: Town, secret: bytes, amount: int, nonce: int) -> dict[str, Any]:
    account = address_of(secret)
    permit = Permit(account, town.contracts.vault.address, amount, nonce, FOREVER)
    signature = to_rsv(sign_compact(secret, digest(town.domain("LocalCurrency"), permit)))
    return {"account": account, "amountMicro": amount, "deadline": FOREVER, "signature": "0x" + signature.hex()}


def withdrawal(town: Town, secret: bytes, amount: int, nonce: int, **changes: Any) -> dict[str, Any]:
    account = address_of(secret)
    act = replace(Withdrawal(account, account, amount, nonce, FOREVER), **changes)
    signature = to_rsv(sign_compact(secret, digest(town.domain("Vault"), act)))
    return wire.withdrawal_json(act, signature)


async def refusal(service: Service, path: str, body: Any) -> tuple[int, str]:
    response = await service.post(path, body)
    return response.status_code, response.json()["error"]["name"]


@pytest.mark.parametrize("number", [100, 101], ids=["secp256k1", "p256"])
async def test_home__enrolled_metered_and_paid_in_one_breath__stands(service: Service, number: int) -> None:
    """Enrolment, meter and deposit are posted before any of them is on chain: lanes keep them in order."""
    town = service.town
    secret, key = draw_home(number)
    account = address_of(secret)
    await town.send([town.contracts.currency.mint(account, 7_000_000)])
    await service.caught_up()
    ids = await service.accept("devices", enrolment(town, key, account))
    ids += await service.accept("meters", metering(town, key, secret, number))
    ids += await service.accept("deposits", deposit(town, secret, 3_000_000, 0))
    ids += await service.accept("deposits", deposit(town, secret, 4_000_000, 1))
    states = await service.done(*ids)
    assert [(s["kind"], s["status"]) for s in states] == [
        ("enrolment", "committed"),
        ("meter", "committed"),
        ("deposit", "committed"),
        ("deposit", "committed"),
    ]
    device = await service.get(f"devices/{key.device}")
    assert (device["status"], device["owner"], device["keyKind"]) == ("active", account, key.kind.name.lower())
    (meter,) = (await service.get("meters", device=key.device))["items"]
    assert (meter["account"], meter["scaleWh"], meter["hasMandate"]) == (account, 10, True)
    assert (await service.get(f"accounts/{account}"))["availableMicro"] == 7_000_000

    ids = await service.accept("withdrawals", withdrawal(town, secret, 6_000_000, number))
    assert (await service.done(*ids))[0]["status"] == "committed"
    after = await service.get(f"accounts/{account}")
    assert (after["availableMicro"], after["walletMicro"], after["permitNonce"]) == (1_000_000, 6_000_000, 2)


async def test_deposit__the_same_permit_again__gives_the_same_answer(service: Service) -> None:
    town = service.town
    secret, _ = draw_home(110)
    await town.send([town.contracts.currency.mint(address_of(secret), 1_000_000)])
    body = deposit(town, secret, 500_000, 0)
    ids = await service.accept("deposits", body)
    await service.done(*ids)
    assert await service.accept("deposits", body) == ids
    assert (await service.get(f"accounts/{address_of(secret)}"))["availableMicro"] == 500_000


async def test_money__refused__by_name(service: Service) -> None:
    town = service.town
    rich, poor = town.homes[0].secret, draw_home(120)[0]
    for path, body, expected in (
        ("deposits", deposit(town, poor, 5, 0), (409, "ERC20InsufficientBalance")),
        ("deposits", deposit(town, poor, 5, 99), (403, "ERC2612InvalidSigner")),
        ("deposits", deposit(town, poor, 0, 0), (422, "ZeroAmount")),
        ("deposits", deposit(town, poor, 5, 0) | {"signature": "0x" + "11" * 64}, (403, "ERC2612InvalidSigner")),
        ("withdrawals", withdrawal(town, rich, 10**12, 1), (409, "WithdrawalAboveWithdrawable")),
        ("withdrawals", withdrawal(town, rich, 5, 2) | {"amountMicro": 6}, (403, "WrongSignature")),
        ("withdrawals", withdrawal(town, rich, 5, 3, deadline=1), (409, "ActExpired")),
        ("withdrawals", withdrawal(town, rich, 5, 3) | {"account": address_of(poor)}, (403, "WrongSignature")),
    ):
        assert await refusal(service, path, body) == expected


async def test_withdrawal__a_used_nonce__nonce_used(service: Service) -> None:
    town = service.town
    secret = town.homes[1].secret
    ids = await service.accept("withdrawals", withdrawal(town, secret, 5, 50))
    assert await refusal(service, "withdrawals", withdrawal(town, secret, 6, 50)) == (409, "NonceUsed")
    await service.done(*ids)
    assert await refusal(service, "withdrawals", withdrawal(town, secret, 7, 50)) == (409, "NonceUsed")


async def test_devices__refused__by_name(service: Service) -> None:
    town = service.town
    secret, key = draw_home(130)
    owner = address_of(secret)
    other = draw_home(131)[1]
    known = town.homes[0]
    good = enrolment(town, key, owner)
    stranger_act = signed(town.act(secret, "DeviceRegistry", replace(town.endorsement(key, owner), maker=owner)))
    for body, expected in (
        (enrolment(town, known.key, owner), (409, "DeviceAlreadyEnrolled")),
        (good | {"device": other.device}, (422, "WrongDeviceId")),
        (good | {"possession": "0x" + other.sign(b"\1" * 32).hex()}, (403, "DeviceSignatureInvalid")),
        (good | {"owner": known.account}, (403, "DeviceSignatureInvalid")),
        (good | {"maker": stranger_act.to_json()}, (403, "DeviceSignatureInvalid")),
        (good | {"maker": good["maker"] | {"nonce": 5}}, (403, "WrongSignature")),
    ):
        assert await refusal(service, "devices", body) == expected
    assert await refusal(service, "meters", metering(town, key, secret, 130)) == (409, "DeviceNotActive")
    again = metering(town, known.key, known.secret, 131)
    assert await refusal(service, "meters", again) == (409, "DeviceAlreadyMetered")
    unread = (await service.http.get("/v1/devices/roof")).json()["error"]
    assert unread["message"] == "path.device: an address is 0x and 40 hex digits"


async def test_device__suspended__its_readings_are_refused_until_reinstated(service: Service) -> None:
    town = service.town
    home = town.homes[5]
    operator = town.keys["operator"]

    async def change(status: DeviceStatus, nonce: int) -> None:
        message = StatusChange(home.key.device, status, nonce, FOREVER)
        act = signed(town.act(operator, "DeviceRegistry", message))
        path = f"devices/{home.key.device}/status"
        (state,) = await service.done(*await service.accept(path, wire.status_json(status, act)))
        assert state["status"] == "committed"
        await service.caught_up()

    gated = await town.open_slot()
    slot = gated + 1
    await service.travel(town.terms.gate(gated, town.clock) + 1)
    await change(DeviceStatus.SUSPENDED, 1)
    assert (await service.get(f"devices/{home.key.device}"))["status"] == "suspended"
    assert (await service.get(f"meters/{home.meter}"))["deviceStatus"] == "suspended"
    of_market = (await service.get("meters", market=town.market))["items"]
    assert {meter["meter"] for meter in of_market if meter["deviceStatus"] != "active"} == {home.meter}
    await service.travel(town.clock.end(slot))
    response = await service.post("readings", town.reading(home, slot, 10, 0))
    assert (response.status_code, response.json()["error"]["name"]) == (409, "DeviceSuspended")
    (state,) = await service.done(*await service.accept("readings", town.reading(home, gated, 10, 0)))
    assert state["status"] == "settled", "nobody is suspended after the gate"
    await change(DeviceStatus.ACTIVE, 2)
    assert (await service.get(f"meters/{home.meter}"))["deviceStatus"] == "active"
    later = await town.open_slot()
    await service.travel(town.clock.end(later))
    (state,) = await service.done(*await service.accept("readings", town.reading(home, later, 10, 0)))
    assert state["status"] == "settled"


async def test_asset__registered__shows_behind_its_meter(service: Service) -> None:
    town = service.town
    registration = AssetRegistration(2, AssetKind.PHOTOVOLTAIC, 5_000, 0, 12, 77, FOREVER)
    operator = signed(town.act(town.keys["operator"], "DERRegistry", registration))
    await service.done(*await service.accept("assets", wire.asset_json(registration, operator)))
    shown = await service.get("meters/2")
    assert shown["assets"] == [{"asset": 1, "kind": "photovoltaic", "nameplateW": 5_000, "storageWh": 0, "feeder": 12}]
    unknown = replace(registration, meter=999, nonce=78)
    operator = signed(town.act(town.keys["operator"], "DERRegistry", unknown))
    assert await refusal(service, "assets", wire.asset_json(unknown, operator)) == (404, "UnknownMeter")


async def test_market__created_and_underwritten__is_listed(service: Service) -> None:
    town = service.town
    operator, utility = town.keys["operator"], town.keys["utility"]

    def body(nonce: int, signer: Any = operator, **changes: Any) -> dict[str, Any]:
        terms = replace(town.terms, **changes)
        created = town.act(signer, "EnergyAuction", CreateMarket(terms, nonce, FOREVER))
        underwritten = town.act(utility, "EnergyAuction", Underwrite(terms, nonce, FOREVER))
        return {
            "terms": wire.terms_json(terms),
            "operator": signed(created).to_json(),
            "utility": signed(underwritten).to_json(),
        }

    assert await refusal(service, "markets", body(500, tick_size=7)) == (422, "TermsNotAllowed")
    assert await refusal(service, "markets", body(501, signer=utility)) == (403, "SignerNotAllowed")
    (state,) = await service.done(*await service.accept("markets", body(502, min_energy_wh=1)))
    assert state["status"] == "committed"
    listed = (await service.get("markets"))["items"]
    assert [market["market"] for market in listed] == [1, 2]
    assert listed[1]["terms"]["minEnergyWh"] == 1
    assert wire.terms_from_json(listed[0]["terms"]).tick_size == town.terms.tick_size
