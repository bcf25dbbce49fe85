"""A device's DID document, out of what was told of it. tests/e2e/did holds it against the public resolver."""

from __future__ import annotations

import base64

import pytest

from gridweave.domain.acts import KeyKind
from gridweave.domain.addresses import ZERO_ADDRESS
from gridweave.domain.device_keys import DevicePublicKey
from gridweave.domain.did import Resolved, Told, did_of, resolve
from tests.support.town import draw_home

CHAIN = 31_337
KEYS = [draw_home(number)[1].public for number in range(4)]
DEVICE, OWNER, BUYER = KEYS[0].name, draw_home(10)[1].device, draw_home(11)[1].device
DID = f"did:ethr:0x7a69:{DEVICE}"

BORN = [Told.owner(5, 50, OWNER), Told.key(5, 50, KEYS[0], counts=True)]
TURNED = [Told.key(8, 80, KEYS[0], counts=False), Told.key(8, 80, KEYS[1], counts=True)]
PASSED = [Told.owner(9, 90, BUYER)]
DOUBTED = [Told.key(11, 110, KEYS[1], counts=False)]
ADOPTED = [Told.key(12, 120, KEYS[1], counts=False), Told.key(12, 120, KEYS[2], counts=True)]
ENDED = [Told.owner(20, 200, ZERO_ADDRESS)]
LIFE = [*BORN, *TURNED, *PASSED, *DOUBTED, *ADOPTED, *ENDED]


def resolved(version: int | None = None, told: list[Told] = LIFE) -> Resolved:
    found = resolve(CHAIN, DEVICE, told, version)
    assert found is not None
    return found


def methods(found: Resolved) -> list[str]:
    return [method["id"].removeprefix(DID) for method in found.document["verificationMethod"]]


def test_did_of__a_device__names_its_chain_in_hex() -> None:
    assert did_of(CHAIN, DEVICE) == DID


@pytest.mark.parametrize("version", [0, 4])
def test_resolve__before_the_first_word__is_none(version: int) -> None:
    assert resolve(CHAIN, DEVICE, LIFE, version) is None
    assert resolve(CHAIN, DEVICE, []) is None


@pytest.mark.parametrize(
    ("version", "of", "owner", "named"),
    [
        (5, 5, OWNER, ["#controller", "#delegate-1"]),
        (7, 5, OWNER, ["#controller", "#delegate-1"]),
        (8, 8, OWNER, ["#controller", "#delegate-3"]),
        (10, 9, BUYER, ["#controller", "#delegate-3"]),
        (11, 11, BUYER, ["#controller"]),
        (19, 12, BUYER, ["#controller", "#delegate-6"]),
    ],
)
def test_resolve__a_version__has_owner_and_key_of_then(version: int, of: int, owner: str, named: list[str]) -> None:
    found = resolved(version)
    assert (found.version, found.updated, found.deactivated) == (of, 10 * of, False)
    assert methods(found) == named
    controller = found.document["verificationMethod"][0]
    assert controller["blockchainAccountId"] == f"eip155:{CHAIN}:{owner}"
    assert found.document["authentication"] == [f"{DID}#controller"]
    assert found.document["assertionMethod"] == [DID + name for name in named]


def test_resolve__between_versions__names_the_next() -> None:
    for version, following in ((5, 8), (8, 9), (10, 11), (11, 12), (12, 20)):
        assert (resolved(version).next_version, resolved(version).next_update) == (following, 10 * following)
    assert resolved().next_version is None
    assert resolved(20).next_update is None
    assert resolved(told=LIFE[:-1]).version == 12


def test_resolve__once_revoked__is_empty_whatever_is_said_later() -> None:
    later = [*LIFE, Told.key(25, 250, KEYS[2], counts=False)]
    for found in (resolved(), resolved(30), resolved(told=later), resolved(25, later)):
        assert found.deactivated
        assert (found.version, found.updated) == (20, 200)
        assert (found.next_version, found.next_update) == (None, None)
        assert found.document["id"] == DID
        assert found.document["verificationMethod"] == []
        assert found.document["authentication"] == found.document["assertionMethod"] == []


def test_resolve__a_key_that_comes_back__has_the_number_of_its_last_word() -> None:
    again = [*BORN, *TURNED, Told.key(9, 90, KEYS[1], counts=False), Told.key(9, 90, KEYS[0], counts=True)]
    assert methods(resolved(told=again)) == ["#controller", "#delegate-5"]


@pytest.mark.parametrize("key", KEYS[:2], ids=lambda key: key.kind.name)
def test_resolve__a_key__is_a_json_web_key_of_its_point(key: DevicePublicKey) -> None:
    told = [Told.owner(5, 50, OWNER), Told.key(5, 50, key, counts=True)]
    _, method = resolved(told=told).document["verificationMethod"]
    jwk = method["publicKeyJwk"]
    assert (method["type"], method["controller"], jwk["kty"]) == ("JsonWebKey2020", DID, "EC")
    assert jwk["crv"] == {KeyKind.SECP256K1: "secp256k1", KeyKind.P256: "P-256"}[key.kind]
    for axis, value in (("x", key.x), ("y", key.y)):
        assert base64.urlsafe_b64decode(jwk[axis] + "=") == value
        assert "=" not in jwk[axis]
