"""Route x role, in full: for whom each route acts, what everybody else is told, and that the contract says the same.

Also every signed act again: twice, on another chain, for another contract, too late, under a used nonce.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from typing import Any

import pytest
import pytest_asyncio

from gridweave.chain import Reverted
from gridweave.domain.acts import KeyKind
from gridweave.domain.eip712 import Domain
from gridweave.domain.signatures import sign_compact
from tests.backend.api.authorisation import ADMISSION, PUBLIC, SIGNED, UNSIGNED, Refusal, Role, Row, Stage, staged
from tests.support.acts import Acts, Posted
from tests.support.admission import answer_to
from tests.support.service import Service, served
from tests.support.town import founded

pytestmark = [pytest.mark.asyncio(loop_scope="module"), pytest.mark.chain]

CELLS = [(route, thing, role) for route, row in SIGNED.items() for thing in row.obeyed for role in Role]
STREAM = "GET /v1/events"
"""Without an end: tests/backend/api/test_events.py reads it, without saying who."""


@dataclass(frozen=True)
class Scene:
    """A running service over the stage. No block is made, so that no cell changes what another one sees."""

    service: Service
    stage: Stage


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def scene(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Scene]:
    folder = tmp_path_factory.mktemp("matrix")
    async with founded(folder / "chain", homes=2) as town:
        stage = await staged(town)
        limits = {"most_acts_under_way": 1_000, "most_replacements": 1_000}
        async with served(town, folder / "service", **limits) as service:
            yield Scene(service, stage)


async def answered(scene: Scene, posted: Posted) -> Refusal:
    """The status, and the refusal's name or ``."""
    response = await scene.service.post(posted.path, posted.body)
    body = response.json()
    return response.status_code, body["error"]["name"] if "error" in body else ""


def expected(row: Row, thing: str, role: Role) -> Refusal:
    return (202, "") if role in row.obeyed[thing] else row.told.get(role, row.refusal)


async def test_routes__each__has_a_row(scene: Scene) -> None:
    document = scene.service.document
    routes = {f"{method.upper()} {path}" for path, item in document["paths"].items() for method in item}
    assert routes == {*SIGNED, *PUBLIC, *UNSIGNED, *ADMISSION}, "say in authorisation.py who may do what there"


@pytest.mark.parametrize(("route", "thing", "role"), CELLS)
async def test_post__by_a_role_about_a_thing__is_obeyed_or_refused_by_name(
    scene: Scene, route: str, thing: str, role: Role
) -> None:
    row, stage = SIGNED[route], scene.stage
    posted = row.make(Acts(stage.town), stage, thing, stage.parties[role])
    want = expected(row, thing, role)
    assert await answered(scene, posted) == want
    if posted.call is not None and not posted.path.endswith("schedules"):
        assert await by_contract(scene, posted) == want[1], "the contract says the same to whoever sends it there"


async def by_contract(scene: Scene, posted: Posted) -> str:
    """What the contract says to the call alone: the name of its error, or ``."""
    assert posted.call is not None
    try:
        await scene.stage.town.chain.node.call(posted.call, sender=scene.stage.parties[Role.STRANGER].account)
    except Reverted as reverted:
        return reverted.name
    return ""


@pytest.mark.parametrize("role", Role)
@pytest.mark.parametrize("route", [route for route in PUBLIC if route != STREAM])
async def test_get__by_any_role__is_answered_alike(scene: Scene, route: str, role: Role) -> None:
    """Nobody says who they are when they read; a made-up session changes nothing."""
    path = PUBLIC[route](scene.stage)
    plain = await scene.service.http.get(path)
    claimed = {"Authorization": f"Bearer {scene.stage.parties[role].account}"}
    assert plain.status_code == (404 if "00" * 32 in path else 200)
    assert (await scene.service.http.get(path, headers=claimed)).status_code == plain.status_code


@pytest.mark.parametrize("role", Role)
async def test_post_redeem__by_anybody__pays_the_sponsor_or_nobody(scene: Scene, role: Role) -> None:
    del role  # the request names no sender
    stage = scene.stage
    posted = Acts(stage.town).redeem(stage.accounts["sponsor"], stage.parties[Role.RELAYER].account)
    assert await answered(scene, posted) == (409, "BondNotRedeemable")
    assert await by_contract(scene, posted) == "BondNotRedeemable"


@pytest.mark.parametrize("role", Role)
async def test_post_kept_key__by_anybody__keeps_the_key_that_counts(scene: Scene, role: Role) -> None:
    del role  # the request names no sender, and no key
    claimed = scene.stage.devices["claimed"]
    assert claimed.kind is KeyKind.P256
    posted = Acts(scene.stage.town).kept_key(claimed.device, claimed)
    assert await answered(scene, posted) == (202, "")
    assert await by_contract(scene, posted) == ""


@pytest.mark.parametrize("role", Role)
async def test_post_session__by_a_role_for_the_prosumer_s_device__lets_the_device_in_alone(
    scene: Scene, role: Role
) -> None:
    device = scene.stage.things["prosumer"].key.device
    given = (await scene.service.post("device-challenges", {"device": device})).json()
    domain, secret = scene.stage.town.domain("DeviceRegistry"), scene.stage.parties[role].secret
    body = answer_to(given, domain, lambda hash_: sign_compact(secret, hash_))
    response = await scene.service.post("device-sessions", body)
    path, shown = "/v1/device-sessions/current", response.json().get("token", scene.stage.parties[role].account)
    found = await scene.service.http.get(path, headers={"Authorization": f"Bearer {shown}"})
    if role is Role.DEVICE:
        assert (response.status_code, found.status_code, found.json()["device"]) == (200, 200, device)
    else:
        assert (response.status_code, response.json()["error"]["name"]) == (403, "DeviceSignatureInvalid")
        assert (found.status_code, found.json()["error"]["name"]) == (401, "SessionInvalid")


# the same acts where they do not belong


def honest(row: Row) -> tuple[str, Role] | None:
    """A thing and a role that is obeyed about it."""
    return next(((thing, role) for thing, roles in row.obeyed.items() for role in Role if role in roles), None)


FORGED = {
    "POST /v1/readings": (403, "DeviceSignatureInvalid"),
    "POST /v1/asset-states": (403, "DeviceSignatureInvalid"),
    "POST /v1/firmware/receipts": (403, "DeviceSignatureInvalid"),
    "POST /v1/devices": (403, "DeviceSignatureInvalid"),
    "POST /v1/device-claims": (403, "DeviceSignatureInvalid"),
    "POST /v1/devices/{device}/key": (403, "DeviceSignatureInvalid"),
    "POST /v1/devices/{device}/key-veto": (403, "DeviceSignatureInvalid"),
    "POST /v1/devices/{device}/key-adoption": (403, "DeviceSignatureInvalid"),
    "POST /v1/devices/{device}/transfer": (403, "DeviceSignatureInvalid"),
    "POST /v1/deposits": (403, "ERC2612InvalidSigner"),
    "POST /v1/streams/{stream}/batches": (403, "BatchNotAuthentic"),
    **dict.fromkeys(
        ("POST /v1/orders", "POST /v1/cancels", "POST /v1/schedules", "POST /v1/cancel-schedules"), (403, "WrongSigner")
    ),
}
"""What is told to whom signed for elsewhere; all others hear of a wrong signature."""

TIMELESS = {"POST /v1/readings", "POST /v1/firmware/receipts", "POST /v1/streams/{stream}/batches"}
"""What devices record holds without a deadline."""

LATE = dict.fromkeys(
    ("POST /v1/orders", "POST /v1/cancels", "POST /v1/schedules", "POST /v1/cancel-schedules"), (409, "OrderExpired")
)


def _made(scene: Scene, route: str, **how: Any) -> Posted:
    """By whom it is obeyed, in slots and streams that no cell of the matrix touches."""
    elsewhere = {"slot": scene.stage.slot + 8, "past": scene.stage.past - 1, "turn": "_again"}
    row, stage = SIGNED[route], replace(scene.stage, **elsewhere)
    found = honest(row)
    assert found is not None
    thing, role = found
    return row.make(Acts(stage.town, **how), stage, thing, stage.parties[role])


@pytest.mark.parametrize("route", SIGNED)
@pytest.mark.parametrize("where", ["chain", "contract"])
async def test_post__signed_for_elsewhere__is_refused(scene: Scene, route: str, where: str) -> None:
    def elsewhere(domain: Domain) -> Domain:
        if where == "chain":
            return replace(domain, chain_id=domain.chain_id + 1)
        return replace(domain, verifying_contract=scene.stage.accounts["wallet"])

    posted = _made(scene, route, elsewhere=elsewhere)
    assert await answered(scene, posted) == FORGED.get(route, (403, "WrongSignature"))


@pytest.mark.parametrize("route", [route for route in SIGNED if route not in TIMELESS])
async def test_post__past_its_deadline__is_refused(scene: Scene, route: str) -> None:
    posted = _made(scene, route, deadline=await scene.stage.town.now() - 1)
    assert await answered(scene, posted) == LATE.get(route, (409, "ActExpired"))


@pytest.mark.parametrize("route", SIGNED)
async def test_post__twice__has_one_answer_and_one_effect(scene: Scene, route: str) -> None:
    posted = _made(scene, route)
    first = await scene.service.post(posted.path, posted.body)
    accepted = await scene.service.runtime.world.outbox.accepted_total()
    again = await scene.service.post(posted.path, posted.body)
    assert first.status_code == again.status_code == 202
    assert again.json() == first.json()
    assert await scene.service.runtime.world.outbox.accepted_total() == accepted
