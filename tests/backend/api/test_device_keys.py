"""A device's keys through REST: changed by itself, proposed by its owner, kept for its meter."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from gridweave.domain.acts import KeyKind
from tests.backend.api.device_life import WEEK, claimed, done, drawn, party, refusal, shown
from tests.support.acts import Acts
from tests.support.service import Service
from tests.support.town import DeviceKeyPair, TestHome

pytestmark = [pytest.mark.asyncio(loop_scope="module"), pytest.mark.chain]

CURVES = {"secp256k1": 0, "p256": 1}


@pytest.mark.parametrize("curve", CURVES)
@pytest.mark.parametrize("onto", CURVES)
async def test_rotate__onto_either_curve__the_next_key_counts_and_the_old_one_no_more(
    service: Service, curve: str, onto: str
) -> None:
    acts, first = Acts(service.town), 340 + 2 * (2 * CURVES[curve] + CURVES[onto]) + CURVES[curve]
    _, key = await claimed(service, first)
    following, third = drawn(360 + 4 * CURVES[curve] + CURVES[onto])[1], drawn(370 + first)[1]
    rotation = acts.rotation(key.device, key, following, 0)
    assert await refusal(service, acts.rotation(key.device, key, following, 1)) == (403, "DeviceSignatureInvalid")
    forged = acts.rotation(key.device, key, following, 0, signer=following)
    assert await refusal(service, forged) == (403, "DeviceSignatureInvalid")
    assert await refusal(service, acts.rotation(key.device, key, key, 0)) == (409, "KeyUnchanged")
    await done(service, rotation)
    device = await shown(service, key.device)
    assert (device["device"], device["key"]) == (key.device, following.device)
    assert (device["keyKind"], device["keyVersion"], device["nonce"]) == (following.kind.name.lower(), 2, 1)

    again = await service.post(rotation.path, rotation.body)
    assert (again.status_code, again.json()["status"]) == (202, "committed"), "the same request has the same answer"
    assert await service.town.contracts.devices.nonce(key.device) == 1
    guessed = rotation.body | {
        "signature": acts.rotation(key.device, key, following, 0, signer=third).body["signature"]
    }
    assert await refusal(service, replace(rotation, body=guessed)) == (403, "DeviceSignatureInvalid")
    late = acts.rotation(key.device, key, third, 1)
    assert await refusal(service, late) == (403, "DeviceSignatureInvalid"), "the old key speaks no more"
    assert await refusal(service, acts.rotation(key.device, following, third, 0)) == (403, "DeviceSignatureInvalid")
    await done(service, acts.rotation(key.device, following, third, 1))
    assert (await shown(service, key.device))["key"] == third.device


async def test_rotate__two_words_for_one_nonce__one_is_taken(service: Service) -> None:
    acts = Acts(service.town)
    _, key = await claimed(service, 380)
    one, other = (acts.rotation(key.device, key, drawn(number)[1], 0) for number in (381, 382))
    ids = await service.accept(one.path, one.body)
    assert await refusal(service, other) == (409, "NonceUsed")
    await service.done(*ids)
    await service.caught_up()
    assert (await shown(service, key.device))["key"] == drawn(381)[1].device


async def test_rotate__of_an_unknown_device_or_off_the_curve__is_refused_by_name(service: Service) -> None:
    acts = Acts(service.town)
    key = drawn(384)[1]
    assert await refusal(service, acts.rotation(key.device, key, drawn(385)[1], 0)) == (404, "UnknownDevice")
    _, key = await claimed(service, 386)
    wrong = replace(drawn(387)[1], kind=KeyKind.SECP256K1)
    other_curve = _OtherCurve(wrong.kind, wrong.secret)
    assert await refusal(service, acts.rotation(key.device, key, other_curve, 0)) == (422, "KeyNotOnCurve")


class _OtherCurve(DeviceKeyPair):
    """Says secp256k1, and brings a point of P-256."""

    @property
    def point(self) -> tuple[bytes, bytes]:
        return DeviceKeyPair(KeyKind.P256, self.secret).point


async def test_proposal__adopted_after_seven_days__not_before(service: Service) -> None:
    town, acts = service.town, Acts(service.town)
    owner, key = await claimed(service, 390)
    following, other = drawn(391)[1], drawn(392)[1]
    assert await refusal(service, acts.adoption(key.device, key, following, 0)) == (409, "NoRotationProposed")
    assert await refusal(service, acts.proposal(key.device, following, drawn(393)[0])) == (403, "SignerNotAllowed")
    await done(service, acts.proposal(key.device, following, owner))
    proposal = (await shown(service, key.device))["proposal"]
    assert (proposal["key"], proposal["keyKind"]) == (following.device, "p256")
    assert proposal["readyAt"] - WEEK <= await town.now() <= proposal["readyAt"]
    adoption = acts.adoption(key.device, key, following, 0)
    assert await refusal(service, adoption) == (409, "RotationNotReady")
    assert await refusal(service, acts.adoption(key.device, key, other, 0)) == (409, "OtherKeyProposed")

    await service.travel(proposal["readyAt"] - 1)
    assert await refusal(service, adoption) == (409, "RotationNotReady")
    await service.travel(proposal["readyAt"])
    by_the_old = acts.adoption(key.device, key, following, 0, signer=key)
    assert await refusal(service, by_the_old) == (403, "DeviceSignatureInvalid")
    await done(service, adoption)
    device = await shown(service, key.device)
    assert (device["key"], device["keyVersion"], device["nonce"], device["proposal"]) == (following.device, 2, 1, None)
    again = await service.post(adoption.path, adoption.body)
    assert (again.status_code, again.json()["status"]) == (202, "committed")


async def test_proposal__vetoed__cannot_be_adopted_and_another_can_be_made(service: Service) -> None:
    acts = Acts(service.town)
    owner, key = await claimed(service, 395)
    following, third = drawn(396)[1], drawn(397)[1]
    assert await refusal(service, acts.veto(key.device, key, following.device, 0)) == (409, "NoRotationProposed")
    await done(service, acts.proposal(key.device, following, owner))
    assert await refusal(service, acts.veto(key.device, key, third.device, 0)) == (403, "DeviceSignatureInvalid")
    by_owner = acts.veto(key.device, key, following.device, 0, signer=owner)
    assert await refusal(service, by_owner) == (403, "DeviceSignatureInvalid")
    veto = acts.veto(key.device, key, following.device, 0)
    await done(service, veto)
    device = await shown(service, key.device)
    assert (device["proposal"], device["nonce"], device["key"]) == (None, 1, key.device)
    assert (await service.post(veto.path, veto.body)).json()["status"] == "committed"
    assert await refusal(service, acts.adoption(key.device, key, following, 1)) == (409, "NoRotationProposed")

    await done(service, acts.proposal(key.device, third, owner))
    assert (await shown(service, key.device))["proposal"]["key"] == third.device
    await done(service, acts.rotation(key.device, key, following, 1))
    assert (await shown(service, key.device))["proposal"] is None, "the device has spoken"
    vetoed_late = await service.post(veto.path, veto.body)
    assert vetoed_late.json()["status"] == "committed", "a word is answered as before when its key is gone"


async def test_proposal__of_a_suspended_device__stands(service: Service) -> None:
    """What befalls a device beside its keys leaves a proposal as it is."""
    town, acts = service.town, Acts(service.town)
    owner, key = await claimed(service, 400)
    await done(service, acts.proposal(key.device, drawn(401)[1], owner))
    await done(service, acts.status(key.device, owner))
    device = await shown(service, key.device)
    assert (device["status"], device["proposal"]["key"]) == ("suspended", drawn(401)[1].device)
    on_chain = await town.contracts.devices.proposal_of(key.device)
    assert on_chain is not None
    assert on_chain.ready_at == device["proposal"]["readyAt"]


# a meter's key


async def test_kept_key__of_a_claimed_p256_meter__lets_readings_settle(service: Service) -> None:
    """claim   no key kept: refused   keep   settled   rotate: refused   keep   settled"""
    town, acts = service.town, Acts(service.town)
    owner, key = await claimed(service, 411)
    await town.send(town.deposit_calls(owner.secret, 50_000_000))
    await done(service, acts.meter(key.device, owner.account, party(town, "operator")))
    (meter,) = (await service.get("meters", device=key.device))["items"]
    home = TestHome(owner.secret, key, meter["meter"])
    first = await town.open_slot()
    await service.travel(town.clock.end(first + 3))

    assert await _read(service, home, first) == ("rejected", "DeviceSignatureInvalid")
    await done(service, acts.kept_key(key.device, key))
    assert await _read(service, home, first) == ("settled", None), "the same reading, sent again"
    assert await _read(service, home, first + 1) == ("settled", None)

    following = drawn(413)[1]
    await done(service, acts.rotation(key.device, key, following, 0))
    old = await service.post("readings", town.reading(home, first + 2, 10, 0))
    assert (old.status_code, old.json()["error"]["name"]) == (403, "DeviceSignatureInvalid")
    home = replace(home, key=following)
    assert await _read(service, home, first + 2) == ("rejected", "DeviceSignatureInvalid")
    await done(service, acts.kept_key(key.device, following))
    assert await _read(service, home, first + 2) == ("settled", None)


async def _read(service: Service, home: TestHome, slot: int) -> tuple[str, str | None]:
    """What becomes of a reading, once that is final: until then what was refused is not asked for again."""
    (id_,) = await service.accept("readings", service.town.reading(home, slot, 10, 0))

    async def final() -> dict[str, Any]:
        state = await service.status(id_)
        return state if state["final"] else {}

    state = await service.until(final, mine=True)
    return state["status"], state["reason"]


async def test_kept_key__asked_for_again__has_the_same_answer(service: Service) -> None:
    acts = Acts(service.town)
    _, key = await claimed(service, 415)
    posted = acts.kept_key(key.device, key)
    await done(service, posted)
    known = await service.town.contracts.devices.device_of(key.device)
    assert known is not None
    assert known.kept == key.public
    before = await service.runtime.world.outbox.accepted_total()
    assert (await service.post(posted.path, {})).json()["status"] == "committed"
    assert await service.runtime.world.outbox.accepted_total() == before, "anybody may ask, and gas is spent once"
    home = service.town.homes[1]
    assert home.key.kind is KeyKind.P256
    assert await refusal(service, acts.kept_key(home.key.device, home.key)) == (409, "KeyNotToKeep"), "enrol keeps it"
    _, other = await claimed(service, 416)
    assert await refusal(service, acts.kept_key(other.device, other)) == (409, "KeyNotToKeep"), "secp256k1"
    unknown = drawn(417)[1]
    assert await refusal(service, acts.kept_key(unknown.device, unknown)) == (404, "UnknownDevice")
