"""What is acknowledged and not on chain yet: nobody learns from the service what they could trade upon."""

from __future__ import annotations

import pytest

from tests.support.acts import Acts, Party
from tests.support.service import Service
from tests.support.town import draw_home

pytestmark = [pytest.mark.asyncio(loop_scope="module"), pytest.mark.chain]

STRANGER = draw_home(930)[0]
WISH = {"side", "energyWh", "limitPriceMicroPerKwh"}


async def test_orders__of_a_meter__say_what_is_wished_once_the_chain_has_it(service: Service) -> None:
    home, slot = service.town.homes[0], await service.town.open_slot(40)
    (id_,) = await service.accept("orders", service.town.bid(home, slot))
    (listed,) = (await service.get("orders", meter=home.meter, slot=slot))["items"]
    assert (listed["status"], listed["id"], listed["version"]) == ("accepted", None, 1)
    assert not WISH & set(listed)
    assert not WISH & set(await service.get(f"orders/{id_}"))
    assert not WISH & set(await service.status(id_))
    await service.done(id_)
    (listed,) = (await service.get("orders", meter=home.meter, slot=slot))["items"]
    assert (listed["status"], listed["id"]) == ("committed", id_)
    assert set(listed) >= WISH


async def test_order__guessed_by_a_stranger__is_refused_as_if_it_were_unknown(service: Service) -> None:
    """Its id says nothing of who signed, so whoever tries all prices would learn which one is there."""
    town, home, slot = service.town, service.town.homes[1], await service.town.open_slot(41)
    body = town.bid(home, slot, version=1)
    (id_,) = await service.accept("orders", body)
    guess = town.bid(home, slot, version=1, secret=STRANGER)
    assert {name for name in body if body[name] != guess[name]} == {"signature"}
    refused = await service.post("orders", guess)
    assert (refused.status_code, refused.json()["error"]["name"]) == (403, "WrongSigner")
    assert "acknowledgement" not in refused.text
    assert (await service.post("orders", body)).status_code == 202, "its signer gets the earlier answer"
    await service.done(id_)
    assert (await service.post("orders", guess)).status_code == 403


async def test_schedule__guessed_by_a_stranger__is_refused(service: Service) -> None:
    home, slot = service.town.homes[2], await service.town.open_slot(42)
    posted = Acts(service.town).schedule(home, Party("home", home.secret), slot)
    (id_,) = await service.accept(posted.path, posted.body)
    guess = posted.body | {"signature": "0x" + "11" * 32 + "22" * 32}
    assert (await service.post(posted.path, guess)).status_code == 403
    assert (await service.post(posted.path, posted.body)).status_code == 202
    await service.done(id_)


async def test_order__of_a_delegate_no_more__keeps_its_earlier_answer(service: Service) -> None:
    """The very same signature is the same request, whatever its key may say now."""
    town, home, slot = service.town, service.town.homes[3], await service.town.open_slot(43)
    owner, agent, acts = Party("home", home.secret), Party("agent", STRANGER), Acts(town)
    await service.done(*await service.accept("delegations", acts.delegation(home.account, owner, agent.account).body))
    await service.caught_up()
    posted = acts.order(home, agent, slot)
    (id_,) = await service.accept(posted.path, posted.body)
    await service.done(id_)
    ended = acts.delegation(home.account, owner, agent.account, until=0)
    await service.done(*await service.accept("delegations", ended.body))
    await service.caught_up()
    assert (await service.post(posted.path, posted.body)).status_code == 202
    other = acts.order(home, agent, slot)
    assert (await service.post(other.path, other.body)).status_code == 403
