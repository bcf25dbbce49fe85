"""Firmware through REST: keys that approve one after the other, rollouts that come so far, receipts that stop them."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import Any

import pytest

from gridweave.domain.acts import KeyKind
from gridweave.domain.firmware.keys import KeySet
from gridweave.domain.firmware.messages import Release
from gridweave.domain.firmware.proposals import act_of
from gridweave.domain.firmware.rollout import ramp_position
from tests.backend.api.device_life import done, party, refusal
from tests.support.acts import Acts, Party, Posted
from tests.support.firmware import FirmwareActs, key_set, release_keys
from tests.support.service import Service
from tests.support.town import DeviceKeyPair, draw_home

pytestmark = [pytest.mark.asyncio(loop_scope="module"), pytest.mark.chain]

PEOPLE = release_keys(7)
FIVE, LATER = PEOPLE[:5], PEOPLE[2:]
STRANGER = Party("stranger", draw_home(9_900)[0])


class Line:
    """A model of its own in the service's town, three of five keys."""

    def __init__(self, service: Service, model: int, keys: KeySet | None = None) -> None:
        self.service, self.model = service, model
        self.keys = keys or key_set(FIVE, 3)
        self.acts = FirmwareActs(service.town, model, self.keys)
        self.maker = party(service.town, "maker")

    async def open(self) -> Line:
        await done(self.service, self.acts.opening(self.maker, FIVE[:3]))
        return self

    async def released(self, counter: int, share: int = 0, **changes: Any) -> Release:
        """Released, and begun if there is a share."""
        said = self.acts.release_of(counter, **changes)
        await done(self.service, self.acts.release(said, FIVE[:3]))
        if share:
            await done(self.service, self.acts.start(said, min(share, 1_000), FIVE[:3]))
        if share > 1_000:
            await done(self.service, self.acts.raise_share(counter, share, 1, FIVE[:3]))
        return said

    async def devices(self, count: int, first: int) -> list[DeviceKeyPair]:
        """Devices of the model, on both curves."""
        keys = [draw_home(first + number)[1] for number in range(count)]
        await self.service.town.send([_with_model(self.service, key, self.model) for key in keys])
        await self.service.caught_up()
        return keys

    async def path(self, what: str = "", **params: Any) -> Any:
        return await self.service.get(f"firmware/models/{self.model}{what}", **params)

    async def show(self, counter: int) -> dict[str, Any]:
        found: dict[str, Any] = await self.path(f"/releases/{counter}")
        chain = await self.service.town.contracts.firmware.rollout_of(self.model, counter)
        assert found["state"] == chain.state.name.lower()
        assert (found["shareBp"], found["step"]) == (chain.share_bp, chain.step)
        assert (found["told"], found["failures"]) == (chain.told, chain.failures)
        assert (found["revokedSince"] or 0, found["begunAt"] or 0) == (chain.revoked_since, chain.begun_at)
        assert (found["resumesTo"] or "unknown") == chain.resumes_to.name.lower()
        return found


def _with_model(service: Service, key: DeviceKeyPair, model: int) -> Any:
    town = service.town
    said = replace(town.endorsement(key, STRANGER.account), model=model)
    signature = town.act(town.keys["maker"], "DeviceRegistry", said).signature
    return town.contracts.devices.enrol(said, signature, town.possession(key, STRANGER.account))


async def gathering(service: Service, posted: Posted) -> dict[str, Any]:
    """The answer to an approval that is kept while others are missing."""
    before = await service.runtime.world.outbox.accepted_total()
    response = await service.post(posted.path, posted.body)
    assert response.status_code == 200, response.text
    assert await service.runtime.world.outbox.accepted_total() == before
    body: dict[str, Any] = response.json()
    return body


# keys


async def test_opening__by_its_maker_and_then_key_by_key__is_sent_with_the_last_that_is_needed(
    service: Service,
) -> None:
    line = Line(service, 201)
    acts = line.acts
    opening = acts.opening(line.maker, [])
    asked = await gathering(service, opening)
    (need,) = asked["needs"]
    assert (asked["act"], asked["status"], need["least"], need["approved"]) == ("opening", "gathering", 3, [])
    assert need["missing"] == list(line.keys.members)
    nonce = opening.body["maker"]["nonce"]
    for number in range(2):
        told = await gathering(service, acts.opening(line.maker, [FIVE[number]], nonce))
        assert len(told["needs"][0]["approved"]) == number + 1
    shown = await service.get(f"firmware/proposals/{asked['id']}")
    assert shown["maker"] == opening.body["maker"]
    assert act_of(shown["act"], shown["body"]).model == 201
    assert asked["id"] in [each["id"] for each in (await service.get("firmware/proposals", model=201))["items"]]

    last = acts.opening(line.maker, [FIVE[2]], nonce)
    await done(service, last)
    found = await line.path()
    assert (found["maker"], found["latest"], found["full"], found["floor"]) == (line.maker.account, 0, 0, 0)
    assert found["keys"] == {"version": 1, "threshold": 3, "members": list(line.keys.members)}
    again = await service.post(last.path, last.body)
    assert (again.status_code, again.json()["status"]) == (202, "committed")
    late = acts.opening(line.maker, [FIVE[4]], nonce)
    assert (await service.post(late.path, late.body)).json()["status"] == "committed", "one that came too late too"


async def test_opening__that_may_not_be__is_refused_and_nothing_is_gathered(service: Service) -> None:
    line = Line(service, 202)
    acts = line.acts
    assert await refusal(service, acts.opening(STRANGER, FIVE[:1])) == (403, "SignerNotAllowed")
    assert await refusal(service, acts.opening(line.maker, [STRANGER])) == (403, "UnknownReleaseKey")
    over = FirmwareActs(service.town, 202, key_set(FIVE, 6))
    assert await refusal(service, over.opening(line.maker, [])) == (422, "ThresholdOutOfRange")
    upside_down = FirmwareActs(service.town, 202, key_set(FIVE[::-1], 3))
    assert await refusal(service, upside_down.opening(line.maker, [])) == (422, "KeysNotAscending")
    posted = acts.opening(line.maker, FIVE[:1])
    forged = posted.body["approvals"][0] | {"signer": FIVE[1].account}
    stolen = replace(posted, body=posted.body | {"approvals": [forged]})
    assert await refusal(service, stolen) == (403, "WrongSignature")
    twice = replace(posted, body=posted.body | {"approvals": posted.body["approvals"] * 2})
    assert await refusal(service, twice) == (422, "RequestInvalid")
    assert (await service.get("firmware/proposals", model=202))["items"] == []
    await line.open()
    assert await refusal(service, Line(service, 202).acts.opening(line.maker, [])) == (409, "ModelAlreadyOpen")


async def test_key_change__by_both_thresholds__counts_from_then_on(service: Service) -> None:
    line = await Line(service, 203).open()
    following = key_set(LATER, 4, version=2)
    told = await gathering(service, line.acts.key_change(following, FIVE[:2]))
    assert [need["version"] for need in told["needs"]] == [1, 2]
    told = await gathering(service, line.acts.key_change(following, [FIVE[2]]))
    assert [len(need["approved"]) for need in told["needs"]] == [3, 1]
    assert await refusal(service, line.acts.key_change(replace(following, version=3), FIVE[:1])) == (
        409,
        "WrongKeySetVersion",
    )
    await done(service, line.acts.key_change(following, LATER[1:4]))
    sets = (await line.path("/keys"))["items"]
    assert [(each["version"], each["threshold"]) for each in sets] == [(1, 3), (2, 4)]
    assert (await line.path())["keys"]["members"] == list(following.members)

    said = line.acts.release_of(1)
    assert await refusal(service, line.acts.release(said, FIVE[:1])) == (403, "UnknownReleaseKey")
    present = FirmwareActs(service.town, 203, following)
    await done(service, present.release(said, LATER[:4]))


async def test_release__while_the_keys_change__is_kept_and_sent_when_they_have(service: Service) -> None:
    line = await Line(service, 204).open()
    following = key_set(LATER, 3, version=2)
    both = [FIVE[2], FIVE[3], FIVE[4]]
    change = line.acts.key_change(following, both)
    ids = await service.accept(change.path, change.body)
    said = line.acts.release_of(1)
    assert await refusal(service, line.acts.release(said, both)) == (409, "KeyChangeUnderWay")
    await service.done(*ids)
    await service.caught_up()
    present = FirmwareActs(service.town, 204, following)
    await done(service, present.release(said, both[:1]))


# releases


async def test_release__approved_key_by_key__tells_who_is_missing(service: Service) -> None:
    line = await Line(service, 205).open()
    said = line.acts.release_of(5)
    told = await gathering(service, line.acts.release(said, [FIVE[0]]))
    assert told["id"] == line.acts.id_of(said)
    assert told["needs"][0]["missing"] == [each.account for each in FIVE[1:]]
    assert act_of("release", told["body"]) == said
    assert (await gathering(service, line.acts.release(said, [FIVE[0]])))["needs"] == told["needs"], "the same again"
    other = replace(said, source="elsewhere")
    await gathering(service, line.acts.release(other, [FIVE[3]]))
    await gathering(service, line.acts.release(said, [FIVE[2]]))
    await done(service, line.acts.release(said, [FIVE[4]]))
    shown = await line.show(5)
    assert (shown["source"], shown["imageHash"]) == (said.source, "0x" + said.image_hash.hex())
    assert (shown["state"], shown["told"], shown["failureBp"]) == ("proposed", 0, None)
    voided = await service.get(f"firmware/proposals/{line.acts.id_of(other)}")
    assert (voided["status"], voided["act"]) == ("void", "release"), "its counter is taken"
    assert await refusal(service, line.acts.release(other, [FIVE[1]])) == (409, "CounterNotIncreasing")


async def test_release__two_under_one_counter__one_is_taken(service: Service) -> None:
    line = await Line(service, 206).open()
    one, other = line.acts.release_of(1), line.acts.release_of(1, source="other")
    first = line.acts.release(one, FIVE[:3])
    ids = await service.accept(first.path, first.body)
    assert await refusal(service, line.acts.release(other, FIVE[:3])) == (409, "CounterNotIncreasing")
    await service.done(*ids)


async def test_acts__of_what_is_not_there__are_refused_by_name(service: Service) -> None:
    line = Line(service, 207)
    said = line.acts.release_of(1)
    assert await refusal(service, line.acts.release(said, FIVE[:1])) == (404, "UnknownModel")
    await line.open()
    assert await refusal(service, line.acts.start(said, 100, FIVE[:1])) == (404, "UnknownRelease")
    assert await refusal(service, line.acts.pause(1, 0, FIVE[:1])) == (404, "UnknownRelease")
    assert await refusal(service, line.acts.revocation(1, 1, FIVE[:1])) == (404, "UnknownRelease")
    for changes, name in (
        ({"floor": 2}, "FloorAboveCounter"),
        ({"image_size": 0}, "ReleaseIncomplete"),
        ({"least_receipts": 0}, "FailureLimitOutOfRange"),
    ):
        assert await refusal(service, line.acts.release(replace(said, **changes), FIVE[:1])) == (422, name)
    late = FirmwareActs(service.town, 207, line.keys, deadline=await service.town.now() - 1)
    assert await refusal(service, late.release(late.release_of(1), FIVE[:1])) == (409, "ActExpired")


async def test_rollout__canary_to_full__each_step_by_its_number(service: Service) -> None:
    line = await Line(service, 208).open()
    acts = line.acts
    await line.released(1, share=10_000, floor=1)
    two = await line.released(2, floor=1)
    assert await refusal(service, acts.start(two, 1_001, FIVE[:1])) == (422, "CanaryOutOfRange")
    assert await refusal(service, acts.start(replace(two, counter=1), 100, FIVE[:1])) == (409, "WrongRolloutState")
    await done(service, acts.start(two, 1_000, FIVE[:3]))
    assert await refusal(service, acts.raise_share(2, 900, 1, FIVE[:1])) == (409, "ShareNotRaised")
    assert await refusal(service, acts.raise_share(2, 2_000, 0, FIVE[:1])) == (409, "StepDiffers")
    assert await refusal(service, acts.resume(2, 1, FIVE[:1])) == (409, "WrongRolloutState")
    raising = acts.raise_share(2, 2_000, 1, FIVE[:2])
    await gathering(service, raising)
    await done(service, acts.pause(2, 1, [FIVE[4]]))
    shown = await line.show(2)
    assert (shown["state"], shown["resumesTo"]) == ("paused", "canary")
    assert (shown["steps"][-1]["by"], shown["steps"][-1]["byFailures"]) == (FIVE[4].account, False)
    assert await refusal(service, acts.raise_share(2, 2_000, 1, FIVE[2:3])) == (409, "StepDiffers"), (
        "void since the pause"
    )
    await done(service, acts.resume(2, 2, FIVE[:3]), acts.raise_share(2, 10_000, 3, FIVE[:3]))
    shown = await line.show(2)
    assert [step["state"] for step in shown["steps"]] == ["canary", "paused", "canary", "full"]
    assert (await line.show(1))["state"] == "superseded"
    assert await refusal(service, acts.release(acts.release_of(3), FIVE[:1])) == (409, "FloorLowered")
    found = await line.path()
    assert (found["latest"], found["full"], found["floor"]) == (2, 2, 1)
    head = service.runtime.world.heads.number
    assert await refusal(service, acts.revocation(2, head + 50, FIVE[:1])) == (422, "RevocationOutOfRange")
    await done(service, acts.revocation(2, head, FIVE[:3]))
    again = FirmwareActs(service.town, 208, line.keys, deadline=acts.deadline - 1)
    assert await refusal(service, again.revocation(2, head, FIVE[:1])) == (409, "RevocationNotEarlier")
    await done(service, acts.revocation(2, head - 1, FIVE[:3]))
    shown = await line.show(2)
    assert (shown["state"], [each["sinceBlock"] for each in shown["revocations"]]) == ("revoked", [head, head - 1])
    releases = (await line.path("/releases"))["items"]
    assert [(each["counter"], each["state"]) for each in releases] == [(1, "superseded"), (2, "revoked")]


# receipts


async def test_receipts__that_fail__pause_their_release_and_are_told(service: Service) -> None:
    """Four devices: failed, failed, well, well; with the fourth half of them have failed, which is over a quarter."""
    line = await Line(service, 210).open()
    keys = await line.devices(6, 30_000)
    assert {key.kind for key in keys} == {KeyKind.SECP256K1, KeyKind.P256}
    await line.released(1, share=10_000)
    now = await service.town.now()
    first, second, third, fourth, fifth, sixth = (
        line.acts.receipt(key, 1, now, code) for key, code in zip(keys, (17, 4, 0, 0, 0, 0), strict=True)
    )
    forged = line.acts.receipt(keys[0], 1, now, 17, signer=keys[1])
    assert await refusal(service, forged) == (403, "DeviceSignatureInvalid")
    ahead = line.acts.receipt(keys[0], 1, now + 3_600, 17)
    assert await refusal(service, ahead) == (422, "ReceiptFromFuture")
    await done(service, first, second, third)
    shown = await line.show(1)
    assert (shown["state"], shown["told"], shown["failures"], shown["failureBp"]) == ("full", 3, 2, 6_666)
    assert await refusal(service, line.acts.receipt(keys[0], 1, now + 1, 4)) == (409, "ReceiptTold")

    many = {"receipts": [posted.body for posted in (fourth, fifth, sixth)]}
    response = await service.post("firmware/receipts", many)
    assert response.status_code == 207
    taken, *others = response.json()["items"]
    assert [each["error"]["name"] for each in others] == ["WrongRolloutState"] * 2, "the contract says so beforehand"
    await service.done(taken["id"])
    await service.caught_up()
    shown = await line.show(1)
    assert (shown["state"], shown["resumesTo"], shown["told"], shown["failures"]) == ("paused", "full", 4, 2)
    assert (shown["steps"][-1]["byFailures"], shown["steps"][-1]["by"]) == (True, None)
    assert {each["code"]: each["devices"] for each in shown["codes"]} == {0: 2, 4: 1, 17: 1}
    assert await refusal(service, fifth) == (409, "WrongRolloutState")

    await done(service, line.acts.resume(1, shown["step"], FIVE[:3]))
    assert (await line.show(1))["told"] == 0, "each step is judged by itself"
    await done(service, line.acts.receipt(keys[0], 1, now + 5, 0))
    assert (await line.show(1))["told"] == 0, "judged by first attempts"
    assert (await line.path())["running"] == [{"counter": 1, "devices": 3}]
    failed = (await line.path("/releases/1/receipts", failed=True))["items"]
    assert [(each["device"], each["failureCode"]) for each in failed] == [(keys[0].device, 17), (keys[1].device, 4)]
    runs = (await line.path("/devices", running=1))["items"]
    assert {each["device"] for each in runs} == {key.device for key in (keys[0], keys[2], keys[3])}


async def test_receipts__sent_at_once__share_a_transaction_and_one_that_pauses_leaves_the_others_refused(
    service: Service,
) -> None:
    line = await Line(service, 211).open()
    keys = await line.devices(8, 31_000)
    await line.released(1, share=10_000, least_receipts=6, failure_limit_bp=5_000)
    now = await service.town.now()
    posted = [line.acts.receipt(key, 1, now, 9) for key in keys]
    answers = await asyncio.gather(*(service.post(each.path, each.body) for each in posted))
    assert [answer.status_code for answer in answers] == [202] * 8, "each alone would be taken"
    ids = [answer.json()["items"][0]["id"] for answer in answers]
    states = await service.done(*ids)
    assert len({state["transaction"] for state in states}) < 4, "they share transactions"
    assert [state["reason"] for state in states if state["reason"]] == ["WrongRolloutState"] * 2
    await service.caught_up()
    shown = await line.show(1)
    assert (shown["state"], shown["told"], shown["failures"]) == ("paused", 6, 6)
    refused = (await line.path("/releases/1/refusals"))["items"]
    assert [each["reason"] for each in refused] == ["WrongRolloutState"] * 2
    again = [await service.post(each.path, each.body) for each in posted]
    assert [answer.status_code for answer in again] == [202] * 8, "the same again has the answer that it had"

    late = next(at for at, state in enumerate(states) if state["reason"])
    await done(service, line.acts.resume(1, shown["step"], FIVE[:3]))

    async def final() -> bool:
        return bool((await service.status(ids[late]))["final"])

    await service.until(final, mine=True)
    await done(service, posted[late])
    assert (await line.show(1))["told"] == 1, "what was refused may be asked for again"


async def test_receipt__of_another_model_or_outside_the_ramp__is_refused_by_name(service: Service) -> None:
    line, other = await Line(service, 212).open(), await Line(service, 213).open()
    (key, *keys), (stray,) = await line.devices(30, 32_000), await other.devices(1, 33_000)
    await line.released(1, share=1_000)
    now = await service.town.now()
    outside = max((key, *keys), key=lambda each: ramp_position(each.device, 212, 1))
    assert await refusal(service, line.acts.receipt(outside, 1, now)) == (409, "NotInRamp")
    assert await refusal(service, line.acts.receipt(stray, 1, now)) == (422, "WrongModel")
    assert await refusal(service, line.acts.receipt(draw_home(34_000)[1], 1, now)) == (404, "UnknownDevice")
    assert await refusal(service, line.acts.receipt(outside, 2, now)) == (404, "UnknownRelease")
    shown = await line.path(f"/releases/1/devices/{outside.device}")
    assert (shown["isInRamp"], shown["isAllowed"], shown["refusal"]) == (False, False, "NotInRamp")
    assert shown["position"] == await service.town.contracts.firmware.position_of(outside.device, 212, 1)


async def test_device__as_releases_come_and_go__is_told_what_it_should_run(service: Service) -> None:
    line = await Line(service, 214).open()
    (key,) = await line.devices(1, 35_000)
    town, acts, device = service.town, line.acts, key.device

    async def shown() -> dict[str, Any]:
        found: dict[str, Any] = await service.get(f"firmware/devices/{device}")
        for each in found["releases"]:
            assert each["isAllowed"] == await town.contracts.firmware.is_allowed(device, each["counter"])
        installed = await town.contracts.firmware.installation_of(device)
        assert (found["told"], found["failureCode"], found["running"], found["runningSince"] or 0) == (
            installed.told,
            installed.failure_code,
            installed.running,
            installed.running_since,
        )
        return found

    assert (await shown())["shouldRun"] is None
    await line.released(1, share=10_000)
    assert (await shown())["shouldRun"] == 1
    await done(service, acts.receipt(key, 1, await town.now()))
    await line.released(2, share=10_000)
    found = await shown()
    assert (found["running"], found["shouldRun"], found["isBelowFloor"]) == (1, 2, False)
    await done(service, acts.pause(2, 2, FIVE[:1]))
    assert (await shown())["shouldRun"] == 1
    assert [each["refusal"] for each in (await shown())["releases"]] == ["WrongRolloutState"]
    await line.released(3, share=10_000, floor=3)
    found = await shown()
    assert (found["shouldRun"], found["isBelowFloor"]) == (3, True)
    owner = Acts(town).status(device, STRANGER)
    await done(service, owner)
    found = await shown()
    assert [each["refusal"] for each in found["releases"]] == ["DeviceSuspended"]
    assert await refusal(service, acts.receipt(key, 3, await town.now())) == (409, "DeviceSuspended")


async def test_reads__of_nothing__say_so(service: Service) -> None:
    for path, name in (
        ("firmware/models/999", "UnknownModel"),
        ("firmware/models/999/releases", "UnknownModel"),
        ("firmware/models/999/releases/1", "UnknownModel"),
        (f"firmware/proposals/0x{'00' * 32}", "UnknownProposal"),
        (f"firmware/devices/{STRANGER.account}", "UnknownDevice"),
    ):
        response = await service.http.get(f"/v1/{path}")
        assert (response.status_code, response.json()["error"]["name"]) == (404, name), path
