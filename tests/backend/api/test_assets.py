"""Assets through REST: devices report their states, the roof that under-delivers is named, pages say the same.

Five roofs hang on feeder 12, of which the first gives half of what the others do; behind the sixth home's meter stand
a roof and a battery.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any

import httpx
import pytest
import pytest_asyncio

from gridweave.client import wire
from gridweave.client.wire import SignedAct
from gridweave.domain.acts import AssetKind, AssetRegistration, AssetState, AssetStateReport, MeterEnd
from gridweave.domain.asset_performance import LEAST_COMPARED
from gridweave.domain.eip712 import digest
from tests.support.service import Service, served
from tests.support.town import FOREVER, DeviceKeyPair, TestHome, founded

pytestmark = [pytest.mark.asyncio(loop_scope="module"), pytest.mark.chain]

FEEDER, ROOFS, SHARED_ROOF, SHARED_BATTERY, SPARE = 12, range(1, 6), 6, 7, 8
SLOTS = LEAST_COMPARED + 1
AT_ONCE = 6
"""Slots whose readings are sent together, well within the time for corrections."""

S = AssetState


@dataclass
class Feeder:
    """What stands, and the slots that were read."""

    service: Service
    first: int
    last: int

    def home_of(self, asset: int) -> TestHome:
        return self.service.town.homes[min(asset, SHARED_ROOF) - 1]

    def report(self, asset: int, state: str, since: int, key: DeviceKeyPair, deadline: int = FOREVER) -> dict[str, Any]:
        said = AssetStateReport(asset, S[state.upper()], since, deadline)
        signature = key.sign(digest(self.service.town.domain("DERRegistry"), said))
        return {
            "asset": asset,
            "state": state,
            "since": since,
            "deadline": deadline,
            "signature": "0x" + signature.hex(),
        }

    async def say(self, asset: int, *states: str) -> int:
        """The device's own reports, a second between them, the last of the newest block; when that is."""
        await self.service.travel(await self.service.town.now() + len(states) + 1)
        now = await self.service.town.now()
        ids: list[str] = []
        for at, state in enumerate(states):
            body = self.report(asset, state, now - len(states) + at + 1, self.home_of(asset).key)
            ids += await self.service.accept("asset-states", body)
        assert {found["status"] for found in await self.service.done(*ids)} == {"committed"}
        await self.service.caught_up()
        return now

    async def refused(self, asset: int, state: str, since: int, **changes: Any) -> tuple[int, str]:
        body = self.report(asset, state, since, changes.pop("key", self.home_of(asset).key), **changes)
        response = await self.service.post("asset-states", body)
        return response.status_code, response.json()["error"]["name"]

    async def page(self, path: str) -> httpx.Response:
        return await self.service.http.get(f"/v1/{path}", headers={"accept": "text/html,application/xhtml+xml"})


async def register(service: Service, meter: int, kind: AssetKind, nonce: int, feeder: int = FEEDER) -> None:
    said = AssetRegistration(meter, kind, 10_000, 0, feeder, nonce, FOREVER)
    act = service.town.act(service.town.keys["operator"], "DERRegistry", said)
    body = wire.asset_json(said, SignedAct(act.signer, act.nonce, act.deadline, act.signature))
    await service.done(*await service.accept("assets", body))
    await service.caught_up()


async def read(service: Service, first: int, last: int) -> None:
    """A roof of 10 kW gives 1,000 Wh a quarter hour, the first one half, and the home of the shared meter 1,000."""
    town = service.town
    for start in range(first, last + 1, AT_ONCE):
        slots = range(start, min(start + AT_ONCE, last + 1))
        await service.travel(town.clock.end(slots[-1]) + 1)
        gives = [(home, 500 if at == 0 else 1_000) for at, home in enumerate(town.homes)]
        bodies = [town.reading(home, slot, 0, given) for slot in slots for home, given in gives]
        await service.done(*await service.accept("readings", {"readings": bodies}))
        await service.caught_up()


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def feeder(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Feeder]:
    folder = tmp_path_factory.mktemp("feeder")
    async with founded(folder / "chain", homes=6) as town, served(town, folder / "service") as service:
        for asset in ROOFS:
            await register(service, town.homes[asset - 1].meter, AssetKind.PHOTOVOLTAIC, asset)
        await register(service, town.homes[5].meter, AssetKind.PHOTOVOLTAIC, SHARED_ROOF)
        await register(service, town.homes[5].meter, AssetKind.BATTERY, SHARED_BATTERY, feeder=0)
        await register(service, town.homes[5].meter, AssetKind.WIND, SPARE, feeder=99)
        found = Feeder(service, 0, 0)
        for asset in (*ROOFS, SHARED_ROOF, SHARED_BATTERY):
            await found.say(asset, "commissioned", "online")
        found.first = town.clock.slot_at(await town.now()) + 1
        found.last = found.first + SLOTS - 1
        await read(service, found.first, found.last)
        yield found


# refusals


async def test_state__of_an_unknown_asset__is_404(feeder: Feeder) -> None:
    assert await feeder.refused(99, "commissioned", await feeder.service.town.now()) == (404, "UnknownAsset")


async def test_state__signed_by_another_device__is_refused(feeder: Feeder) -> None:
    now, other = await feeder.service.town.now(), feeder.home_of(2).key
    assert await feeder.refused(1, "offline", now, key=other) == (403, "DeviceSignatureInvalid")


@pytest.mark.parametrize(
    ("state", "ahead", "refusal"),
    [
        ("online", 0, (409, "StateNotReachable")),
        ("commissioned", 0, (409, "StateNotReachable")),
        ("offline", 5, (409, "StateFromFuture")),
        ("offline", -(10**7), (422, "StateBeforeRegistration")),
    ],
)
async def test_state__against_a_rule__is_refused_in_the_contracts_words(
    feeder: Feeder, state: str, ahead: int, refusal: tuple[int, str]
) -> None:
    assert await feeder.refused(2, state, await feeder.service.town.now() + ahead) == refusal


async def test_state__since_a_time_that_another_has__is_refused(feeder: Feeder) -> None:
    since = (await feeder.service.get("assets/2"))["stateSince"]
    assert await feeder.refused(2, "offline", since) == (409, "StateNotNewer")


async def test_state__whose_deadline_has_passed__is_refused(feeder: Feeder) -> None:
    now = await feeder.service.town.now()
    assert await feeder.refused(2, "offline", now, deadline=now - 1) == (409, "ActExpired")


@pytest.mark.parametrize("changes", [{"state": "unreported"}, {"state": 2}, {"since": -1}, {"signature": "0x00"}])
async def test_state__malformed__is_422(feeder: Feeder, changes: dict[str, Any]) -> None:
    body = feeder.report(2, "offline", 1, feeder.home_of(2).key) | changes
    response = await feeder.service.post("asset-states", body)
    assert (response.status_code, response.json()["error"]["name"]) == (422, "RequestInvalid")


async def test_asset__that_nobody_registered__is_404(feeder: Feeder) -> None:
    response = await feeder.service.http.get("/v1/assets/99")
    assert (response.status_code, response.json()["error"]["name"]) == (404, "UnknownAsset")


@pytest.mark.parametrize("span", [{"from": 5}, {"to": 5}, {"from": 6, "to": 5}, {"from": 0, "to": 3_200}])
async def test_asset__of_a_span_that_is_none__is_422(feeder: Feeder, span: dict[str, int]) -> None:
    response = await feeder.service.http.get("/v1/assets/1", params=span)
    assert (response.status_code, response.json()["error"]["name"]) == (422, "SpanNotAllowed")


@pytest.mark.parametrize("query", ["kind=sun", "feeder=-1", "limit=101", "cursor=x", "format=pdf"])
async def test_assets__asked_for_what_is_none__is_422(feeder: Feeder, query: str) -> None:
    assert (await feeder.service.http.get(f"/v1/assets?{query}")).status_code == 422


# figures


async def test_assets__of_a_feeder__name_the_roof_that_under_delivers(feeder: Feeder) -> None:
    found = (await feeder.service.get("assets", feeder=FEEDER, kind="photovoltaic"))["items"]
    assert [item["asset"] for item in found] == [*ROOFS, SHARED_ROOF]
    assert {item["asset"] for item in found if "underDelivers" in item["flags"]} == {1}
    ratios = [item["performance"]["ratioBp"] for item in found]
    assert ratios == [5_000, 10_000, 10_000, 10_000, 10_000, None]


async def test_asset__over_the_slots_that_were_read__has_figures_to_the_last_digit(feeder: Feeder) -> None:
    found = await feeder.service.get("assets/1", **{"from": feeder.first, "to": feeder.last})
    assert found["window"] == {
        "from": feeder.first,
        "to": feeder.last,
        "startsAt": feeder.first * 900,
        "endsAt": (feeder.last + 1) * 900,
    }
    assert found["availability"] == {
        "commissionedS": SLOTS * 900,
        "onlineS": SLOTS * 900,
        "maintenanceS": 0,
        "onlineBp": 10_000,
        "maintenanceBp": 0,
        "unplannedBp": 10_000,
    }
    assert found["performance"] == {
        "slots": SLOTS,
        "readSlots": SLOTS,
        "sharedSlots": 0,
        "exportWh": SLOTS * 500,
        "yieldWhPerKw": SLOTS * 50,
        "capacityFactorBp": 2_000,  # 500 Wh in a quarter hour are 2 kW of 10
        "peers": 4,
        "comparedSlots": SLOTS,
        "ratioBp": 5_000,
    }
    assert found["lastSeen"] >= (feeder.last + 1) * 900
    assert [state["state"] for state in found["states"]] == ["commissioned", "online"]
    assert found["block"] == found["states"][-1]["block"]


async def test_asset__behind_a_shared_meter__has_neither_yield_nor_ratio(feeder: Feeder) -> None:
    for asset in (SHARED_ROOF, SHARED_BATTERY):
        found = await feeder.service.get(f"assets/{asset}", **{"from": feeder.first, "to": feeder.last})
        performance = found["performance"]
        assert (performance["slots"], performance["sharedSlots"]) == (0, SLOTS)
        nothing = ("exportWh", "yieldWhPerKw", "capacityFactorBp", "ratioBp")
        assert [performance[name] for name in nothing] == [None] * 4
        assert found["availability"]["onlineBp"] == 10_000


async def test_asset__that_was_never_commissioned__has_no_figures_and_no_flags(feeder: Feeder) -> None:
    found = await feeder.service.get(f"assets/{SPARE}")
    assert (found["state"], found["stateSince"], found["flags"], found["states"]) == ("unreported", None, [], [])
    assert found["availability"]["onlineBp"] is None
    assert found["performance"]["slots"] == 0


async def test_asset__in_slots_to_come__has_none_yet(feeder: Feeder) -> None:
    found = await feeder.service.get("assets/1", **{"from": feeder.last + 1_000, "to": feeder.last + 1_001})
    assert found["window"]["to"] < found["window"]["from"]
    assert (found["availability"]["commissionedS"], found["performance"]["slots"]) == (0, 0)


async def test_assets__page_by_page__are_all_of_them_once(feeder: Feeder) -> None:
    found: list[int] = []
    cursor: str | None = None
    while True:
        more = {"cursor": cursor} if cursor else {}
        page = await feeder.service.get("assets", limit=3, **more)
        found += [item["asset"] for item in page["items"]]
        cursor = page["nextCursor"]
        if not cursor:
            break
    assert found == list(range(1, SPARE + 1))


async def test_meter__shows_its_assets_with_their_feeder(feeder: Feeder) -> None:
    found = await feeder.service.get(f"meters/{feeder.home_of(SHARED_ROOF).meter}")
    assert [(asset["asset"], asset["feeder"]) for asset in found["assets"]] == [(6, FEEDER), (7, 0), (8, 99)]


# states


async def test_state__reported__stands_once_however_often_it_is_sent(feeder: Feeder) -> None:
    service = feeder.service
    now = await feeder.say(3, "maintenance")
    body = feeder.report(3, "maintenance", now, feeder.home_of(3).key)
    again = await service.post("asset-states", body)
    assert again.status_code == 202
    found = await service.get("assets/3")
    assert (found["state"], found["stateSince"]) == ("maintenance", now)
    assert [state["state"] for state in found["states"]] == ["commissioned", "online", "maintenance"]
    assert found["states"][-1]["transaction"] == (await service.get(f"requests/{again.json()['id']}"))["transaction"]


async def test_state__other_than_the_one_under_way_since_that_second__is_refused(feeder: Feeder) -> None:
    service = feeder.service
    await service.travel(await service.town.now() + 5)
    now = await service.town.now()
    await service.accept("asset-states", feeder.report(5, "offline", now, feeder.home_of(5).key))
    assert await feeder.refused(5, "fault", now) == (409, "NonceUsed")


async def test_state__of_a_fault__is_flagged_with_the_time_out_of_service(feeder: Feeder) -> None:
    service = feeder.service
    await feeder.say(4, "fault")
    slot = service.town.clock.slot_at(await service.town.now())
    await service.travel(service.town.clock.end(slot + 3) + 1)
    found = await service.get("assets/4", **{"from": slot + 1, "to": slot + 3})
    assert found["availability"] | {"commissionedS": 0} == {
        "commissionedS": 0,
        "onlineS": 0,
        "maintenanceS": 0,
        "onlineBp": 0,
        "maintenanceBp": 0,
        "unplannedBp": 0,
    }
    assert found["flags"] == ["unavailable", "fault", "unread"]
    assert found["performance"]["exportWh"] is None


async def test_state__decommissioned__is_the_end(feeder: Feeder) -> None:
    now = await feeder.say(SHARED_BATTERY, "decommissioned")
    found = await feeder.service.get(f"assets/{SHARED_BATTERY}")
    assert (found["state"], found["flags"], found["lastSeen"]) == ("decommissioned", [], now)
    await feeder.service.travel(now + 10)
    assert await feeder.refused(SHARED_BATTERY, "online", now + 5) == (409, "StateNotReachable")


# pages


async def test_page__of_a_feeder__names_the_asset_first_and_loads_nothing(feeder: Feeder) -> None:
    page = await feeder.page(f"assets?feeder={FEEDER}&kind=photovoltaic")
    assert page.headers["content-type"].startswith("text/html")
    assert page.headers["content-security-policy"].startswith("default-src 'none'; style-src 'sha256-")
    assert page.headers["vary"] == "Accept"
    first = page.text.split("<tbody>")[1].split("</tr>")[0]
    assert '<a href="/v1/assets/1?format=html">' in first
    assert "under-delivers" in first
    for outside in ("<script", "http://", "https://", "url("):
        assert outside not in page.text


async def test_page__of_an_asset__says_what_its_answer_says(feeder: Feeder) -> None:
    page = await feeder.page(f"assets/1?from={feeder.first}&to={feeder.last}")
    assert page.status_code == 200
    assert "<td>50.00 %</td>" in page.text
    assert "4 of its kind on the feeder" in page.text
    shared = await feeder.page(f"assets/{SHARED_ROOF}?from={feeder.first}&to={feeder.last}")
    assert f"In {SLOTS} slots other assets stood behind the meter too" in shared.text


async def test_page__asked_for_as_json__is_json(feeder: Feeder) -> None:
    response = await feeder.service.http.get("/v1/assets/1?format=json", headers={"accept": "text/html"})
    assert response.json()["asset"] == 1


# a meter's end


async def test_state__once_its_meter_has_ended__stands_as_it_was(feeder: Feeder) -> None:
    """Last of all: the home's meter ends, and time passes until it has."""
    service, town = feeder.service, feeder.service.town
    until = town.clock.slot_at(await town.now()) + 194
    said = MeterEnd(feeder.home_of(2).meter, until, 77, FOREVER)
    act = town.act(town.keys["operator"], "DERRegistry", said)
    body = wire.meter_end_json(said, SignedAct(act.signer, act.nonce, act.deadline, act.signature))
    await service.done(*await service.accept(f"meters/{said.meter}/end", body))
    await service.travel(town.clock.start(until) + 1)
    assert await feeder.refused(2, "offline", await town.now()) == (409, "AssetMeterNotInForce")
    await service.travel(town.clock.end(until + 1))
    found = await service.get("assets/2", **{"from": until - 2, "to": until + 1})
    assert (found["state"], found["flags"]) == ("online", [])
    assert (found["availability"]["commissionedS"], found["performance"]["slots"]) == (2 * 900, 2)
