"""A device's life through REST: claimed from its maker's batch, its standing, its owners, its document."""

from __future__ import annotations

from dataclasses import replace

import pytest

from gridweave.domain.acts import DeviceStatus, KeyKind
from gridweave.domain.addresses import ZERO_ADDRESS
from gridweave.domain.maker_tree import Batch, leaf_of
from tests.backend.api.device_life import claimed, done, drawn, party, refusal, shown
from tests.support.acts import Acts, Posted
from tests.support.service import Service
from tests.support.town import MODEL, draw_home

pytestmark = [pytest.mark.asyncio(loop_scope="module"), pytest.mark.chain]

# enrolment


async def test_batch__claimed_in_one_breath_with_its_registration__stands(service: Service) -> None:
    """The claims wait in the batch's lane until it is on chain."""
    town, acts = service.town, Acts(service.town)
    made = [drawn(number) for number in range(300, 305)]
    batch = Batch(tuple((key.device, key.kind) for _, key in made))
    claims = [acts.claim(key, owner.account, batch.root, batch.proof(key.device)) for owner, key in made]
    await done(service, acts.batch(batch.root, party(town, "maker"), size=5), *claims[:4])

    found = await service.get(f"device-batches/0x{batch.root.hex()}")
    said = (found["maker"], found["model"], found["size"], found["claimed"], found["isClosed"])
    assert said == (town.keys["maker"].address, MODEL, 5, 4, False)
    for owner, key in made[:4]:
        device = await shown(service, key.device)
        assert device["batch"] == found["root"]
        assert (device["owner"], device["maker"], device["model"]) == (owner.account, found["maker"], MODEL)
        assert (device["status"], device["keyVersion"], device["nonce"]) == ("active", 1, 0)
        assert (device["key"], device["keyKind"]) == (key.device, key.kind.name.lower())
        assert (device["compromisedSince"], device["proposal"], device["offer"]) == (None, None, None)

    await done(service, acts.closing(batch.root, party(town, "operator")))
    assert (await service.get(f"device-batches/{found['root']}"))["isClosed"]
    assert await refusal(service, claims[4]) == (409, "BatchIsClosed")
    assert (await service.http.get(f"/v1/devices/{made[4][1].device}")).status_code == 404


async def test_batch__registered_again_or_unknown__is_refused_by_name(service: Service) -> None:
    town, acts = service.town, Acts(service.town)
    maker, operator = party(town, "maker"), party(town, "operator")
    root, unknown = leaf_of(drawn(310)[1].device, KeyKind.SECP256K1), b"\7" * 32
    await done(service, acts.batch(root, maker))
    assert await refusal(service, acts.batch(root, maker, model=8)) == (409, "BatchAlreadyRegistered")
    assert await refusal(service, acts.batch(unknown, operator)) == (403, "NotAMaker")
    assert await refusal(service, acts.closing(root, drawn(310)[0])) == (403, "SignerNotAllowed")
    assert await refusal(service, acts.closing(unknown, maker)) == (404, "UnknownBatch")
    await done(service, acts.closing(root, maker))
    assert await refusal(service, acts.closing(root, maker)) == (409, "BatchIsClosed")
    assert await refusal(service, acts.batch(root, maker)) == (409, "BatchAlreadyRegistered")
    response = await service.http.get(f"/v1/device-batches/0x{unknown.hex()}")
    assert (response.status_code, response.json()["error"]["name"]) == (404, "UnknownBatch")


async def test_claim__refused__by_name(service: Service) -> None:
    town, acts = service.town, Acts(service.town)
    (owner, key), (other_owner, other) = drawn(320), drawn(322)
    batch = Batch(((key.device, key.kind), (drawn(321)[1].device, KeyKind.P256)))
    proof = batch.proof(key.device)
    await done(service, acts.batch(batch.root, party(town, "maker"), size=2))
    good = acts.claim(key, owner.account, batch.root, proof)
    x = good.body["x"]
    for posted, expected in (
        (acts.claim(other, owner.account, batch.root, proof), (422, "NotInBatch")),
        (acts.claim(key, owner.account, batch.root), (422, "NotInBatch")),
        (acts.claim(key, owner.account, batch.root, [*proof, b"\1" * 32]), (422, "NotInBatch")),
        (acts.claim(key, owner.account, b"\3" * 32, proof), (422, "NotInBatch")),
        (replace(good, body=good.body | {"keyKind": "p256"}), (422, "NotInBatch")),
        (replace(good, body=good.body | {"x": good.body["y"], "y": x}), (422, "NotInBatch")),
        (acts.claim(key, owner.account, batch.root, proof, signer=other), (403, "DeviceSignatureInvalid")),
        (acts.claim(key, owner.account, batch.root, proof, signer=owner), (403, "DeviceSignatureInvalid")),
        (replace(good, body=good.body | {"owner": other_owner.account}), (403, "DeviceSignatureInvalid")),
        (acts.claim(key, ZERO_ADDRESS, batch.root, proof), (422, "OwnerIsZero")),
        (acts.claim(key, owner.account, leaf_of(key.device, key.kind)), (404, "UnknownBatch")),
    ):
        assert await refusal(service, posted) == expected
    await done(service, good)
    again = await service.post(good.path, good.body)
    assert (again.status_code, again.json()["status"]) == (202, "committed"), "the same request has the same answer"
    thief = acts.claim(key, other_owner.account, batch.root, proof)
    assert await refusal(service, thief) == (409, "DeviceAlreadyEnrolled")


async def test_claim__of_an_enrolled_device__is_refused(service: Service) -> None:
    """Whoever lists devices that another maker endorsed gains nothing by it."""
    acts, home = Acts(service.town), service.town.homes[0]
    root = leaf_of(home.key.device, home.key.kind)
    await done(service, acts.batch(root, party(service.town, "maker")))
    posted = acts.claim(home.key, drawn(325)[0].account, root)
    assert await refusal(service, posted) == (409, "DeviceAlreadyEnrolled")


async def test_enrolment__without_a_model__is_of_model_zero(service: Service) -> None:
    town = service.town
    owner, key = drawn(330)
    endorsement = replace(town.endorsement(key, owner.account), model=0)
    act = town.act(town.keys["maker"], "DeviceRegistry", endorsement)
    x, y = key.point
    body = {
        "device": key.device,
        "owner": owner.account,
        "keyKind": "secp256k1",
        "x": "0x" + x.hex(),
        "y": "0x" + y.hex(),
        "maker": {
            "signer": act.signer,
            "nonce": act.nonce,
            "deadline": act.deadline,
            "signature": "0x" + act.signature.hex(),
        },
        "possession": "0x" + town.possession(key, owner.account).hex(),
    }
    await done(service, Posted("devices", body))
    assert (await shown(service, key.device))["model"] == 0


# standing


async def test_status__suspended_reinstated_revoked__by_whom_it_may_be(service: Service) -> None:
    town, acts = service.town, Acts(service.town)
    owner, key = await claimed(service, 420)
    operator, active = party(town, "operator"), DeviceStatus.ACTIVE
    assert await refusal(service, acts.status(key.device, owner, active)) == (409, "StatusChangeRefused")
    await done(service, acts.status(key.device, owner))
    assert await refusal(service, acts.status(key.device, owner, active)) == (403, "SignerNotAllowed")
    suspended = acts.rotation(key.device, key, drawn(421)[1], 0)
    assert await refusal(service, suspended) == (409, "DeviceSuspended")
    await done(service, acts.status(key.device, operator, active))
    assert (await shown(service, key.device))["status"] == "active"

    await done(service, acts.offer(key.device, drawn(422)[0].account, owner))
    await done(service, acts.proposal(key.device, drawn(421)[1], owner))
    await done(service, acts.status(key.device, owner, DeviceStatus.REVOKED))
    device = await shown(service, key.device)
    assert (device["status"], device["owner"]) == ("revoked", owner.account)
    assert (device["proposal"], device["offer"]) == (None, None), "neither can be taken any more"
    for posted in (
        suspended,
        acts.proposal(key.device, drawn(421)[1], owner),
        acts.veto(key.device, key, drawn(421)[1].device, 0),
        acts.adoption(key.device, key, drawn(421)[1], 0),
        acts.offer(key.device, drawn(422)[0].account, owner),
        acts.transfer(key.device, owner.account, drawn(422)[0], key, 0),
    ):
        assert await refusal(service, posted) == (409, "DeviceRevoked")
    again = acts.status(key.device, operator, active)
    assert await refusal(service, again) == (409, "StatusChangeRefused")


async def test_compromise__suspends_and_only_another_key_brings_back(service: Service) -> None:
    """enrolled   notice since 5   earlier: since 2   proposal   +7 days: adoption   reinstated"""
    town, acts = service.town, Acts(service.town)
    owner, key = await claimed(service, 430)
    operator, registry = party(town, "operator"), town.contracts.devices
    buyer, following = drawn(431)[0], drawn(431)[1]
    head = (await town.chain.node.head()).number
    for since, by, expected in (
        (5, buyer, (403, "SignerNotAllowed")),
        (0, owner, (422, "BlockOutOfRange")),
        (head + 100, owner, (422, "BlockOutOfRange")),
    ):
        assert await refusal(service, acts.compromise(key.device, key, by, since)) == expected
    await done(service, acts.compromise(key.device, key, owner, head - 2))
    device = await shown(service, key.device)
    assert (device["status"], device["compromisedSince"]) == ("suspended", head - 2)
    assert await refusal(service, acts.compromise(key.device, key, owner, head - 2)) == (409, "DoubtNotEarlier")
    await done(service, acts.compromise(key.device, key, operator, head - 5))
    assert (await shown(service, key.device))["compromisedSince"] == head - 5
    assert not await registry.is_trusted_at(key.device, head - 4)

    await done(service, acts.offer(key.device, buyer.account, owner), acts.proposal(key.device, following, owner))
    for posted, expected in (
        (acts.rotation(key.device, key, following, 0), (409, "DeviceSuspended")),
        (acts.veto(key.device, key, following.device, 0), (409, "KeyCompromised")),
        (acts.transfer(key.device, owner.account, buyer, key, 0), (409, "KeyCompromised")),
        (acts.status(key.device, operator, DeviceStatus.ACTIVE), (409, "KeyCompromised")),
    ):
        assert await refusal(service, posted) == expected
    await service.travel((await shown(service, key.device))["proposal"]["readyAt"])
    await done(service, acts.adoption(key.device, key, following, 0))
    device = await shown(service, key.device)
    assert (device["status"], device["compromisedSince"], device["key"]) == ("suspended", None, following.device)
    await done(service, acts.status(key.device, operator, DeviceStatus.ACTIVE))
    assert (await shown(service, key.device))["status"] == "active"
    assert not await registry.is_trusted_at(key.device, head - 4), "the doubt about the old key stays"
    assert await registry.is_trusted_at(key.device, device["block"])


# owners


async def test_transfer__of_two_who_agree_and_the_device__passes_it_once(service: Service) -> None:
    town, acts = service.town, Acts(service.town)
    owner, key = await claimed(service, 441)
    buyer, other = drawn(442)[0], drawn(444)[0]
    good = acts.transfer(key.device, owner.account, buyer, key, 0)
    assert await refusal(service, good) == (409, "TransferNotOffered")
    assert await refusal(service, acts.offer(key.device, buyer.account, buyer)) == (403, "SignerNotAllowed")
    await done(service, acts.offer(key.device, other.account, owner))
    assert await refusal(service, good) == (409, "TransferNotOffered")
    until = await town.now() + 1_000
    await done(service, acts.offer(key.device, buyer.account, owner, until))
    assert (await shown(service, key.device))["offer"] == {"to": buyer.account, "until": until}
    assert (await shown(service, key.device))["owner"] == owner.account, "an offer moves nothing"
    for posted, expected in (
        (acts.transfer(key.device, owner.account, other, key, 0), (409, "TransferNotOffered")),
        (acts.transfer(key.device, owner.account, buyer, key, 0, signer=buyer), (403, "DeviceSignatureInvalid")),
        (acts.transfer(key.device, owner.account, buyer, key, 0, signer=owner), (403, "DeviceSignatureInvalid")),
        (acts.transfer(key.device, owner.account, buyer, key, 1), (403, "DeviceSignatureInvalid")),
        (acts.transfer(key.device, other.account, buyer, key, 0), (403, "WrongSignature")),
        (replace(good, body=good.body | {"handover": "0x" + "11" * 64}), (403, "DeviceSignatureInvalid")),
    ):
        assert await refusal(service, posted) == expected
    await done(service, good)
    device = await shown(service, key.device)
    assert (device["owner"], device["offer"], device["nonce"]) == (buyer.account, None, 1)
    again = await service.post(good.path, good.body)
    assert (again.status_code, again.json()["status"]) == (202, "committed"), "the same request has the same answer"
    twice = acts.transfer(key.device, buyer.account, buyer, key, 1)
    assert await refusal(service, twice) == (409, "TransferNotOffered")
    assert await refusal(service, acts.transfer(key.device, owner.account, other, key, 1)) == (
        409,
        "TransferNotOffered",
    )
    assert await refusal(service, acts.status(key.device, owner)) == (403, "SignerNotAllowed")


async def test_transfer__withdrawn_or_too_late__is_refused(service: Service) -> None:
    town, acts = service.town, Acts(service.town)
    owner, key = await claimed(service, 450)
    buyer = drawn(451)[0]
    await done(service, acts.offer(key.device, buyer.account, owner), acts.offer(key.device, ZERO_ADDRESS, owner))
    assert (await shown(service, key.device))["offer"] is None
    taken = acts.transfer(key.device, owner.account, buyer, key, 0)
    assert await refusal(service, taken) == (409, "TransferNotOffered")
    until = await town.now() + 500
    await done(service, acts.offer(key.device, buyer.account, owner, until))
    await service.travel(until + 1)
    assert await refusal(service, taken) == (409, "TransferNotOffered")


async def test_transfer__while_a_key_stands_proposed__undoes_the_proposal(service: Service) -> None:
    acts = Acts(service.town)
    owner, key = await claimed(service, 452)
    buyer = drawn(453)[0]
    await done(service, acts.proposal(key.device, drawn(454)[1], owner))
    await done(service, acts.offer(key.device, buyer.account, owner))
    await done(service, acts.transfer(key.device, owner.account, buyer, key, 0))
    assert (await shown(service, key.device))["proposal"] is None
    assert await refusal(service, acts.adoption(key.device, key, drawn(454)[1], 1)) == (409, "NoRotationProposed")


# its document


async def test_document__of_each_version__has_the_key_and_the_owner_that_counted_then(service: Service) -> None:
    town, acts = service.town, Acts(service.town)
    owner, key = await claimed(service, 461)
    buyer, following = drawn(462)[0], drawn(462)[1]
    born = (await shown(service, key.device))["block"]
    await done(service, acts.rotation(key.device, key, following, 0))
    turned = (await shown(service, key.device))["block"]
    await done(service, acts.offer(key.device, buyer.account, owner))
    await done(service, acts.transfer(key.device, owner.account, buyer, following, 1))
    passed = (await shown(service, key.device))["block"]
    await done(service, acts.status(key.device, buyer, DeviceStatus.REVOKED))
    ended = (await shown(service, key.device))["block"]
    path = f"devices/{key.device}/did"
    did = f"did:ethr:0x{town.deployment.chain_id:x}:{key.device}"

    for block, version, following_version, person, method, curve in (
        (born, born, turned, owner, "#delegate-1", "P-256"),
        (turned - 1, born, turned, owner, "#delegate-1", "P-256"),
        (turned, turned, passed, owner, "#delegate-3", "secp256k1"),
        (passed, passed, ended, buyer, "#delegate-3", "secp256k1"),
    ):
        found = await service.get(path, versionId=block)
        document, metadata = found["didDocument"], found["didDocumentMetadata"]
        assert document["id"] == did
        controller, word = document["verificationMethod"]
        assert controller["id"] == did + "#controller"
        assert controller["blockchainAccountId"] == f"eip155:{town.deployment.chain_id}:{person.account}"
        assert (word["id"], word["publicKeyJwk"]["crv"]) == (did + method, curve)
        assert document["authentication"] == [did + "#controller"]
        assert document["assertionMethod"] == [did + "#controller", did + method]
        assert (metadata["versionId"], metadata["nextVersionId"]) == (str(version), str(following_version))
        assert "deactivated" not in metadata

    for params in ({}, {"versionId": ended}):
        last = await service.get(path, **params)
        assert last["didDocumentMetadata"]["deactivated"] is True
        assert last["didDocumentMetadata"]["versionId"] == str(ended)
        assert "nextVersionId" not in last["didDocumentMetadata"]
        assert last["didDocument"]["verificationMethod"] == []
    for missing, name in ((path + f"?versionId={born - 1}", "UnknownVersion"), (f"devices/{owner.account}/did", None)):
        response = await service.http.get(f"/v1/{missing}")
        assert (response.status_code, response.json()["error"]["name"]) == (404, name or "UnknownDevice")
    assert (await service.http.get(f"/v1/{path}", params={"versionId": "x"})).status_code == 422


async def test_device__whatever_befell_it__is_as_the_contract_has_it(service: Service) -> None:
    """Every home's device and every one that these tests made: deviceOf in one call, and the same from rows."""
    town = service.town
    owner, key = await claimed(service, 465)
    await done(service, Acts(town).status(key.device, owner))
    names = [draw_home(number)[1].device for number in range(300, 470)]
    known = 0
    for name in [home.key.device for home in town.homes] + names:
        device = await town.contracts.devices.device_of(name)
        response = await service.http.get(f"/v1/devices/{name}")
        assert (response.status_code == 200) == (device is not None)
        if device is None:
            continue
        known += 1
        body = response.json()
        assert (body["owner"], body["maker"], body["model"]) == (device.owner, device.maker, device.model)
        assert (body["status"], body["statusSince"]) == (device.status.name.lower(), device.status_since)
        assert (body["key"], body["keyKind"], body["keyVersion"]) == (
            device.key,
            device.key_kind.name.lower(),
            device.key_version,
        )
        assert (body["nonce"], body["compromisedSince"]) == (device.nonce, device.compromised_since or None)
    assert known > len(town.homes)
