"""Each refusal has its name, and changes nothing."""

from __future__ import annotations

from typing import Any

import pytest

from gridweave.domain.eip712 import Domain, digest
from gridweave.domain.orders import Order, Side
from gridweave.domain.readings import Reading
from gridweave.domain.signatures import sign_compact
from tests.support.service import Service
from tests.support.town import DeviceKeyPair, TestHome, Town, draw_home

pytestmark = [pytest.mark.asyncio(loop_scope="module"), pytest.mark.chain]

STRANGER = draw_home(900)[0]
SECP256K1_N = 0xFFFFFFFF_FFFFFFFF_FFFFFFFF_FFFFFFFE_BAAEDCE6_AF48A03B_BFD25E8C_D0364141


async def refused(service: Service, path: str, body: Any) -> tuple[int, str]:
    """Status and error name; nothing may have been queued."""
    before = await service.runtime.world.outbox.accepted_total()
    response = await service.post(path, body)
    assert await service.runtime.world.outbox.accepted_total() == before
    answer = response.json()
    assert set(answer["error"]) == {"name", "message", "args"}
    assert answer["requestId"] == response.headers["x-request-id"]
    return response.status_code, answer["error"]["name"]


ORDER_REFUSALS: dict[str, tuple[int, dict[str, Any]]] = {
    "WrongSigner": (403, {"secret": STRANGER}),
    "PriceOffGrid": (422, {"limit_price": 220_001}),
    "EnergyTooSmall": (422, {"energy_wh": 9}),
    "EnergyTooLarge": (422, {"energy_wh": 2**30}),
    "OrderMeterUnknown": (404, {"meter": 77}),
    "MarketUnknown": (404, {"market": 9}),
    "BeyondHorizon": (422, {"slot": 2_000_400}),
    "GateClosed": (409, {"slot": 1_999_990}),
    "OrderExpired": (409, {"deadline": 1_800_000_001}),
    "AvailableTooSmall": (409, {"energy_wh": 400_000}),
}


@pytest.mark.parametrize("name", ORDER_REFUSALS)
async def test_post_orders__refused__by_name(service: Service, name: str) -> None:
    status, changes = ORDER_REFUSALS[name]
    town = service.town
    body = town.order(
        **{"home": town.homes[0], "slot": await town.open_slot(20), "side": Side.BID, "energy_wh": 100}  # type: ignore[arg-type]
        | {"limit_price": 220_000, "version": 1}
        | changes
    )
    if name == "BeyondHorizon":
        body = town.bid(town.homes[0], await town.open_slot() + 200)
    assert await refused(service, "orders", body) == (status, name)


async def test_post_orders__two_faults__names_the_one_that_the_contract_would(service: Service) -> None:
    """EnergyAuction judges the word before the meter and the signature."""
    town = service.town
    slot = await town.open_slot(20)
    body = town.bid(town.homes[0], slot, limit_price=220_001) | {"meter": 77}
    assert await refused(service, "orders", body) == (422, "PriceOffGrid")


async def test_post_orders__just_before_the_gate__gate_too_close(service: Service) -> None:
    town = service.town
    now = await town.now()
    order = town.bid(town.homes[0], await town.open_slot(21), deadline=now + 10)
    assert await refused(service, "orders", order) == (409, "GateTooClose")


async def test_post_orders__for_anothers_meter__wrong_signer(service: Service) -> None:
    town = service.town
    slot = await town.open_slot(22)
    body = town.bid(town.homes[1], slot, secret=town.homes[0].secret)
    assert await refused(service, "orders", body) == (403, "WrongSigner")


@pytest.mark.parametrize("wrong", ["chain", "contract"])
async def test_post_orders__signed_for_elsewhere__wrong_signer(service: Service, wrong: str) -> None:
    town, home = service.town, service.town.homes[0]
    slot = await town.open_slot(23)
    body = town.bid(home, slot)
    right = town.domain("EnergyAuction")
    elsewhere = Domain(
        right.name,
        right.version,
        right.chain_id + (wrong == "chain"),
        right.verifying_contract if wrong == "chain" else town.contracts.vault.address,
    )
    order = Order(1, slot, home.meter, body["version"], body["deadline"], Side.BID, 1_000, 220_000)
    forged = body | {"signature": "0x" + sign_compact(home.secret, digest(elsewhere, order)).hex()}
    assert await refused(service, "orders", forged) == (403, "WrongSigner")


async def test_post_orders__malleable_signature__is_malformed(service: Service) -> None:
    town = service.town
    body = town.bid(town.homes[0], await town.open_slot(24))
    raw = bytes.fromhex(body["signature"][2:])
    high = SECP256K1_N - int.from_bytes(raw[32:]) % 2**255
    v = 28 if raw[32] < 0x80 else 27
    forged = body | {"signature": "0x" + (raw[:32] + high.to_bytes(32) + bytes([v])).hex()}
    assert await refused(service, "orders", forged) == (422, "SignatureMalformed")


@pytest.mark.parametrize(
    "change",
    [
        {"signature": "0x1234"},
        {"energyWh": -1},
        {"energyWh": 1.5},
        {"energyWh": True},
        {"side": "buy"},
        {"slot": 2**32},
        {"extra": 1},
        {"signature": None},
    ],
)
async def test_post_orders__malformed__says_where(service: Service, change: dict[str, Any]) -> None:
    town = service.town
    body = town.bid(town.homes[0], await town.open_slot(24)) | change
    assert await refused(service, "orders", body) == (422, "RequestInvalid")


async def test_post_orders__replayed__gives_the_same_answer(service: Service) -> None:
    town, home = service.town, service.town.homes[0]
    body = town.bid(home, await town.open_slot(25))
    first = (await service.post("orders", body)).json()
    again = (await service.post("orders", body)).json()
    assert again == first

    async def committed() -> dict[str, Any] | None:
        late: dict[str, Any] = (await service.post("orders", body)).json()["items"][0]
        return late if late["status"] == "committed" else None

    late = await service.until(committed, mine=True)
    assert (late["id"], late["acknowledgement"]) == (first["items"][0]["id"], first["items"][0]["acknowledgement"])


async def test_post_orders__another_payload_under_the_same_version__version_not_newer(service: Service) -> None:
    town, home = service.town, service.town.homes[1]
    slot = await town.open_slot(26)
    (id_,) = await service.accept("orders", town.bid(home, slot, version=3))
    assert await refused(service, "orders", town.bid(home, slot, 2_000, version=3)) == (409, "VersionNotNewer")
    await service.done(id_)
    assert await refused(service, "orders", town.bid(home, slot, 2_000, version=2)) == (409, "VersionNotNewer")
    assert await refused(service, "cancels", town.cancel(home, slot, version=3)) == (409, "VersionNotNewer")


async def test_post_orders__some_good_some_bad__207_in_order(service: Service) -> None:
    town = service.town
    slot = await town.open_slot(27)
    orders = [
        town.bid(town.homes[2], slot),
        town.bid(town.homes[3], slot, limit_price=1),
        town.ask(town.homes[4], slot),
    ]
    response = await service.post("orders", {"orders": orders})
    assert response.status_code == 207
    assert ["error" in item for item in response.json()["items"]] == [False, True, False]


async def test_post_orders__too_many__413(service: Service) -> None:
    town = service.town
    body = {"orders": [town.bid(town.homes[0], await town.open_slot(28))] * 501}
    assert await refused(service, "orders", body) == (413, "TooManyItems")


async def test_post_orders__beyond_the_body_limit__413(service: Service) -> None:
    response = await service.http.post("/v1/orders", content=b" " * (2**20 + 1))
    assert (response.status_code, response.json()["error"]["name"]) == (413, "BodyTooLarge")

    async def chunks() -> Any:
        for _ in range(20):
            yield b" " * 65_536

    response = await service.http.post("/v1/orders", content=chunks(), headers={"Content-Type": "application/json"})
    assert (response.status_code, response.json()["error"]["name"]) == (413, "BodyTooLarge")


async def test_get__unknown_things__404_in_our_shape(service: Service) -> None:
    for path, name in (
        ("nowhere", "NoSuchRoute"),
        ("orders/0x" + "00" * 32, "UnknownOrder"),
        ("requests/0x" + "00" * 32, "UnknownRequest"),
        ("markets/7", "UnknownMarket"),
        ("markets/7/slots/1", "UnknownMarket"),
        ("meters/999", "UnknownMeter"),
        ("devices/0x" + "11" * 20, "UnknownDevice"),
    ):
        response = await service.http.get(f"/v1/{path}")
        assert (response.status_code, response.json()["error"]["name"]) == (404, name), path


async def test_get__malformed_questions__422(service: Service) -> None:
    for path in (
        "orders/0x12",
        "accounts/0x1234",
        "accounts/0x" + "aB" * 20,
        "meters?cursor=1",
        "markets/1/prices?cursor=x",
        f"accounts/0x{'11' * 20}/bill?from=5&to=4",
        "readings?meter=-1",
    ):
        response = await service.http.get(f"/v1/{path}")
        assert response.status_code == 422, (path, response.text)
    response = await service.http.get("/v1/events", headers={"Last-Event-ID": "nonsense"})
    assert (response.status_code, response.json()["error"]["name"]) == (422, "CursorInvalid")


# readings


async def a_past_slot(service: Service) -> int:
    town = service.town
    slot = town.clock.slot_at(await town.now())
    await service.travel(town.clock.end(slot))
    return slot


def reading_signed_for(town: Town, home: TestHome, slot: int, chain_id: int) -> dict[str, Any]:
    right = town.domain("MeterLedger")
    elsewhere = Domain(right.name, right.version, chain_id, right.verifying_contract)
    signature = home.key.sign(digest(elsewhere, Reading(home.meter, slot, 1, 10, 0)))
    return town.reading(home, slot, 10, 0) | {"signature": "0x" + signature.hex()}


async def test_post_readings__refused__by_name(service: Service) -> None:
    town = service.town
    slot = await a_past_slot(service)
    for home in town.homes[:2]:  # one device on each curve
        raw = bytes.fromhex(town.reading(home, slot, 10, 0)["signature"][2:])
        for body, expected in (
            (town.reading(home, slot + 2, 10, 0), (409, "ReadingTooEarly")),
            (town.reading(home, slot - 20, 10, 0), (409, "ReadingTooLate")),
            (town.reading(home, slot, 500_001, 0), (422, "ReadingAboveCapacity")),
            (town.reading(home, slot, 0, 500_001), (422, "ReadingAboveCapacity")),
            (town.reading(home, slot, 10, 0, version=4), (422, "ReadingVersionOutOfRange")),
            (town.reading(home, slot, 10, 0, version=0), (422, "ReadingVersionOutOfRange")),
            (town.reading(home, slot, 10, 0, key=draw_home(901)[1]), (403, "DeviceSignatureInvalid")),
            (reading_signed_for(town, home, slot, 5), (403, "DeviceSignatureInvalid")),
            (town.reading(home, slot, 10, 0) | {"meter": 500}, (404, "MeterUnknown")),
            (town.reading(home, slot, 10, 0) | {"signature": "0x" + raw[:63].hex()}, (422, "RequestInvalid")),
            (
                town.reading(home, slot, 10, 0) | {"signature": "0x" + malleable(home.key, raw).hex()},
                (403, "DeviceSignatureInvalid"),
            ),
        ):
            assert await refused(service, "readings", body) == expected, (home.key.kind, expected)


async def test_post_readings__twice__same_answer_then_not_newer(service: Service) -> None:
    town, home = service.town, service.town.homes[2]
    slot = await a_past_slot(service)
    body = town.reading(home, slot, 100, 0)
    (id_,) = await service.accept("readings", body)
    assert await service.accept("readings", body) == [id_]
    await service.done(id_)
    assert await service.accept("readings", body) == [id_]
    assert await refused(service, "readings", town.reading(home, slot, 101, 0)) == (409, "ReadingNotNewer")


def malleable(key: DeviceKeyPair, signature: bytes) -> bytes:
    """The same consent with the other s."""
    order = (
        0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551
        if key.secret and key.kind == 2
        else SECP256K1_N
    )
    s = int.from_bytes(signature[32:]) % 2**255 if key.kind == 1 else int.from_bytes(signature[32:])
    return signature[:32] + (order - s).to_bytes(32)
