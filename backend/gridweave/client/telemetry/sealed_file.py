"""A secret in a file under a password: scrypt and AES-256-GCM, in JSON.

    {"gridweave": purpose, "version": 1, "public": what anybody may read,
     "scrypt": {"n", "r", "p", "salt"}, "nonce": hex, "ciphertext": hex}

All but the ciphertext is authenticated with it: what is public cannot be changed either. Salt and nonce are drawn anew
each time that a file is written.
"""

from __future__ import annotations

import json
import secrets
from typing import Any

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.scrypt import Scrypt

from gridweave.client.errors import KeystoreError, WrongPassword

__all__ = ["WORK", "public_part", "seal", "unseal"]

WORK = 1 << 17
"""scrypt's n: 128 MiB and a good third of a second for each guess."""

_LEAST_WORK, _MOST_WORK = 1 << 10, 1 << 20
_R, _P = 8, 1
_VERSION = 1
_SALT, _NONCE = 16, 12
Json = dict[str, Any]


def seal(plaintext: bytes, password: str, purpose: str, public: Any = None, *, work: int = WORK) -> bytes:
    """The file's content. Raises KeystoreError for an empty password."""
    if not password:
        raise KeystoreError("what is secret is stored under a password, not an empty one")
    salt, nonce = secrets.token_bytes(_SALT), secrets.token_bytes(_NONCE)
    head: Json = {
        "gridweave": purpose,
        "version": _VERSION,
        "public": public,
        "scrypt": {"n": work, "r": _R, "p": _P, "salt": salt.hex()},
        "nonce": nonce.hex(),
    }
    sealed = _cipher(password, salt, work).encrypt(nonce, plaintext, _canonical(head))
    return json.dumps(head | {"ciphertext": sealed.hex()}, indent=1).encode() + b"\n"


def unseal(raw: bytes, password: str, purpose: str) -> bytes:
    """What was sealed. Raises WrongPassword, which is also what a changed file looks like, and KeystoreError."""
    head, sealed = _parse(raw, purpose)
    work, salt, nonce = head["scrypt"]["n"], bytes.fromhex(head["scrypt"]["salt"]), bytes.fromhex(head["nonce"])
    try:
        return _cipher(password, salt, work).decrypt(nonce, sealed, _canonical(head))
    except InvalidTag as error:
        raise WrongPassword(f"the password does not open the {purpose}, or the file was changed") from error


def public_part(raw: bytes, purpose: str) -> Any:
    """What anybody may read. Not yet authenticated. Raises KeystoreError."""
    return _parse(raw, purpose)[0]["public"]


def _parse(raw: bytes, purpose: str) -> tuple[Json, bytes]:
    try:
        body = json.loads(raw)
        _must_be_ours(body, purpose)
        sealed = bytes.fromhex(body.pop("ciphertext"))
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise KeystoreError(f"this is no file of {purpose}: {error}") from error
    return body, sealed


def _must_be_ours(body: Any, purpose: str) -> None:
    if not isinstance(body, dict) or body["gridweave"] != purpose:
        raise ValueError("it is another file")
    scrypt, work = body["scrypt"], body["scrypt"]["n"]
    if type(body["version"]) is not int or body["version"] != _VERSION:
        raise ValueError("this program reads version 1")
    if type(work) is not int or work & (work - 1) or not _LEAST_WORK <= work <= _MOST_WORK:
        raise ValueError("scrypt's n is a power of two that this machine can bear")
    if (scrypt["r"], scrypt["p"]) != (_R, _P):
        raise ValueError(f"scrypt's r is {_R}, its p {_P}")
    if len(bytes.fromhex(scrypt["salt"])) != _SALT or len(bytes.fromhex(body["nonce"])) != _NONCE:
        raise ValueError("salt or nonce has another length")


def _cipher(password: str, salt: bytes, work: int) -> AESGCM:
    return AESGCM(Scrypt(salt, 32, work, _R, _P).derive(password.encode()))


def _canonical(head: Json) -> bytes:
    return json.dumps(head, sort_keys=True, separators=(",", ":")).encode()
