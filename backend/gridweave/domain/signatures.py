"""Signatures of 32-byte digests: secp256k1 in compact form (ERC-2098), P-256 as plain (r, s), both with a low s.

Every signature is 64 bytes. A signature with s in the upper half is the same consent in other bytes and is refused.
"""

from __future__ import annotations

from functools import lru_cache

import coincurve
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import (
    Prehashed,
    decode_dss_signature,
    encode_dss_signature,
)
from cryptography.hazmat.primitives.hashes import SHA256

from gridweave.domain.addresses import checksum_address
from gridweave.domain.errors import SignatureMalformed
from gridweave.domain.hashing import keccak

COMPACT_LENGTH = 64

SECP256K1_ORDER = 0xFFFFFFFF_FFFFFFFF_FFFFFFFF_FFFFFFFE_BAAEDCE6_AF48A03B_BFD25E8C_D0364141
_P256_N = 0xFFFFFFFF_00000000_FFFFFFFF_FFFFFFFF_BCE6FAAD_A7179E84_F3B9CAC2_FC632551
_PARITY_BIT = 1 << 255
_PREHASHED = ec.ECDSA(Prehashed(SHA256()), deterministic_signing=True)
_PREHASHED_VERIFY = ec.ECDSA(Prehashed(SHA256()))


def sign_compact(private_key: bytes, digest: bytes) -> bytes:
    """The ERC-2098 signature of a 32-byte digest by a 32-byte secp256k1 key: r, then s with parity as its top bit."""
    return compact_by(coincurve.PrivateKey(private_key), digest)


def compact_by(key: coincurve.PrivateKey, digest: bytes) -> bytes:
    """The same by a key that is at hand: making one costs as much as a signature."""
    signature = key.sign_recoverable(digest, hasher=None)
    s = int.from_bytes(signature[32:64], "big") | (_PARITY_BIT if signature[64] else 0)
    return signature[:32] + s.to_bytes(32, "big")


def recover(digest: bytes, compact: bytes) -> str:
    """The checksummed address whose key signed the digest.

    Raises SignatureMalformed for another length, an s in the upper half, or a signature of no key.
    """
    parity, r, s = _split_compact(compact)
    recoverable = r.to_bytes(32, "big") + s.to_bytes(32, "big") + bytes([parity])
    try:
        key = coincurve.PublicKey.from_signature_and_message(recoverable, digest, hasher=None)
    except ValueError as error:
        raise SignatureMalformed("no key can have made it") from error
    return _address_of_point(key.format(compressed=False)[1:])


def verify_secp256k1(x: bytes, y: bytes, digest: bytes, compact: bytes) -> bool:
    """Whether the key (x, y), 32 bytes each, made this compact signature. A malformed one is False."""
    try:
        return recover(digest, compact) == _address_of_point(x + y)
    except SignatureMalformed:
        return False


def to_compact(signature: bytes) -> bytes:
    """A signature of 65 bytes (r, s, v with v 0, 1, 27 or 28) in compact form; 64 bytes pass through once checked.

    Raises SignatureMalformed.
    """
    if len(signature) == COMPACT_LENGTH:
        _split_compact(signature)
        return signature
    if len(signature) != COMPACT_LENGTH + 1 or signature[64] not in (0, 1, 27, 28):
        raise SignatureMalformed("64 bytes r, vs or 65 bytes r, s, v")
    s = int.from_bytes(signature[32:64], "big")
    if s >= _PARITY_BIT:
        raise SignatureMalformed("s lies in the upper half")
    parity = _PARITY_BIT if signature[64] in (1, 28) else 0
    compact = signature[:32] + (s | parity).to_bytes(32, "big")
    _split_compact(compact)
    return compact


def to_vrs(compact: bytes) -> tuple[int, bytes, bytes]:
    """(v, r, s) with v 27 or 28, as ERC-2612 takes it. Raises SignatureMalformed."""
    parity, r, s = _split_compact(compact)
    return 27 + parity, r.to_bytes(32, "big"), s.to_bytes(32, "big")


def to_rsv(compact: bytes) -> bytes:
    """65 bytes r, s, v with v 27 or 28, as ERC-1271 wallets and acts take it. Raises SignatureMalformed."""
    v, r, s = to_vrs(compact)
    return r + s + bytes([v])


def address_of(private_key: bytes) -> str:
    """The checksummed address of a 32-byte secp256k1 key."""
    return _address_of_point(b"".join(secp256k1_point(private_key)))


def secp256k1_point(private_key: bytes) -> tuple[bytes, bytes]:
    """(x, y) of a 32-byte secp256k1 key's public half, 32 bytes each."""
    point = coincurve.PublicKey.from_secret(private_key).format(compressed=False)
    return point[1:33], point[33:]


def device_id(x: bytes, y: bytes) -> str:
    """A device's id from its first public key, 32 bytes each: the last 20 bytes of keccak256(x . y), checksummed."""
    return _address_of_point(x + y)


def sign_p256(private_key: ec.EllipticCurvePrivateKey, digest: bytes) -> bytes:
    """The P-256 signature (r, s) of a 32-byte digest, deterministic (RFC 6979), s in the lower half."""
    r, s = decode_dss_signature(private_key.sign(digest, _PREHASHED))
    s = min(s, _P256_N - s)
    return r.to_bytes(32, "big") + s.to_bytes(32, "big")


def verify_p256(x: bytes, y: bytes, digest: bytes, signature: bytes) -> bool:
    """Whether the key (x, y), 32 bytes each, signed the digest; False for another length or an s in the upper half."""
    if len(signature) != COMPACT_LENGTH:
        return False
    r, s = int.from_bytes(signature[:32], "big"), int.from_bytes(signature[32:], "big")
    if s > _P256_N // 2:
        return False
    try:
        _p256_key(x, y).verify(encode_dss_signature(r, s), digest, _PREHASHED_VERIFY)
    except (InvalidSignature, ValueError):
        return False
    return True


def p256_point(private_key: ec.EllipticCurvePrivateKey) -> tuple[bytes, bytes]:
    """(x, y) of a P-256 key's public half, 32 bytes each."""
    numbers = private_key.public_key().public_numbers()
    return numbers.x.to_bytes(32, "big"), numbers.y.to_bytes(32, "big")


@lru_cache(maxsize=4096)
def _p256_key(x: bytes, y: bytes) -> ec.EllipticCurvePublicKey:
    numbers = ec.EllipticCurvePublicNumbers(int.from_bytes(x, "big"), int.from_bytes(y, "big"), ec.SECP256R1())
    return numbers.public_key()


def _split_compact(compact: bytes) -> tuple[int, int, int]:
    if len(compact) != COMPACT_LENGTH:
        raise SignatureMalformed("64 bytes r, vs or 65 bytes r, s, v")
    vs = int.from_bytes(compact[32:], "big")
    s = vs & (_PARITY_BIT - 1)
    if s > SECP256K1_ORDER // 2:
        raise SignatureMalformed("s lies in the upper half")
    return vs >> 255, int.from_bytes(compact[:32], "big"), s


def _address_of_point(point: bytes) -> str:
    return checksum_address(keccak(point)[12:])
