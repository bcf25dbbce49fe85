"""A device's DID document (W3C DID 1.0), method did:ethr, out of what ERC-1056's events told.

The identifier is did:ethr:0x<chain id>:<device>. Keys are named #delegate-N as ethr-did-resolver counts them: every
word about a key, whether it begins or ends it, is one. Keys are JSON Web Keys here, hex there.
"""

from __future__ import annotations

from base64 import urlsafe_b64encode
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Self

from gridweave.domain.addresses import ZERO_ADDRESS
from gridweave.domain.device_keys import DevicePublicKey

__all__ = ["Resolved", "Told", "did_of", "resolve"]

Json = dict[str, Any]

_CONTEXT = [
    "https://www.w3.org/ns/did/v1",
    "https://w3id.org/security/suites/jws-2020/v1",
    "https://w3id.org/security/suites/secp256k1recovery-2020/v2",
]


@dataclass(frozen=True)
class Told:
    """One event: an owner, or a key that `counts` from then on or no longer. `time` is its block's."""

    block: int
    time: int
    owned_by: str | None = None
    told_key: DevicePublicKey | None = None
    counts: bool = False

    @classmethod
    def owner(cls, block: int, time: int, owner: str) -> Self:
        return cls(block, time, owned_by=owner)

    @classmethod
    def key(cls, block: int, time: int, key: DevicePublicKey, *, counts: bool) -> Self:
        return cls(block, time, told_key=key, counts=counts)


@dataclass(frozen=True)
class Resolved:
    """The document and its metadata: `version` and `next_version` are blocks, `updated` and `next_update` times."""

    document: Json
    deactivated: bool
    version: int
    updated: int
    next_version: int | None
    next_update: int | None


def did_of(chain_id: int, device: str) -> str:
    """The device's decentralised identifier."""
    return f"did:ethr:0x{chain_id:x}:{device}"


def resolve(chain_id: int, device: str, told: Sequence[Told], version: int | None = None) -> Resolved | None:
    """The document after block `version` (None: the newest), from events in chain order; None before the first.

    What is told of a device that is nobody's any more, as a doubt about its old key, changes nothing.
    """
    told = _alive(told)
    seen = [event for event in told if version is None or event.block <= version]
    if not seen:
        return None
    later = told[len(seen)] if len(seen) < len(told) else None
    did = did_of(chain_id, device)
    owner, keys = _standing(seen)
    gone = owner == ZERO_ADDRESS
    return Resolved(
        document=_document(did, chain_id, owner, {} if gone else keys, is_empty=gone),
        deactivated=gone,
        version=seen[-1].block,
        updated=seen[-1].time,
        next_version=later.block if later else None,
        next_update=later.time if later else None,
    )


def _alive(told: Sequence[Told]) -> Sequence[Told]:
    """Up to and including its end."""
    end = next((at for at, event in enumerate(told) if event.owned_by == ZERO_ADDRESS), len(told))
    return told[: end + 1]


def _standing(seen: Sequence[Told]) -> tuple[str, dict[int, DevicePublicKey]]:
    """The last owner, and the keys that count by their numbers."""
    owner, keys, words = ZERO_ADDRESS, dict[DevicePublicKey, int](), 0
    for event in seen:
        if event.owned_by is not None:
            owner = event.owned_by
        elif event.told_key is not None:
            words += 1
            keys.pop(event.told_key, None)
            if event.counts:
                keys[event.told_key] = words
    return owner, {number: key for key, number in keys.items()}


def _document(did: str, chain_id: int, owner: str, keys: dict[int, DevicePublicKey], *, is_empty: bool) -> Json:
    controller = {
        "id": f"{did}#controller",
        "type": "EcdsaSecp256k1RecoveryMethod2020",
        "controller": did,
        "blockchainAccountId": f"eip155:{chain_id}:{owner}",
    }
    methods = [] if is_empty else [controller]
    methods += [_method(did, number, key) for number, key in sorted(keys.items())]
    owners = [controller["id"]] if not is_empty else []
    return {
        "@context": _CONTEXT,
        "id": did,
        "verificationMethod": methods,
        "authentication": owners,
        "assertionMethod": [method["id"] for method in methods],
    }


def _method(did: str, number: int, key: DevicePublicKey) -> Json:
    point = {"kty": "EC", "crv": key.kind.curve, "x": _base64(key.x), "y": _base64(key.y)}
    return {"id": f"{did}#delegate-{number}", "type": "JsonWebKey2020", "controller": did, "publicKeyJwk": point}


def _base64(raw: bytes) -> str:
    return urlsafe_b64encode(raw).rstrip(b"=").decode()
