"""Who is paid for orders that were left sends what its orders wait for, or more than can be proved in time."""

from __future__ import annotations

import pytest

from gridweave.domain.eip712 import digest
from gridweave.domain.signatures import recover
from gridweave.services.refusals import Refusals
from tests.backend.api.test_bonds import post_bond, promise_of
from tests.backend.api.test_registry import withdrawal
from tests.support.service import Service

pytestmark = [pytest.mark.asyncio(loop_scope="module"), pytest.mark.chain]


async def test_order__behind_acts_of_its_account__has_nobody_to_answer_for_it(service: Service) -> None:
    """Each act waits for the one before, a block at least: the order's gate could close meanwhile."""
    await post_bond(service)
    town, home, other = service.town, *service.town.homes[:2]
    sponsor, slot = town.keys["utility"].address, await town.open_slot()
    acts = [(await service.accept("withdrawals", withdrawal(town, home.secret, 1, n)))[0] for n in range(4)]
    body = town.bid(home, slot)
    behind, free = (await service.post("orders", {"orders": [body, town.bid(other, slot)]})).json()["items"]
    assert (behind["sponsor"], free["sponsor"]) == (None, sponsor)
    promise = promise_of(town, behind, body)
    assert recover(digest(town.domain("RelayerBond"), promise.said), promise.signature) == promise.relayer
    await service.done(*acts, behind["id"], free["id"])
    later = (await service.post("orders", town.bid(home, slot + 1))).json()["items"][0]
    assert later["sponsor"] == sponsor
    await service.done(later["id"])


async def test_orders__more_of_one_account_than_are_proved_in_time__have_nobody_to_answer(service: Service) -> None:
    town, home, slot = service.town, service.town.homes[2], await service.town.open_slot()
    most = service.runtime.world.settings.most_backed
    bodies = [town.bid(home, slot + n, 100) for n in range(most + 2)]
    items = (await service.post("orders", {"orders": bodies})).json()["items"]
    assert [item["sponsor"] is None for item in items] == [False] * most + [True] * 2
    await service.done(*[item["id"] for item in items])


async def test_proof__of_an_account_with_acts_under_way__does_not_wait_for_them(service: Service) -> None:
    town, home, slot = service.town, service.town.homes[3], await service.town.open_slot()
    bodies = [town.bid(home, slot + n, 150_000) for n in range(2)]  # 33.00 each, of 50.00
    answers = (await service.post("orders", {"orders": bodies})).json()["items"]
    acts = [(await service.accept("withdrawals", withdrawal(town, home.secret, 1, n)))[0] for n in range(12)]
    promise = promise_of(town, answers[1], bodies[1])

    async def proved() -> int:
        request = promise.said.request
        return await town.contracts.bond.refused_at(request, request, promise.said.signature_hash)

    assert await service.until(proved, mine=True)
    assert (await service.status(acts[6]))["status"] == "accepted"
    await service.done(*acts)


async def test_refusals__recorded_after_the_index_moved__are_proved_without_another_block(
    service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A block later could be a block too late."""
    looks = 0

    async def look(_: Refusals) -> int:
        nonlocal looks
        looks += 1
        return 0

    await service.caught_up()
    head = await service.town.chain.node.request("eth_blockNumber")
    monkeypatch.setattr(Refusals, "look", look)

    async def looked_again() -> bool:
        return looks > 3

    assert await service.until(looked_again)
    assert await service.town.chain.node.request("eth_blockNumber") == head
