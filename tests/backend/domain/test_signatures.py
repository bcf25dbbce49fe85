"""Signatures: what is ours is accepted, its other form, its pieces and everyone else's are not."""

from __future__ import annotations

import random

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from eth_account import Account

from gridweave.domain.errors import SignatureMalformed
from gridweave.domain.hashing import keccak
from gridweave.domain.signatures import (
    address_of,
    device_id,
    p256_point,
    recover,
    secp256k1_point,
    sign_compact,
    sign_p256,
    to_compact,
    to_rsv,
    to_vrs,
    verify_p256,
    verify_secp256k1,
)

RNG = random.Random(98)
KEYS = [RNG.randbytes(32) for _ in range(20)]
DIGEST = keccak(b"a digest")
SECP256K1_N = 0xFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFEBAAEDCE6AF48A03BBFD25E8CD0364141
P256_N = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551


def malleate(compact: bytes) -> bytes:
    """The other signature of the same consent: n - s with the parity flipped, as 65 bytes."""
    v, r, s = to_vrs(compact)
    return r + (SECP256K1_N - int.from_bytes(s, "big")).to_bytes(32, "big") + bytes([27 + 28 - v])


@pytest.mark.parametrize("key", KEYS)
def test_recover__of_a_compact_signature__is_the_keys_address(key: bytes) -> None:
    signature = sign_compact(key, DIGEST)
    assert len(signature) == 64
    assert recover(DIGEST, signature) == address_of(key) == Account.from_key(key).address


def test_recover__of_another_digest__is_another_address() -> None:
    assert recover(keccak(b"another"), sign_compact(KEYS[0], DIGEST)) != address_of(KEYS[0])


@pytest.mark.parametrize("length", [0, 1, 32, 63, 65, 128])
def test_recover__of_another_length__is_refused(length: int) -> None:
    with pytest.raises(SignatureMalformed, match="64 bytes"):
        recover(DIGEST, (sign_compact(KEYS[0], DIGEST) * 2)[:length])


@pytest.mark.parametrize("r", [0, SECP256K1_N, 2**256 - 1])
def test_recover__of_no_point__is_refused(r: int) -> None:
    with pytest.raises(SignatureMalformed, match="no key"):
        recover(DIGEST, r.to_bytes(32, "big") + (1).to_bytes(32, "big"))


def test_recover__with_s_above_half_the_order__is_refused() -> None:
    with pytest.raises(SignatureMalformed, match="upper half"):
        recover(DIGEST, bytes(31) + b"\x01" + (SECP256K1_N // 2 + 1).to_bytes(32, "big"))


@pytest.mark.parametrize("key", KEYS)
def test_to_compact__of_65_bytes__is_the_compact_form(key: bytes) -> None:
    compact = sign_compact(key, DIGEST)
    rsv = to_rsv(compact)
    assert to_compact(rsv) == compact
    assert to_compact(rsv[:64] + bytes([rsv[64] - 27])) == compact
    assert to_compact(compact) == compact


@pytest.mark.parametrize("key", KEYS)
def test_to_compact__of_the_malleated_form__is_refused(key: bytes) -> None:
    with pytest.raises(SignatureMalformed, match="upper half"):
        to_compact(malleate(sign_compact(key, DIGEST)))


@pytest.mark.parametrize("v", [2, 26, 29, 255])
def test_to_compact__of_another_v__is_refused(v: int) -> None:
    with pytest.raises(SignatureMalformed):
        to_compact(to_rsv(sign_compact(KEYS[0], DIGEST))[:64] + bytes([v]))


def test_verify_secp256k1__of_its_own_key_only__is_true() -> None:
    signature = sign_compact(KEYS[0], DIGEST)
    assert verify_secp256k1(*secp256k1_point(KEYS[0]), DIGEST, signature)
    assert not verify_secp256k1(*secp256k1_point(KEYS[1]), DIGEST, signature)
    assert not verify_secp256k1(*secp256k1_point(KEYS[0]), DIGEST, signature[:63])


def test_device_id__of_a_secp256k1_point__is_its_address() -> None:
    assert device_id(*secp256k1_point(KEYS[0])) == address_of(KEYS[0])


def p256_key(seed: int) -> ec.EllipticCurvePrivateKey:
    return ec.derive_private_key(seed, ec.SECP256R1())


@pytest.mark.parametrize("seed", range(1, 40))
def test_sign_p256__always__has_a_low_s_and_verifies(seed: int) -> None:
    key = p256_key(seed)
    signature = sign_p256(key, keccak(bytes([seed])))
    assert int.from_bytes(signature[32:], "big") <= P256_N // 2
    assert signature == sign_p256(key, keccak(bytes([seed])))
    assert verify_p256(*p256_point(key), keccak(bytes([seed])), signature)


def test_verify_p256__of_anything_else__is_false() -> None:
    key, other = p256_key(7), p256_key(8)
    signature = sign_p256(key, DIGEST)
    high = signature[:32] + (P256_N - int.from_bytes(signature[32:], "big")).to_bytes(32, "big")
    x, y = p256_point(key)
    assert not verify_p256(*p256_point(other), DIGEST, signature)
    assert not verify_p256(x, y, keccak(b"another"), signature)
    assert not verify_p256(x, y, DIGEST, high)
    assert not verify_p256(x, y, DIGEST, signature[:63])
    assert not verify_p256(x, y, DIGEST, bytes(64))
    assert not verify_p256(x, bytes(32), DIGEST, signature)
