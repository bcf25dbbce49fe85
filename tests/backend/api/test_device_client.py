"""A device's own program and its people's, as `gridweave.client` writes them, live a life on the real service."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from typing import Any, TypeVar

import httpx
import pytest
import pytest_asyncio

from gridweave.client import (
    DeviceHolder,
    DeviceKey,
    GridweaveClient,
    HandoverWord,
    Item,
    MakersList,
    OwnDevice,
    ServiceError,
    Wallet,
)
from gridweave.domain.acts import KeyKind
from gridweave.domain.device_acts import Handover
from gridweave.domain.eip712 import Domain
from tests.support.service import Service
from tests.support.town import draw_home

pytestmark = [pytest.mark.asyncio(loop_scope="module"), pytest.mark.chain]

WEEK, HOUR, MODEL = 7 * 86_400, 3_600, 9
KINDS = (KeyKind.SECP256K1, KeyKind.P256)
T = TypeVar("T")


class Bridge(httpx.BaseTransport):
    """From a thread's client to the service in the test's own loop."""

    def __init__(self, service: Service) -> None:
        self._http, self._loop = service.http, asyncio.get_running_loop()

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        sent = self._http.request(
            request.method, str(request.url.raw_path, "ascii"), content=request.read(), headers=request.headers
        )
        answer = asyncio.run_coroutine_threadsafe(sent, self._loop).result(30)
        kept = {name: value for name, value in answer.headers.items() if name != "content-length"}
        return httpx.Response(answer.status_code, headers=kept, content=answer.content)


class Street:
    """The clients, and a way to let them act."""

    def __init__(self, service: Service) -> None:
        self.service = service
        self.client = GridweaveClient("http://service", http=httpx.Client(transport=Bridge(service)), attempts=1)
        keys = service.town.keys
        self.maker, self.operator = (
            DeviceHolder(self.client, Wallet(keys[role].secret)) for role in ("maker", "operator")
        )
        self.owner, self.buyer = (DeviceHolder(self.client, Wallet(draw_home(number)[0])) for number in (700, 701))

    async def ask(self, what: Callable[..., T], *arguments: Any) -> T:
        """In a thread, as the clients' own programs call it."""
        return await asyncio.to_thread(what, *arguments)

    async def do(self, what: Callable[..., Item], *arguments: Any) -> None:
        """What is acknowledged and then stands."""
        item = await self.ask(what, *arguments)
        (state,) = await self.service.done(item.id)
        assert (state["status"], state["reason"]) == ("committed", None)
        await self.service.caught_up()

    async def refusal(self, what: Callable[..., Any], *arguments: Any) -> str:
        with pytest.raises(ServiceError) as refused:
            await self.ask(what, *arguments)
        return refused.value.name

    async def until(self) -> int:
        return await self.service.town.now() + HOUR


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def street(service: Service) -> AsyncIterator[Street]:
    made = Street(service)
    yield made
    made.client.close()


async def born(street: Street, *kinds: KeyKind) -> list[OwnDevice]:
    """Devices that claimed themselves for the owner, from a batch whose list went through a file."""
    keys = [DeviceKey.create(kind) for kind in kinds]
    listed = MakersList.of(MODEL, [(key.device.lower(), key.kind) for key in keys])
    maker = MakersList.from_json(json.loads(json.dumps(listed.to_json())))
    assert maker == listed
    await street.do(street.maker.register_batch, maker, await street.until())
    own = [OwnDevice(street.client, key) for key in keys]
    for each in own:
        await street.do(each.claim, maker, street.owner.wallet.address, await street.until())
    batch = await street.ask(street.client.device_batch, "0x" + maker.root.hex())
    assert (batch["size"], batch["claimed"], batch["model"]) == (len(kinds), len(kinds), MODEL)
    return own


async def test_batch__closed__lets_no_further_device_claim_itself(street: Street) -> None:
    key, stranger = DeviceKey.create(KeyKind.P256), DeviceKey.create(KeyKind.P256)
    maker = MakersList.of(MODEL, [(key.device, key.kind)])
    claim = street.owner.wallet.address, await street.until()
    assert await street.refusal(OwnDevice(street.client, key).claim, maker, *claim) == "UnknownBatch"
    assert await street.refusal(street.owner.register_batch, maker, await street.until()) == "NotAMaker"
    await street.do(street.maker.register_batch, maker, await street.until())
    with pytest.raises(KeyError):
        await street.ask(OwnDevice(street.client, stranger).claim, maker, *claim)
    await street.do(street.operator.close_batch, maker.root, await street.until())
    assert await street.refusal(OwnDevice(street.client, key).claim, maker, *claim) == "BatchIsClosed"


@pytest.mark.parametrize("kind", KINDS)
async def test_device__rotates_and_goes_on_with_its_next_key(street: Street, kind: KeyKind) -> None:
    (own,) = await born(street, kind)
    following = DeviceKey.create(KINDS[kind is KeyKind.SECP256K1])
    await street.do(own.rotate, following, await street.until())
    assert await street.refusal(own.rotate, DeviceKey.create(kind), await street.until()) == "DeviceSignatureInvalid"
    renewed = OwnDevice(street.client, following, own.device)
    assert (await street.ask(street.client.device, own.device))["key"] == following.device
    if following.kind is KeyKind.P256:
        await street.do(street.client.keep_device_key, own.device)
    else:
        assert await street.refusal(street.client.keep_device_key, own.device) == "KeyNotToKeep"
    await street.do(renewed.rotate, DeviceKey.create(kind), await street.until())
    document = await street.ask(street.client.device_document, own.device)
    assert document["didDocument"]["assertionMethod"][1].endswith("#delegate-5")
    first = await street.ask(
        street.client.device_document, own.device, int(document["didDocumentMetadata"]["versionId"]) - 1
    )
    assert first["didDocument"]["assertionMethod"][1].endswith("#delegate-3")


async def test_device__handed_over__is_the_buyer_s(street: Street) -> None:
    own, other = await born(street, *KINDS)
    buyer = street.buyer.wallet.address
    await street.do(street.owner.offer, own.device, buyer, await street.until(), await street.until())
    word = await street.ask(own.hand_over, buyer, await street.until())
    kept = HandoverWord.from_json(json.loads(json.dumps(word.to_json())))
    assert kept == word
    assert await street.refusal(street.owner.accept, kept) == "DeviceSignatureInvalid"
    not_its_own = HandoverWord(
        own.device, word.owner, buyer, word.deadline, other.key.sign(_domain(street), _said(word))
    )
    assert await street.refusal(street.buyer.accept, not_its_own) == "DeviceSignatureInvalid"
    await street.do(street.buyer.accept, kept)
    state = await street.ask(street.client.device, own.device)
    assert (state["owner"], state["nonce"]) == (buyer, 1)


def _domain(street: Street) -> Domain:
    return street.client.deployment.domain("DeviceRegistry")


def _said(word: HandoverWord) -> Handover:
    return Handover(word.device, word.owner, word.to, 0, word.deadline)


async def test_device__whose_key_is_lost_or_doubted__gets_another_from_its_owner(street: Street) -> None:
    own, lost = await born(street, *KINDS)
    following = DeviceKey.create(KeyKind.P256)
    await street.do(street.owner.propose_key, own.device, following, await street.until())
    await street.do(own.veto, following.device, await street.until())
    assert (await street.ask(street.client.device, own.device))["proposal"] is None

    head = await street.service.town.chain.node.block_number()
    await street.do(street.owner.note_compromise, lost.device, head, await street.until())
    assert (await street.ask(street.client.device, lost.device))["compromisedSince"] == head
    await street.do(street.owner.propose_key, lost.device, following, await street.until())
    assert await street.refusal(lost.veto, following.device, await street.until()) == "KeyCompromised"
    taking = OwnDevice(street.client, following, lost.device)
    assert await street.refusal(taking.adopt, await street.until()) == "RotationNotReady"
    await street.service.travel(await street.service.town.now() + WEEK)
    await street.do(taking.adopt, await street.until())
    state = await street.ask(street.client.device, lost.device)
    assert (state["key"], state["status"], state["compromisedSince"]) == (following.device, "suspended", None)


async def test_knock__with_its_present_key__opens_a_session(street: Street) -> None:
    (own,) = await born(street, KeyKind.P256)
    opened = await street.ask(own.knock)
    shown = await street.service.http.get(
        "/v1/device-sessions/current", headers={"Authorization": f"Bearer {opened.token}"}
    )
    assert (shown.json()["device"], shown.json()["expiresAt"]) == (own.device, opened.expires_at)
    assert opened.token not in repr(opened)
    following = DeviceKey.create(KeyKind.SECP256K1)
    assert await street.refusal(OwnDevice(street.client, following, own.device).knock) == "DeviceSignatureInvalid"
