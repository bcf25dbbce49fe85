"""Public keys of devices: there and back through ERC-1056's attributes, and nothing else taken for one."""

from __future__ import annotations

import random

import pytest
from cryptography.hazmat.primitives.asymmetric import ec

from gridweave.domain.acts import KeyKind
from gridweave.domain.device_keys import DevicePublicKey, kind_of_attribute
from gridweave.domain.hashing import keccak
from gridweave.domain.signatures import p256_point, secp256k1_point, sign_compact, sign_p256

KINDS = (KeyKind.SECP256K1, KeyKind.P256)
NAMES = {KeyKind.SECP256K1: b"did/pub/Secp256k1/veriKey/hex", KeyKind.P256: b"did/pub/P256/veriKey/hex"}
ROUNDS = 60


class Secret:
    """A private key on either curve, and its public half."""

    def __init__(self, rng: random.Random, kind: KeyKind) -> None:
        self.raw = b"\0" + rng.randbytes(31)
        self.p256 = ec.derive_private_key(int.from_bytes(self.raw, "big"), ec.SECP256R1())
        point = p256_point(self.p256) if kind is KeyKind.P256 else secp256k1_point(self.raw)
        self.public = DevicePublicKey(kind, *point)

    def sign(self, digest: bytes) -> bytes:
        return sign_p256(self.p256, digest) if self.public.kind is KeyKind.P256 else sign_compact(self.raw, digest)


@pytest.mark.parametrize("name", [b"", bytes(32), NAMES[KeyKind.P256], b"did/pub/Ed25519/veriKey/hex".ljust(32, b"\0")])
def test_kind_of_attribute__of_any_other__is_refused(name: bytes) -> None:
    with pytest.raises(ValueError, match="no key of a device"):
        kind_of_attribute(name)


@pytest.mark.parametrize("kind", KINDS)
def test_of_attribute__what_is_no_compressed_point__is_refused(kind: KeyKind, rng: random.Random) -> None:
    key = Secret(rng, kind).public
    whole = b"\4" + key.x + key.y
    for value in (b"", key.compressed[:-1], key.compressed + b"\0", whole, key.x, b"\4" + key.x, bytes(33)):
        with pytest.raises(ValueError, match="no compressed key"):
            DevicePublicKey.of_attribute(key.attribute, value)
    with pytest.raises(ValueError, match="no compressed key"):
        DevicePublicKey.of_attribute(key.attribute, b"\2" + b"\xff" * 32)


@pytest.mark.parametrize("kind", KINDS)
def test_of_attribute__of_a_key_s_own__is_the_key(kind: KeyKind, rng: random.Random) -> None:
    parities = set()
    for _ in range(ROUNDS):
        key = Secret(rng, kind).public
        assert (len(key.attribute), key.attribute.rstrip(b"\0")) == (32, NAMES[kind])
        assert kind_of_attribute(key.attribute) is kind
        assert len(key.compressed) == 33
        again = DevicePublicKey.of_attribute(key.attribute, key.compressed)
        assert (again, again.name) == (key, key.name)
        parities.add(key.compressed[0])
    assert parities == {2, 3}


@pytest.mark.parametrize("kind", KINDS)
def test_of_attribute__of_a_point_of_the_other_curve__is_never_that_key(kind: KeyKind, rng: random.Random) -> None:
    other = KINDS[kind is KeyKind.SECP256K1]
    for _ in range(ROUNDS):
        key = Secret(rng, kind).public
        try:
            found = DevicePublicKey.of_attribute(Secret(rng, other).public.attribute, key.compressed)
        except ValueError:
            continue
        assert (found.kind, found.x) == (other, key.x)
        assert found.y != key.y


@pytest.mark.parametrize("kind", KINDS)
def test_name__of_a_key__is_the_end_of_its_hash(kind: KeyKind, rng: random.Random) -> None:
    key = Secret(rng, kind).public
    assert key.name.lower() == "0x" + keccak(key.x + key.y)[12:].hex()


@pytest.mark.parametrize("kind", KINDS)
def test_verifies__its_own_signature_only(kind: KeyKind, rng: random.Random) -> None:
    own, other, digest = Secret(rng, kind), Secret(rng, kind), rng.randbytes(32)
    signature = own.sign(digest)
    assert own.public.verifies(digest, signature)
    assert not other.public.verifies(digest, signature)
    assert not own.public.verifies(rng.randbytes(32), signature)
    for malformed in (b"", signature[:63], signature + b"\0", bytes(64)):
        assert not own.public.verifies(digest, malformed)
    off_curve = DevicePublicKey(kind, own.public.x, own.public.x)
    assert not off_curve.verifies(digest, signature)
