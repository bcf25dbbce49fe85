"""What one sender can pile up, how it is told to stop, and that everybody else is served meanwhile."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from pathlib import Path
from typing import Any

import httpx
import pytest

from gridweave.client import wire
from gridweave.client.wire import SignedAct
from gridweave.domain.acts import Possession
from gridweave.domain.eip712 import digest
from gridweave.domain.signatures import address_of
from gridweave.services.errors import TooManyStreams
from gridweave.services.places import Places
from tests.backend.api.test_registry import deposit, enrolment, metering, withdrawal
from tests.support.process import ServiceProcess
from tests.support.service import Service, served
from tests.support.town import draw_home, founded

pytestmark = [pytest.mark.asyncio(loop_scope="module"), pytest.mark.chain]


def names(response: httpx.Response) -> list[str]:
    """Per item its status, or its refusal's name."""
    return [item["error"]["name"] if "error" in item else item["status"] for item in response.json()["items"]]


async def test_orders__sixty_versions_in_one_request__are_relayed_as_far_as_replacements_go(service: Service) -> None:
    town, home = service.town, service.town.homes[0]
    slot = await town.open_slot()
    bodies = [town.bid(home, slot, 100 + n) for n in range(60)]
    response = await service.post("orders", {"orders": bodies})
    assert response.status_code == 207
    assert names(response) == ["accepted"] * 9 + ["TooManyReplacements"] * 51
    assert names(await service.post("orders", {"orders": bodies[:10]})) == names(response)[:10], "known ones stay known"
    await service.done(*[item["id"] for item in response.json()["items"][:9]])
    await service.caught_up()
    assert (await service.post("orders", bodies[9])).json()["error"]["name"] == "TooManyReplacements"


async def test_orders__versions_in_requests_at_once__are_counted_together(service: Service) -> None:
    town, home = service.town, service.town.homes[1]
    slot = await town.open_slot()
    bodies = [town.bid(home, slot, 100 + n) for n in range(24)]
    answers = await asyncio.gather(*(service.post("orders", body) for body in bodies))
    assert sorted(answer.status_code for answer in answers) == [202] * 9 + [422] * 15


async def test_orders__refused_versions__count_as_relayed(service: Service) -> None:
    """Refused by the contract for want of money, each at the relayer's cost."""
    town, home = service.town, service.town.homes[2]
    slot = await town.open_slot()
    dear = [town.bid(home, slot, 400_000 + n) for n in range(12)]
    (busy,) = await service.accept("withdrawals", withdrawal(town, home.secret, 1, 9_000))
    first = await service.post("orders", {"orders": dear[:9]})
    assert names(first) == ["accepted"] * 9
    states = await service.done(busy, *[item["id"] for item in first.json()["items"]])
    assert {state["reason"] for state in states[1:]} == {"AvailableTooSmall"}
    (busy,) = await service.accept("withdrawals", withdrawal(town, home.secret, 1, 9_001))
    assert names(await service.post("orders", {"orders": dear[9:]})) == ["TooManyReplacements"] * 3
    await service.done(busy)


async def test_withdrawals__more_than_one_signer_may_have_under_way__429_with_retry_after(tmp_path: Path) -> None:
    async with (
        founded(tmp_path / "chain", homes=2) as town,
        served(town, tmp_path / "s", most_acts_under_way=3) as service,
    ):
        bodies = [withdrawal(town, town.homes[0].secret, 1, nonce) for nonce in range(6)]
        answers = [await service.post("withdrawals", body) for body in bodies]
        assert [answer.status_code for answer in answers] == [202, 202, 202, 429, 429, 429]
        assert answers[3].json()["error"]["name"] == "TooManyUnderWay"
        assert int(answers[3].headers["Retry-After"]) > 0
        assert (await service.post("withdrawals", bodies[0])).status_code == 202, "the same request, the same answer"
        other = await service.accept("withdrawals", withdrawal(town, town.homes[1].secret, 1, 1))
        await service.done(*other, *[answer.json()["id"] for answer in answers[:3]])
        await service.accept("withdrawals", bodies[3])


async def test_acts__by_a_signer_without_a_role_behind_a_busy_lane__are_refused_at_once(service: Service) -> None:
    town = service.town
    secret, key = draw_home(320)
    endorsed = town.endorsement(key, address_of(secret))
    first = await service.accept("devices", enrolment(town, key, address_of(secret)))
    forged = replace(endorsed, maker=address_of(secret))
    act = town.act(secret, "DeviceRegistry", forged)
    proof = Possession(key.device, forged.maker, forged.owner, forged.deadline)
    body = wire.enrolment_json(
        forged,
        SignedAct(act.signer, act.nonce, act.deadline, act.signature),
        key.sign(digest(town.domain("DeviceRegistry"), proof)),
    )
    refused = await service.post("devices", body)
    assert (refused.status_code, refused.json()["error"]["name"]) == (403, "NotAMaker")
    await service.done(*first)


async def test_meter__the_same_id_with_another_mandate__409(service: Service) -> None:
    town = service.town
    secret, key = draw_home(300)
    await service.done(*await service.accept("devices", enrolment(town, key, address_of(secret))))
    body = metering(town, key, secret, 300)
    (id_,) = await service.accept("meters", body)
    assert await service.accept("meters", body) == [id_]
    other: dict[str, Any] = body | {"mandate": metering(town, key, secret, 301)["mandate"]}
    refused = await service.post("meters", other)
    assert (refused.status_code, refused.json()["error"]["name"]) == (409, "RequestDiffers")
    assert (await service.done(id_))[0]["status"] == "committed"
    assert (await service.post("meters", other)).status_code == 409


async def test_deposit__after_one_was_refused__another_under_the_same_nonce_is_taken(service: Service) -> None:
    town = service.town
    secret, _ = draw_home(310)
    await town.send([town.contracts.currency.mint(address_of(secret), 1_000)])
    await service.caught_up()
    ids = await service.accept("deposits", deposit(town, secret, 600, 0))
    ids += await service.accept("deposits", deposit(town, secret, 600, 1))
    states = await service.done(*ids)
    assert [(s["status"], s["reason"]) for s in states] == [
        ("committed", None),
        ("rejected", "ERC20InsufficientBalance"),
    ]
    assert states[1]["transaction"] is None
    smaller = await service.accept("deposits", deposit(town, secret, 400, 1))
    assert (await service.done(*smaller))[0]["status"] == "committed"

    async def final() -> bool:
        return bool((await service.status(ids[1]))["final"])

    await service.until(final, mine=True)


@pytest.mark.parametrize("cursor", ["9223372036854775808", "-1", "٣", "1" * 40, "x"])
async def test_prices__a_cursor_that_no_page_gave__422(service: Service, cursor: str) -> None:
    response = await service.http.get("/v1/markets/1/prices", params={"cursor": cursor})
    assert (response.status_code, response.json()["error"]["name"]) == (422, "CursorInvalid")
    place = {"cursor": f"{cursor}.1"}
    moves = await service.http.get(f"/v1/accounts/{service.town.homes[0].account}/moves", params=place)
    assert (moves.status_code, moves.json()["error"]["name"]) == (422, "CursorInvalid")


async def test_close__as_the_sender_is_rung__ends(tmp_path: Path) -> None:
    """The bell and the end in one turn of the loop: the end is not lost."""
    async with founded(tmp_path / "chain", homes=1) as town:
        async with asyncio.timeout(20), served(town, tmp_path / "s") as service:
            await service.accept("orders", town.bid(town.homes[0], await town.open_slot()))
            service.runtime._sender.ring()
        assert all(task.done() for task in service.runtime._tasks)


async def test_post__after_the_sender_has_died__is_not_acknowledged(tmp_path: Path) -> None:
    async with founded(tmp_path / "chain", homes=1) as town, served(town, tmp_path / "s") as service:

        async def break_down() -> None:
            raise ZeroDivisionError("a fault that nobody foresaw")

        service.runtime._sender.step = break_down  # type: ignore[method-assign]
        order = town.bid(town.homes[0], await town.open_slot())

        async def dead() -> bool:
            return (await service.http.get("/readyz")).status_code == 503

        await service.until(dead)
        for path, body in (("orders", order), ("withdrawals", withdrawal(town, town.homes[0].secret, 1, 1))):
            refused = await service.post(path, body)
            assert (refused.status_code, refused.json()["error"]["name"]) == (503, "Unavailable")
            assert int(refused.headers["Retry-After"]) > 0
        assert await service.runtime.world.outbox.pending() == []
        assert (await service.get("markets"))["items"], "what is known can still be read"


async def test_events__more_readers_than_places__503_and_a_place_comes_back(tmp_path: Path) -> None:
    async with founded(tmp_path / "chain", homes=0) as town:
        with ServiceProcess(town, tmp_path, most_streams=1) as service:
            await service.start()
            async with httpx.AsyncClient(base_url=service.url, trust_env=False, timeout=10) as http:
                async with http.stream("GET", "/v1/events") as first:
                    assert first.status_code == 200
                    second = await http.get("/v1/events")
                    assert (second.status_code, second.json()["error"]["name"]) == (503, "TooManyStreams")
                    assert int(second.headers["Retry-After"]) > 0
                async with asyncio.timeout(10):
                    while True:
                        async with http.stream("GET", "/v1/events") as again:
                            if again.status_code == 200:
                                break
                        await asyncio.sleep(0.1)


async def test_places__taken_and_given_back__count() -> None:
    places = Places(1, TooManyStreams)
    places.enter()
    with pytest.raises(TooManyStreams):
        places.enter()
    places.leave()
    places.enter()
