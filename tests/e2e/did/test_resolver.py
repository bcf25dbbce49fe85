"""The public ethr-did-resolver, which knows nothing of us, and the service say the same of devices, at every block.

On a chain of our own: changes of key on both curves, several in one block, a transfer, a key in doubt, one that its
owner proposed, a revocation, and what is said after it.
"""

from __future__ import annotations

import base64
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from gridweave.chain import Call
from gridweave.domain.acts import DeviceStatus, KeyKind
from gridweave.domain.device_keys import DevicePublicKey
from gridweave.domain.did import did_of
from gridweave.domain.maker_tree import Batch
from tests.support.acts import Acts, Party, Posted
from tests.support.javascript import require_package, run_node
from tests.support.service import Service, served
from tests.support.town import DeviceKeyPair, Town, draw_home, founded

pytestmark = [pytest.mark.chain, pytest.mark.slow]

WEEK = 7 * 86_400
CURVES = {"secp256k1": KeyKind.SECP256K1, "P-256": KeyKind.P256}
Json = dict[str, Any]


class Life:
    """Devices of one owner, and a buyer."""

    def __init__(self, town: Town) -> None:
        self.town, self.acts = town, Acts(town)
        self.owner, self.buyer = (Party(str(number), draw_home(number)[0]) for number in (600, 601))
        self.maker = Party("maker", town.keys["maker"].secret)
        self.operator = Party("operator", town.keys["operator"].secret)
        self.k1 = [draw_home(number)[1] for number in range(610, 620, 2)]
        self.p256 = [draw_home(number)[1] for number in range(611, 621, 2)]

    async def block(self, *posted: Posted) -> None:
        """All of them in one block."""
        calls: list[Call] = [each.call for each in posted if each.call is not None]
        assert len(calls) == len(posted)
        await self.town.send(calls)

    async def live(self) -> list[str]:
        """The devices: one that ends, one that lives on, one that never changed."""
        first, second, third = self.k1[0], self.p256[0], self.k1[1]
        batch = Batch(tuple((key.device, key.kind) for key in (first, second)))
        await self.block(self.acts.batch(batch.root, self.maker, size=2))
        claims = [
            self.acts.claim(key, self.owner.account, batch.root, batch.proof(key.device)) for key in (first, second)
        ]
        await self.block(*claims)
        await self.town.send([self.town.enrol_call(third, self.owner.account)])
        await self.turn_and_pass(first)
        await self.doubt_and_adopt(second)
        await self.end(first)
        return [first.device, second.device, third.device]

    async def turn_and_pass(self, key: DeviceKeyPair) -> None:
        """Onto P-256 and, in one block, back, to a buyer, and onto P-256 again."""
        device, following, back, last = key.device, self.p256[1], self.k1[2], self.p256[2]
        await self.block(self.acts.rotation(device, key, following, 0))
        await self.town.chain.mine()
        await self.block(self.acts.offer(device, self.buyer.account, self.owner))
        await self.block(
            self.acts.rotation(device, following, back, 1),
            self.acts.transfer(device, self.owner.account, self.buyer, back, 2),
            self.acts.rotation(device, back, last, 3),
        )

    async def doubt_and_adopt(self, key: DeviceKeyPair) -> None:
        """In doubt, suspended; a week later its owner's key takes over, and an operator brings it back."""
        device, following = key.device, self.k1[3]
        height = await self.town.chain.node.block_number()
        await self.block(self.acts.compromise(device, key, self.owner, height))
        await self.block(self.acts.compromise(device, key, self.operator, height - 3))
        await self.block(self.acts.proposal(device, following, self.owner))
        await self.town.chain.mine(await self.town.now() + WEEK)
        await self.block(self.acts.adoption(device, key, following, 0))
        await self.block(self.acts.status(device, self.operator, DeviceStatus.ACTIVE))
        await self.block(self.acts.rotation(device, following, key, 1))

    async def end(self, key: DeviceKeyPair) -> None:
        """Revoked by whom it belongs to; its key is doubted afterwards."""
        await self.block(self.acts.status(key.device, self.buyer, DeviceStatus.REVOKED))
        await self.town.chain.mine()
        await self.block(self.acts.compromise(key.device, self.p256[2], self.operator))
        await self.town.chain.mine()


async def test_document__at_every_block_of_a_life__is_what_the_public_resolver_makes_of_it(tmp_path: Path) -> None:
    require_package("ethr-did-resolver")
    async with founded(tmp_path / "chain", homes=0) as town, served(town, tmp_path / "service") as service:
        devices = await Life(town).live()
        await service.caught_up()
        head = await town.chain.node.block_number()
        asked = [
            (device, version)
            for device in devices
            for version in (*range(await _born(service, devices), head + 1), None)
        ]
        known = [(device, version, await _ours(service, device, version)) for device, version in asked]
        theirs = _resolved(town, [(device, version) for device, version, _ in known])
        alive, ended, seen = 0, 0, set()
        for (device, version, ours), found in zip(known, theirs, strict=True):
            assert found["didResolutionMetadata"].get("error") is None, found
            if ours is None:
                assert "versionId" not in found["didDocumentMetadata"], "nothing was told of it by then"
                continue
            assert _shown(ours) == _shown(found), f"{device} at {version}"
            assert ours["didResolutionMetadata"] == found["didResolutionMetadata"]
            is_over = ours["didDocumentMetadata"].get("deactivated", False)
            alive, ended = alive + (not is_over), ended + is_over
            seen |= {(device, method["id"]) for method in ours["didDocument"]["verificationMethod"]}
        assert alive > 30
        assert ended > 4
        assert len(seen) > 9, "different keys were met"


async def _born(service: Service, devices: Sequence[str]) -> int:
    """A block before the first of them."""
    rows = [await service.runtime.world.reads.devices.told(device) for device in devices]
    return min(int(row["device_owners"][0]["block_number"]) for row in rows) - 1


async def _ours(service: Service, device: str, version: int | None) -> Json | None:
    response = await service.http.get(
        f"/v1/devices/{device}/did", params={} if version is None else {"versionId": version}
    )
    if response.status_code == 404:
        assert response.json()["error"]["name"] == "UnknownVersion"
        return None
    answer: Json = response.json()
    return answer


def _resolved(town: Town, asked: Sequence[tuple[str, int | None]]) -> list[Json]:
    chain, registry = town.deployment.chain_id, town.contracts.devices.address
    dids = [
        did_of(chain, device) + (f"?versionId={version}" if version is not None else "") for device, version in asked
    ]
    found: list[Json] = run_node(
        "resolve_did.mjs", {"rpc": town.chain.url, "chainId": chain, "registry": registry, "dids": dids}
    )
    return found


def _shown(resolved: Json) -> Json:
    """What both must agree on: everything but the form in which a key is written."""
    document = resolved["didDocument"]
    return {
        "id": document["id"],
        "methods": [_method(method) for method in document["verificationMethod"]],
        "authentication": document["authentication"],
        "assertionMethod": document["assertionMethod"],
        "metadata": resolved["didDocumentMetadata"],
    }


def _method(method: Json) -> Json:
    """A key as its curve and point, whether a JSON Web Key or hex; the controller as it stands."""
    if "blockchainAccountId" in method:
        return method
    said = {"id": method["id"], "controller": method["controller"]}
    if "publicKeyJwk" in method:
        jwk = method["publicKeyJwk"]
        x, y = (base64.urlsafe_b64decode(jwk[axis] + "=") for axis in ("x", "y"))
        return said | {"key": DevicePublicKey(CURVES[jwk["crv"]], x, y)}
    kind = KeyKind.P256 if method["type"].startswith("P256") else KeyKind.SECP256K1
    attribute = DevicePublicKey(kind, bytes(32), bytes(32)).attribute
    return said | {"key": DevicePublicKey.of_attribute(attribute, bytes.fromhex(method["publicKeyHex"]))}
