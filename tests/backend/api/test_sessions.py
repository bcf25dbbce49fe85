"""A device is let in by answering a challenge, and is out as soon as the registry says so."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import pytest

from gridweave.domain.acts import DeviceStatus
from gridweave.domain.eip712 import Domain
from gridweave.services.sessions import ANSWER_WITHIN_S, SESSION_S
from tests.support.acts import Acts, Party
from tests.support.admission import answer_to
from tests.support.service import Service
from tests.support.town import DeviceKeyPair, draw_home

pytestmark = [pytest.mark.asyncio(loop_scope="module"), pytest.mark.chain]

Json = dict[str, Any]


async def challenge(service: Service, key: DeviceKeyPair) -> Json:
    response = await service.post("device-challenges", {"device": key.device})
    assert response.status_code == 200
    answer: Json = response.json()
    return answer


def answer(
    service: Service, key: DeviceKeyPair, given: Json, domain: Domain | None = None, changes: Json | None = None
) -> Json:
    """What the device sends; `changes` to what it signs."""
    return answer_to(given, domain or service.town.domain("DeviceRegistry"), key.sign, changes)


async def opened(service: Service, key: DeviceKeyPair) -> Json:
    response = await service.post("device-sessions", answer(service, key, await challenge(service, key)))
    assert response.status_code == 200, response.text
    found: Json = response.json()
    return found


async def refused(service: Service, body: Json) -> tuple[int, str]:
    response = await service.post("device-sessions", body)
    return response.status_code, response.json()["error"]["name"]


async def current(service: Service, token: str | None) -> tuple[int, Json]:
    headers = {} if token is None else {"Authorization": f"Bearer {token}"}
    response = await service.http.get("/v1/device-sessions/current", headers=headers)
    return response.status_code, response.json()


async def enrolled(service: Service, number: int) -> DeviceKeyPair:
    secret, key = draw_home(number)
    await service.town.send([service.town.enrol_call(key, Party("owner", secret).account)])
    await service.caught_up()
    return key


@pytest.mark.parametrize("number", [300, 301], ids=["secp256k1", "p256"])
async def test_session__answered_with_the_devices_key__stands_for_the_device(service: Service, number: int) -> None:
    key = await enrolled(service, number)
    session = await opened(service, key)
    status, shown = await current(service, session["token"])
    assert (status, shown["device"], shown["key"]) == (200, key.device, key.device)
    assert shown["expiresAt"] == session["expiresAt"]


async def test_session__answered_twice__is_refused(service: Service) -> None:
    key = await enrolled(service, 302)
    body = answer(service, key, await challenge(service, key))
    assert (await service.post("device-sessions", body)).status_code == 200
    assert await refused(service, body) == (401, "ChallengeInvalid")


async def test_session__of_a_later_answer__takes_the_place_of_the_former(service: Service) -> None:
    key = await enrolled(service, 304)
    first, second = await opened(service, key), await opened(service, key)
    assert (await current(service, first["token"]))[0] == 401
    assert (await current(service, second["token"]))[0] == 200


async def test_session__with_anything_else_signed__is_refused(service: Service) -> None:
    key, domain = await enrolled(service, 306), service.town.domain("DeviceRegistry")
    elsewhere = [
        Domain(domain.name, domain.version, domain.chain_id + 1, domain.verifying_contract),
        service.town.domain("MeterLedger"),
    ]
    for other in elsewhere:
        body = answer(service, key, await challenge(service, key), other)
        assert await refused(service, body) == (403, "DeviceSignatureInvalid")
    changes: tuple[Json, ...] = ({"service": key.device}, {"challenge": bytes(32)}, {"expires_at": 2**40})
    for change in changes:
        body = answer(service, key, await challenge(service, key), changes=change)
        assert await refused(service, body) == (403, "DeviceSignatureInvalid")
    stranger = draw_home(307)[1]
    body = answer(service, stranger, await challenge(service, key))
    assert await refused(service, body) == (403, "DeviceSignatureInvalid")


async def test_session__of_a_challenge_that_was_not_given__is_refused(service: Service) -> None:
    key, other = await enrolled(service, 308), await enrolled(service, 309)
    given = await challenge(service, key)
    longer = given | {"expiresAt": given["expiresAt"] + 1}
    altered = given | {"challenge": given["challenge"][:-1] + ("0" if given["challenge"][-1] != "0" else "1")}
    for forged in (longer, altered, given | {"device": other.device}):
        signer = other if forged["device"] == other.device else key
        assert await refused(service, answer(service, signer, forged)) == (401, "ChallengeInvalid")


async def test_session__of_a_device_that_nobody_enrolled__is_refused(service: Service) -> None:
    forged = draw_home(310)[1]
    assert await refused(service, answer(service, forged, await challenge(service, forged))) == (404, "UnknownDevice")


async def test_session__after_its_time__is_none(service: Service, monkeypatch: pytest.MonkeyPatch) -> None:
    key = await enrolled(service, 312)
    late = answer(service, key, await challenge(service, key))
    session = await opened(service, key)
    sessions = service.runtime.world.sessions
    monkeypatch.setattr(sessions, "_now", lambda: session["expiresAt"] - SESSION_S + ANSWER_WITHIN_S + 1)
    assert await refused(service, late) == (401, "ChallengeInvalid")
    assert (await current(service, session["token"]))[0] == 200
    monkeypatch.setattr(sessions, "_now", lambda: session["expiresAt"])
    assert (await current(service, session["token"]))[0] == 401
    sessions.sweep()
    assert key.device not in sessions.devices


async def test_session__without_a_token_or_with_another__is_none(service: Service) -> None:
    for token in (None, "", "nobody's"):
        status, body = await current(service, token)
        assert (status, body["error"]["name"]) == (401, "SessionInvalid")


@pytest.mark.parametrize("status", [DeviceStatus.SUSPENDED, DeviceStatus.REVOKED])
async def test_session__of_a_device_that_is_put_out__ends_with_the_block(
    service: Service, status: DeviceStatus
) -> None:
    key = await enrolled(service, 320 + status)
    session = await opened(service, key)
    await status_changed(service, key, status)
    assert (await current(service, session["token"]))[0] == 401
    assert key.device not in service.runtime.world.sessions.devices
    name = {DeviceStatus.SUSPENDED: "DeviceSuspended", DeviceStatus.REVOKED: "DeviceRevoked"}[status]
    assert await refused(service, answer(service, key, await challenge(service, key))) == (409, name)


async def status_changed(service: Service, key: DeviceKeyPair, status: DeviceStatus) -> None:
    operator = Party("operator", service.town.keys["operator"].secret)
    call = Acts(service.town).status(key.device, operator, status).call
    assert call is not None
    await service.town.send([call])
    await service.caught_up()


@dataclass
class SlowDoor:
    """A door that is still opening while a block revokes the device, and hears of that first."""

    service: Service
    key: DeviceKeyPair
    name: str = "slow"
    heard: list[str] = field(default_factory=list)

    async def let_in(self, device: str, token: str) -> Mapping[str, Any]:
        if device == self.key.device:
            await status_changed(self.service, self.key, DeviceStatus.REVOKED)
            self.heard.append("let in")
        return {}

    def shut(self, device: str) -> None:
        if device == self.key.device:
            self.heard.append("shut")


async def test_session__of_a_device_that_is_revoked_while_a_door_opens__is_refused_and_shut_out(
    service: Service,
) -> None:
    key = await enrolled(service, 330)
    sessions = service.runtime.world.sessions
    door = SlowDoor(service, key)
    sessions.add_door(door)
    assert await refused(service, answer(service, key, await challenge(service, key))) == (409, "DeviceRevoked")
    assert key.device not in sessions.devices
    assert door.heard[0] == "shut", "the block came first"
    assert door.heard[-1] == "shut", "what opened after it is shut behind it"


async def test_session__of_a_device_whose_reinstatement_is_undone__ends(service: Service) -> None:
    key, other = await enrolled(service, 332), await enrolled(service, 333)
    await status_changed(service, key, DeviceStatus.SUSPENDED)
    node = service.town.chain.node
    mark = await node.request("evm_snapshot")
    await status_changed(service, key, DeviceStatus.ACTIVE)
    await opened(service, key)
    stays = await opened(service, other)
    await node.request("evm_revert", mark)
    await node.request("anvil_mine", "0x2")
    await service.caught_up()
    assert key.device not in service.runtime.world.sessions.devices
    assert (await current(service, stays["token"]))[0] == 200
