"""Subscribers are told what they may see, in order, with their token, until they take it; never behind our own door."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

from gridweave.services.vtn import delivery
from gridweave.services.vtn.addresses import PublicResolver, check_callback
from gridweave.services.vtn.delivery import MOST_ATTEMPTS
from gridweave.services.vtn.errors import Malformed
from gridweave.store.vtn import Notice
from gridweave.timing import now_ms
from tests.support.callbacks import Subscriber, listening
from tests.support.vtn import Knocking, TestVtn, running_vtn

Json = dict[str, Any]
ALL = ["CREATE", "UPDATE", "DELETE"]


@pytest_asyncio.fixture
async def subscriber() -> AsyncIterator[Subscriber]:
    async with listening() as found:
        yield found


@pytest_asyncio.fixture
async def vtn(tmp_path: Path) -> AsyncIterator[TestVtn]:
    async with running_vtn(tmp_path / "vtn", vtn_private_webhooks=True) as found:
        yield found


def wish(subscriber: Subscriber, *objects: str, **fields: Any) -> Json:
    operation = {"objects": list(objects), "operations": ALL, "callbackUrl": subscriber.url, "bearerToken": "s3cret"}
    return {"clientName": "me", "objectOperations": [operation], **fields}


async def subscribed(client: Knocking, subscriber: Subscriber, *objects: str, **fields: Any) -> Json:
    return await client.make("/subscriptions", wish(subscriber, *objects, **fields))


async def test_notices__of_an_events_life__come_in_order_with_the_bearer_token(
    vtn: TestVtn, subscriber: Subscriber
) -> None:
    await vtn.granted("building", "north")
    program, other = await vtn.program(), await vtn.program("other")
    await subscribed(vtn.building, subscriber, "EVENT", programID=program["id"])
    await vtn.event(other, eventName="of another program")
    await vtn.event(program, "south", eventName="not for it")
    event = await vtn.event(program, "north", "south", eventName="first")
    await vtn.utility.ask("PUT", f"/events/{event['id']}", {"programID": program["id"], "eventName": "second"})
    await vtn.utility.ask("DELETE", f"/events/{event['id']}")
    told = await subscriber.until(3)
    assert [each["operation"] for each in told] == ALL
    assert {each["objectType"] for each in told} == {"EVENT"}
    assert told[0]["object"] == event | {"targets": ["north"]}, "others' targets are hidden"
    assert told[1]["object"]["eventName"] == "second"
    assert {bearer for _, bearer in subscriber.told} == {"Bearer s3cret"}
    await asyncio.sleep(0.2)
    assert len(subscriber.told) == 3
    assert await vtn.vtn.store.waiting() == 0


async def test_notices__told_while_the_store_is_asked_what_is_due__are_not_told_again(
    vtn: TestVtn, subscriber: Subscriber, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = vtn.vtn.store.due

    async def slowly(now: int, limit: int) -> list[Notice]:
        found = await asked(now, limit)
        await asyncio.sleep(0.2)
        return found

    program = await vtn.program()
    await subscribed(vtn.utility, subscriber, "EVENT")
    monkeypatch.setattr(vtn.vtn.store, "due", slowly)
    for name in ("one", "two", "three"):
        await vtn.event(program, eventName=name)
        await asyncio.sleep(0.1)
    await subscriber.until(3)
    await asyncio.sleep(1)
    assert [each["object"]["eventName"] for each in await subscriber.until(3)] == ["one", "two", "three"]
    assert len(subscriber.told) == 3


async def test_notices__of_a_vens_reports__go_to_business_logic_and_to_no_other_ven(
    vtn: TestVtn, subscriber: Subscriber
) -> None:
    event = await vtn.event(await vtn.program())
    async with listening() as stranger:
        await subscribed(vtn.battery, stranger, "REPORT", "VEN")
        await subscribed(vtn.utility, subscriber, "REPORT", "VEN")
        await vtn.building.make("/vens", {"objectType": "VEN_VEN_REQUEST", "venName": "house"})
        await vtn.building.make("/reports", {"eventID": event["id"], "clientName": "b", "resources": []})
        assert [each["objectType"] for each in await subscriber.until(2)] == ["VEN", "REPORT"]
        await asyncio.sleep(0.2)
        assert stranger.told == []


async def test_notices__by_the_subscriptions_targets__are_those_alone(vtn: TestVtn, subscriber: Subscriber) -> None:
    program = await vtn.program()
    await subscribed(vtn.utility, subscriber, "EVENT", targets=["north"])
    await vtn.event(program, "south")
    await vtn.event(program)
    north = await vtn.event(program, "north")
    assert [each["object"]["id"] for each in await subscriber.until(1)] == [north["id"]]


async def test_notices__not_taken__are_told_again_also_after_a_restart(
    tmp_path: Path, subscriber: Subscriber, monkeypatch: pytest.MonkeyPatch
) -> None:
    subscriber.status = 500
    async with running_vtn(tmp_path, vtn_private_webhooks=True) as vtn:
        await subscribed(vtn.utility, subscriber, "PROGRAM")
        await vtn.program("one")
        await vtn.program("two")
        await subscriber.until(1)
        assert await vtn.vtn.store.waiting() == 2
    subscriber.status = 204
    subscriber.told.clear()
    async with running_vtn(tmp_path, vtn_private_webhooks=True):
        told = await subscriber.until(2)
    assert [each["object"]["programName"] for each in told] == ["one", "two"], "the second waits for the first"


async def test_notices__never_taken__are_given_up(
    vtn: TestVtn, subscriber: Subscriber, monkeypatch: pytest.MonkeyPatch
) -> None:
    ahead = [0]
    monkeypatch.setattr(delivery, "now_ms", lambda: now_ms() + ahead[0])
    subscriber.status = 302
    await subscribed(vtn.utility, subscriber, "PROGRAM")
    await vtn.program()
    for attempt in range(MOST_ATTEMPTS):
        await subscriber.until(attempt + 1)
        ahead[0] += 10_000_000
        vtn.vtn.delivery.ring()
    async with asyncio.timeout(5):
        while await vtn.vtn.store.waiting():  # noqa: ASYNC110 - nobody tells us
            await asyncio.sleep(0.02)
    assert len(subscriber.told) == MOST_ATTEMPTS, "and no redirect was followed"


async def test_subscription__that_is_deleted__is_told_nothing_more(vtn: TestVtn, subscriber: Subscriber) -> None:
    subscription = await subscribed(vtn.utility, subscriber, "PROGRAM", "SUBSCRIPTION")
    await subscriber.until(0)
    await vtn.utility.ask("DELETE", f"/subscriptions/{subscription['id']}")
    await vtn.program()
    await asyncio.sleep(0.2)
    assert [each["objectType"] for each, _ in subscriber.told if each["objectType"] == "PROGRAM"] == []


async def test_subscription__whose_callback_does_not_echo__is_refused(vtn: TestVtn, subscriber: Subscriber) -> None:
    subscriber.echoes = False
    assert await vtn.building.refused("POST", "/subscriptions", wish(subscriber, "EVENT")) == 400
    assert await vtn.building.get("/subscriptions") == []
    subscriber.echoes = True
    made = await subscribed(vtn.building, subscriber, "EVENT")
    subscriber.echoes = False
    assert await vtn.building.refused("PUT", f"/subscriptions/{made['id']}", wish(subscriber, "EVENT")) == 400


PRIVATE = [
    "https://127.0.0.1/x",
    "https://10.0.0.1/",
    "https://192.168.1.1/",
    "https://169.254.169.254/latest",
    "https://100.64.0.1/",
    "https://0.0.0.0/",
    "https://224.0.0.1/",
    "https://[::1]/",
    "https://[fd00::1]/",
    "https://[fe80::1]/",
    "https://[::ffff:127.0.0.1]/",
    "https://[2002:7f00:1::]/",
    "http://example.com/",
    "ftp://example.com/",
    "https:///x",
    "https://user@example.com/",
    "https://[::1/",
]


@pytest.mark.parametrize("url", PRIVATE)
def test_check_callback__private_or_without_tls__is_refused(url: str) -> None:
    with pytest.raises(Malformed):
        check_callback(url, private=False)
    check_callback("https://example.com:8443/x?y=1", private=False)
    check_callback("https://93.184.216.34/", private=False)


@pytest.mark.parametrize("name", ["localhost", "127.1", "2130706433", "0x7f000001"])
async def test_resolver__of_a_name_that_leads_home__refuses(name: str) -> None:
    resolver = PublicResolver(private=False)
    try:
        with pytest.raises(OSError, match="private address"):
            await resolver.resolve(name, 443, socket.AF_INET)
        found = await PublicResolver(private=True).resolve("localhost", 443, socket.AF_INET)
        assert found[0]["host"] == "127.0.0.1"
    finally:
        await resolver.close()


async def test_subscription__to_a_name_that_leads_home__is_refused_before_anything_is_sent(
    tmp_path: Path, subscriber: Subscriber
) -> None:
    port = subscriber.url.rsplit(":", 1)[1].split("/")[0]
    async with running_vtn(tmp_path) as vtn:
        body = wish(subscriber, "EVENT")
        for url in (f"https://localhost:{port}/", f"https://127.1:{port}/", subscriber.url):
            body["objectOperations"][0]["callbackUrl"] = url
            assert await vtn.building.refused("POST", "/subscriptions", body) == 400
    assert subscriber.told == []
