"""Grants: the owner of a stream opens a time range of it to one party, who reads it with its own key alone.

A grant is a header, which anybody reads, and the keys of just its windows, sealed by HPKE (RFC 9180, base mode) to the
party's public key with "gridweave/telemetry/grant" and the header as info:

    header    0x01, suite (1), stream (32), epoch (4), first and last window (4 each)
    sealed    encapsulated key and ciphertext of the keys, as WindowKeys.encode writes them

Base mode does not say who sealed: that is the owner's signature on the grant, or the event it came by. A grant with
keys that are not the owner's opens no batch.

What was granted stays granted: to end it, and to sell a device, the owner begins a new epoch.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from struct import Struct

from gridweave.domain.telemetry.batches import SealedBatch
from gridweave.domain.telemetry.errors import (
    GrantDoesNotOpen,
    GrantKeysWrong,
    GrantMalformed,
    GrantOfOtherStream,
    GrantOfOtherSuite,
)
from gridweave.domain.telemetry.keytree import WindowKeys
from gridweave.domain.telemetry.opening import OpenedSection, open_reached
from gridweave.domain.telemetry.parties import PartyKey, PartySecret, PartySuite
from gridweave.domain.telemetry.schema import Schema

_INFO = b"gridweave/telemetry/grant"
_VERSION = 1
_HEADER = Struct(">BB32sIII")


@dataclass(frozen=True)
class Grant:
    """A grant once opened: `keys` open windows [first, end) of the stream and no other."""

    stream: bytes
    first: int
    end: int
    keys: WindowKeys

    def read(self, schema: Schema, batch: SealedBatch) -> tuple[OpenedSection, ...]:
        """What of the batch lies in the grant, which may be nothing. Raises GrantOfOtherStream, and as open_section."""
        if batch.header.stream != self.stream:
            raise GrantOfOtherStream("0x" + batch.header.stream.hex(), "0x" + self.stream.hex())
        return open_reached(self.keys, schema, batch)


@dataclass(frozen=True)
class SealedGrant:
    """A grant on its way: to whom is known to the owner, and to whoever can open it."""

    suite: PartySuite
    stream: bytes
    epoch: int
    first: int
    end: int
    sealed: bytes

    @property
    def header(self) -> bytes:
        """What stands before the sealed part."""
        return _HEADER.pack(_VERSION, self.suite, self.stream, self.epoch, self.first, self.end - 1)

    def encode(self) -> bytes:
        """Canonical bytes."""
        return self.header + self.sealed

    @classmethod
    def decode(cls, raw: bytes) -> SealedGrant:
        """The grant of canonical bytes. Raises GrantMalformed."""
        if len(raw) <= _HEADER.size:
            raise GrantMalformed(f"more than {_HEADER.size} bytes")
        version, suite, stream, epoch, first, last = _HEADER.unpack_from(raw)
        if version != _VERSION:
            raise GrantMalformed("this program reads version 1")
        if suite not in list(PartySuite):
            raise GrantMalformed("a suite is 1 or 2")
        if first > last:
            raise GrantMalformed("the first window not after the last")
        return cls(PartySuite(suite), stream, epoch, first, last + 1, raw[_HEADER.size :])

    def open(self, secret: PartySecret) -> Grant:
        """The grant, by the party's own key.

        Raises GrantOfOtherSuite, GrantDoesNotOpen, KeysMalformed and GrantKeysWrong.
        """
        if secret.suite is not self.suite:
            raise GrantOfOtherSuite(self.suite.name, secret.suite.name)
        encoded = secret.decrypt(self.sealed, _INFO + self.header)
        if encoded is None:
            raise GrantDoesNotOpen("0x" + self.stream.hex())
        keys = WindowKeys.decode(encoded)
        _must_be_of(self, keys)
        return Grant(self.stream, self.first, self.end, keys)


def grant(keys: WindowKeys, stream: bytes, first: int, end: int, party: PartyKey) -> SealedGrant:
    """Open windows [first, end) of a stream to a party. `stream` is 32 bytes, `keys` its owner's.

    Raises WindowsMalformed, WindowClosed when a window of them was erased, PartyKeyMalformed.
    """
    opening = keys.covering(first, end)
    unsealed = SealedGrant(party.suite, stream, keys.epoch, first, end, b"")
    return SealedGrant(
        party.suite, stream, keys.epoch, first, end, party.encrypt(opening.encode(), _INFO + unsealed.header)
    )


def _must_be_of(sealed: SealedGrant, keys: WindowKeys) -> None:
    if keys.epoch != sealed.epoch:
        raise GrantKeysWrong("the keys' epoch is the grant's")
    if not keys.nodes or (keys.nodes[0].first, keys.nodes[-1].end) != (sealed.first, sealed.end):
        raise GrantKeysWrong("the keys begin and end with the grant's windows")
    if any(left.end != right.first for left, right in pairwise(keys.nodes)):
        raise GrantKeysWrong("the keys open all of the grant's windows")
