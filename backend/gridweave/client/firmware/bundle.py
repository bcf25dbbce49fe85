"""A bundle: all that a device needs to check a release offline, in deterministic CBOR (docs/firmware.md lists it).

{1: 1, 2: envelope, 3: release, 4: approvals, 5: keys, 6: key changes,
     7: header, 8: witnesses, 9: account, 10: slots}
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import astuple, dataclass
from typing import Any

from gridweave.client.firmware.cbor import (
    Unreadable,
    encode,
    read,
    read_bytes,
    read_known,
    read_list,
    read_map,
    read_text,
    read_uint,
)
from gridweave.client.firmware.refusals import BundleMalformed, BundleTooLarge
from gridweave.domain.addresses import address_bytes, checksum_address
from gridweave.domain.firmware.keys import KeySet
from gridweave.domain.firmware.messages import Release

__all__ = ["MOST_BYTES", "Bundle", "KeyChange", "Signatures"]

MOST_BYTES = 65_536
"""No bundle is longer; a usual one has 6,000 to 8,000 bytes."""

_VERSION = 1
_FIELDS = tuple(range(1, 11))
_SIGNATURE = 65
_SLOTS = 4

Signatures = tuple[tuple[str, bytes], ...]
"""Signers, ascending, each with 65 bytes r, s, v."""


@dataclass(frozen=True)
class KeyChange:
    """The next key set of a model, until when it was to be signed, and who of both sets did."""

    keys: KeySet
    deadline: int
    signatures: Signatures


@dataclass(frozen=True)
class Bundle:
    """`envelope` is SUIT's, `header` a block header's RLP; `account` and `slots` are Merkle proofs from the root down.

    The slots are the model's line, its key set, the release and its rollout. `changes` lead from some older key set to
    `keys`, which signed the release.
    """

    envelope: bytes
    release: Release
    signatures: Signatures
    keys: KeySet
    changes: tuple[KeyChange, ...]
    header: bytes
    witnesses: Signatures
    account: tuple[bytes, ...]
    slots: tuple[tuple[bytes, ...], ...]

    def encode(self) -> bytes:
        """As it travels. Raises BundleTooLarge."""
        changes = [[_keys(c.keys), c.deadline, _signatures(c.signatures)] for c in self.changes]
        proofs = [list(self.account), [list(proof) for proof in self.slots]]
        values = [
            *(_VERSION, self.envelope, list(astuple(self.release)), _signatures(self.signatures), _keys(self.keys)),
            *(changes, self.header, _signatures(self.witnesses), *proofs),
        ]
        raw = encode(dict(zip(_FIELDS, values, strict=True)))
        if len(raw) > MOST_BYTES:
            raise BundleTooLarge(len(raw), MOST_BYTES)
        return raw

    @classmethod
    def decode(cls, raw: bytes) -> Bundle:
        """What the bytes say; nothing of it is checked. Raises BundleTooLarge, BundleMalformed."""
        if len(raw) > MOST_BYTES:
            raise BundleTooLarge(len(raw), MOST_BYTES)
        try:
            return _decode(raw)
        except Unreadable as error:
            raise BundleMalformed(str(error)) from error


def _decode(raw: bytes) -> Bundle:
    fields = read_map(read(raw, "bundle"), "bundle")
    if tuple(fields) != _FIELDS:
        raise Unreadable("bundle")
    read_known(fields[1], _VERSION, "bundle")
    return Bundle(
        envelope=read_bytes(fields[2], "envelope"),
        release=_read_release(fields[3]),
        signatures=_read_signatures(fields[4], "approvals"),
        keys=_read_keys(fields[5]),
        changes=tuple(_read_change(item) for item in read_list(fields[6], "key changes")),
        header=read_bytes(fields[7], "header"),
        witnesses=_read_signatures(fields[8], "witnesses"),
        account=_read_proof(fields[9]),
        slots=tuple(_read_proof(item) for item in read_list(fields[10], "proofs", _SLOTS)),
    )


def _keys(keys: KeySet) -> list[Any]:
    return [keys.version, keys.threshold, [address_bytes(member) for member in keys.members]]


def _signatures(signatures: Signatures) -> list[Any]:
    return [[address_bytes(signer), signature] for signer, signature in signatures]


_RELEASE: tuple[Callable[[Any], Any], ...] = (
    lambda value: read_uint(value, 32, "model"),
    lambda value: read_uint(value, 32, "counter"),
    lambda value: read_uint(value, 32, "floor"),
    lambda value: read_uint(value, 64, "image size"),
    lambda value: read_bytes(value, "image hash", 32),
    lambda value: read_bytes(value, "manifest hash", 32),
    lambda value: read_bytes(value, "bill of materials", 32),
    lambda value: read_text(value, "source"),
    lambda value: read_uint(value, 32, "least receipts"),
    lambda value: read_uint(value, 16, "failure limit"),
    lambda value: read_uint(value, 256, "deadline"),
)


def _read_release(value: Any) -> Release:
    values = read_list(value, "release", len(_RELEASE))
    return Release(*(read_one(item) for read_one, item in zip(_RELEASE, values, strict=True)))


def _read_keys(value: Any) -> KeySet:
    version, threshold, members = read_list(value, "keys", 3)
    names = (read_bytes(member, "key", 20) for member in read_list(members, "keys"))
    return KeySet(
        read_uint(version, 32, "key set version"),
        read_uint(threshold, 8, "threshold"),
        tuple(map(checksum_address, names)),
    )


def _read_change(value: Any) -> KeyChange:
    keys, deadline, signatures = read_list(value, "key change", 3)
    return KeyChange(_read_keys(keys), read_uint(deadline, 256, "deadline"), _read_signatures(signatures, "key change"))


def _read_signatures(value: Any, part: str) -> Signatures:
    pairs = (read_list(item, part, 2) for item in read_list(value, part))
    return tuple(
        (checksum_address(read_bytes(signer, part, 20)), read_bytes(signature, part, _SIGNATURE))
        for signer, signature in pairs
    )


def _read_proof(value: Any) -> tuple[bytes, ...]:
    return tuple(read_bytes(node, "proof") for node in read_list(value, "proof"))
