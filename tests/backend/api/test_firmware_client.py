"""Release keys, devices and readers as `gridweave.client` writes them, over the real service, to a bundle's verdict."""

from __future__ import annotations

import random
from collections.abc import AsyncIterator, Callable
from dataclasses import replace
from hashlib import sha256
from typing import Any

import pytest
import pytest_asyncio
from cryptography.hazmat.primitives.asymmetric import ec

from gridweave import artifacts
from gridweave.chain import Call
from gridweave.client import (
    DeviceKey,
    FirmwareDesk,
    Gathering,
    InstallReporter,
    Item,
    ReleaseKeyHolder,
    ServiceError,
    Wallet,
)
from gridweave.client.firmware import Bundle, DeviceState, ImageFile, Manifest, Trust, check_bundle
from gridweave.client.firmware.manifest import class_id, vendor_id
from gridweave.client.firmware.refusals import ReleaseNotInstallable
from gridweave.client.firmware_life import _body, _path
from gridweave.domain.acts import KeyKind
from gridweave.domain.firmware.errors import BelowThreshold
from gridweave.domain.firmware.keys import KeySet
from gridweave.domain.firmware.messages import Release, RolloutPause, RolloutRaise, RolloutStart
from gridweave.domain.firmware.proposals import FirmwareAct
from tests.backend.api.test_device_client import Street
from tests.support.acts import Party
from tests.support.firmware import FirmwareActs
from tests.support.service import Service
from tests.support.town import MODEL, DeviceKeyPair, draw_home

pytestmark = [pytest.mark.asyncio(loop_scope="module"), pytest.mark.chain]

IMAGE = random.Random(7).randbytes(2_048)
HOUR = 3_600
CURVES = {KeyKind.P256: ec.SECP256R1(), KeyKind.SECP256K1: ec.SECP256K1()}
PEOPLE = sorted((Wallet(bytes([n]) * 32) for n in range(41, 46)), key=lambda wallet: int(wallet.address, 16))
WITNESSES = [Wallet(bytes([n]) * 32) for n in (51, 52)]


class Works:
    """A maker's release line in the clients' own words: two of three keys, `MODEL`, whose devices the homes have."""

    def __init__(self, service: Service) -> None:
        self.service, self.street = service, Street(service)
        self.desk = FirmwareDesk(self.street.client)
        self.maker = ReleaseKeyHolder(self.street.client, Wallet(service.town.keys["maker"].secret))
        self.holders = [ReleaseKeyHolder(self.street.client, wallet) for wallet in PEOPLE]
        self.envelopes: dict[int, bytes] = {}

    async def deadline(self) -> int:
        return await self.service.town.now() + 100 * HOUR

    async def stands(self, what: Callable[..., Item | Gathering], *arguments: Any) -> None:
        """What is acknowledged and then on chain."""
        answer = await self.street.ask(what, *arguments)
        assert isinstance(answer, Item)
        (state,) = await self.service.done(answer.id)
        assert (state["status"], state["reason"]) == ("committed", None)
        await self.service.caught_up()

    async def approved(self, act: FirmwareAct, holders: list[ReleaseKeyHolder] | None = None) -> None:
        """By two, of whom the first has to wait for the second."""
        first, second = holders or self.holders[:2]
        waiting = await self.street.ask(first.approve, act)
        assert isinstance(waiting, Gathering)
        assert waiting.act == act
        assert waiting.needs[0].approved == (first.wallet.address,)
        await self.stands(second.approve, act)

    async def release(self, counter: int) -> Release:
        maker = self.maker.wallet.address
        chain = self.service.town.deployment.chain_id
        said = Manifest(
            counter, vendor_id(chain, maker), class_id(chain, maker, MODEL), len(IMAGE), sha256(IMAGE).digest()
        )
        self.envelopes[counter] = said.envelope("https://firmware.example/image")
        hash_ = Manifest.read(self.envelopes[counter])[1]
        made = Release(MODEL, counter, 0, len(IMAGE), said.image_hash, hash_, bytes(32), "v", 2, 5_000, 2**40 - 1)
        await self.approved(made)
        return made

    async def full(self, counter: int) -> Release:
        made = await self.release(counter)
        await self.approved(RolloutStart(MODEL, counter, 1_000, await self.deadline()))
        await self.approved(RolloutRaise(MODEL, counter, 10_000, 1, await self.deadline()))
        return made

    async def bundle(self, counter: int) -> Bundle:
        made = await self.street.ask(self.desk.bundle, MODEL, counter, self.envelopes[counter], WITNESSES)
        return Bundle.decode(made.encode())

    async def trust(self, keys: KeySet) -> Trust:
        return Trust(
            self.service.town.deployment.chain_id,
            self.service.town.contracts.firmware.address,
            keys,
            witnesses=frozenset(wallet.address for wallet in WITNESSES),
            threshold=2,
            max_age=HOUR,
        )

    async def check(self, bundle: Bundle, keys: KeySet, device: str) -> None:
        check_bundle(
            bundle,
            image=ImageFile(len(IMAGE), sha256(IMAGE).digest()),
            device=DeviceState(device, MODEL, 0, 0),
            trust=await self.trust(keys),
            now=await self.service.town.now(),
        )


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def works(service: Service) -> AsyncIterator[Works]:
    made = Works(service)
    keys = KeySet(1, 2, tuple(wallet.address for wallet in PEOPLE[:3]))
    opening = await made.street.ask(made.maker.open_model, MODEL, keys, await made.deadline())
    assert isinstance(opening, Gathering)
    (listed,) = await made.street.ask(made.desk.proposals, MODEL)
    assert listed == opening
    assert isinstance(await made.street.ask(made.holders[0].approve, opening.act, opening.maker), Gathering)
    await made.stands(made.holders[1].approve, opening.act, opening.maker)
    assert await made.street.ask(made.desk.key_set, MODEL) == keys
    yield made


def device_key(pair: DeviceKeyPair) -> DeviceKey:
    return DeviceKey(ec.derive_private_key(pair.secret, CURVES[pair.kind]))


async def test_bundle__of_a_service__is_what_a_device_checks_and_goes_with_the_release(works: Works) -> None:
    """Proposed: refused.   Full: taken.   Keys changed: too few.   Approved again: taken.   Paused: refused."""
    device, present = works.service.town.homes[0].key.device, await works.street.ask(works.desk.key_set, MODEL)
    released = await works.release(1)
    with pytest.raises(ReleaseNotInstallable, match="proposed"):
        await works.check(await works.bundle(1), present, device)
    await works.approved(RolloutStart(MODEL, 1, 1_000, await works.deadline()))
    await works.approved(RolloutRaise(MODEL, 1, 10_000, 1, await works.deadline()))
    await works.check(await works.bundle(1), present, device)

    following = KeySet(2, 2, tuple(wallet.address for wallet in PEOPLE[2:]))
    deadline = await works.deadline()
    for holder in (works.holders[0], works.holders[2]):
        assert isinstance(await works.street.ask(holder.change_keys, MODEL, following, deadline), Gathering)
    await works.stands(works.holders[3].change_keys, MODEL, following, deadline)
    with pytest.raises(BelowThreshold):
        await works.check(await works.bundle(1), present, device)
    with pytest.raises(ServiceError, match="UnknownReleaseKey"):
        await works.street.ask(works.holders[0].approve, released)
    for number in (2, 3):
        again = await works.street.ask(works.holders[number].approve, released)
        assert isinstance(again, Gathering)
        assert again.status == "released"
    bundle = await works.bundle(1)
    assert bundle.keys == following
    assert [change.keys for change in bundle.changes] == [following]
    await works.check(bundle, present, device)
    await works.check(bundle, following, device)

    works.holders = works.holders[2:]
    await works.stands(works.holders[0].approve, RolloutPause(MODEL, 1, 2, await works.deadline()))
    with pytest.raises(ReleaseNotInstallable, match="paused"):
        await works.check(await works.bundle(1), present, device)


async def test_reporter__on_either_curve__tells_and_the_desk_shows(works: Works) -> None:
    await works.full(2)
    homes, now = works.service.town.homes, await works.service.town.now()
    assert [home.key.kind for home in homes[:2]] == [KeyKind.SECP256K1, KeyKind.P256]
    for number, home in enumerate(homes[:2]):
        reporter = InstallReporter(works.street.client, device_key(home.key))
        assert (await works.street.ask(works.desk.device, home.key.device))["shouldRun"] == 2
        await works.stands(reporter.tell, MODEL, 2, 9 * number, now)
        with pytest.raises(ServiceError, match="ReceiptTold"):
            await works.street.ask(reporter.tell, MODEL, 2, 9 * number, now + 1)
    told = await works.street.ask(works.desk.receipts, MODEL, 2)
    assert [(each["device"], each["failureCode"]) for each in told] == [
        (homes[0].key.device, 0),
        (homes[1].key.device, 9),
    ]
    (runs,) = await works.street.ask(works.desk.devices, MODEL, 2)
    assert runs["device"] == homes[0].key.device
    found = await works.street.ask(works.desk.eligibility, MODEL, 2, homes[1].key.device)
    assert (found["isInRamp"], found["isAllowed"]) == (True, True), "what failed may be tried again"
    assert [each["counter"] for each in await works.street.ask(works.desk.releases, MODEL)] == [1, 2]
    assert [each["model"] for each in await works.street.ask(works.desk.models)] == [MODEL]


async def test_gathering__that_is_not_what_its_id_says__is_not_understood(works: Works) -> None:
    """A service that shows one act and asks to sign another is found out: the digest is the reader's own."""
    act = RolloutStart(MODEL, 2, 500, await works.deadline())
    path, body = _path(act), _body(act, None)
    assert path.endswith(f"/firmware/models/{MODEL}/releases/2/start")
    shown = {"id": "0x" + "11" * 32, "act": "start", "status": "gathering", "needs": [], "deadline": act.deadline}
    shown |= {"body": body | {"model": MODEL, "counter": 2}}
    domain = works.street.client.deployment.domain("FirmwareRegistry")
    with pytest.raises(ServiceError, match="AnswerNotUnderstood"):
        Gathering.from_json(shown, domain)


# wallets among the keys


async def test_approvals__of_a_wallet__are_the_contract_s_to_judge(service: Service) -> None:
    """One that does not stand by its signature any more is asked again, and holds up nobody."""
    town, maker = service.town, Party("maker", service.town.keys["maker"].secret)
    wallet, key = await _wallet(service, 9_700), Party("key", draw_home(9_701)[0])
    people = sorted((wallet, key), key=lambda party: int(party.account, 16))
    acts = FirmwareActs(town, 260, KeySet(1, 2, tuple(party.account for party in people)))

    forged = acts.opening(maker, [replace(key, address=wallet.account)], nonce=77)
    response = await service.post(forged.path, forged.body)
    assert (response.status_code, response.json()["error"]["name"]) == (403, "WrongSignature")
    waiting = await service.post(forged.path, acts.opening(maker, [wallet], nonce=77).body)
    assert (waiting.status_code, waiting.json()["needs"][0]["approved"]) == (200, [wallet.account])

    present, other = await town.chain.node.code(wallet.account), await _wallet(service, 9_702)
    code = await town.chain.node.code(other.account)
    await town.chain.node.request("anvil_setCode", wallet.account, "0x" + code.hex())
    waiting = await service.post(forged.path, acts.opening(maker, [key], nonce=77).body)
    assert (waiting.status_code, waiting.json()["needs"][0]["approved"]) == (200, [key.account])

    await town.chain.node.request("anvil_setCode", wallet.account, "0x" + present.hex())
    ids = await service.accept(forged.path, acts.opening(maker, [wallet], nonce=77).body)
    assert [state["status"] for state in await service.done(*ids)] == ["committed"]


async def _wallet(service: Service, number: int) -> Party:
    """A wallet, whose keeper signs for it."""
    keeper = Party("keeper", draw_home(number)[0])
    code = artifacts.load("SmartWallet").bytecode + bytes.fromhex(keeper.account[2:]).rjust(32, b"\0")
    (receipt,) = await service.town.send([Call(None, code)])
    return replace(keeper, address=str(receipt.created))
