"""What a party is given: the stream's schema in the clear, and the grant that its key opens. Nothing else is needed.

    handover    0x01, length of the schema (2), schema, the grant as SealedGrant writes it

On chain these are the bytes of `sealed_` in AccessGranted; in private they go as a file, as hex in JSON. The stream's
id names its schema, so none can be put in place of it.
"""

from __future__ import annotations

from dataclasses import dataclass

from gridweave.client.telemetry.bytes_reader import BytesReader
from gridweave.client.telemetry.canonical_json import Fields, encode_json, hex_text, read_json
from gridweave.client.telemetry.party_keys import Party, PartyKeys
from gridweave.client.telemetry.refusals import GrantEventDisagrees, HandoverMalformed
from gridweave.client.telemetry.stream_keys import StreamKeys, must_be_schema_of
from gridweave.domain.telemetry.grants import Grant, SealedGrant, grant
from gridweave.domain.telemetry.parties import PartySuite
from gridweave.domain.telemetry.schema import Schema

__all__ = ["GrantEvent", "Handover", "hand_over"]

_PURPOSE, _VERSION = "grant", 1


@dataclass(frozen=True)
class GrantEvent:
    """A grant as it stands on chain: `sealed` holds a handover. The last window is included."""

    stream: bytes
    to: str
    epoch: int
    first_window: int
    last_window: int
    sealed: bytes

    def handover(self) -> Handover:
        """What it holds, if it is the grant that its owner signed. Raises GrantEventDisagrees, as Handover.decode."""
        found = Handover.decode(self.sealed)
        for name, said, expected in (
            ("stream", _number(found.sealed.stream), _number(self.stream)),
            ("epoch", found.sealed.epoch, self.epoch),
            ("firstWindow", found.sealed.first, self.first_window),
            ("lastWindow", found.sealed.end - 1, self.last_window),
        ):
            if said != expected:
                raise GrantEventDisagrees(name, said, expected)
        return found


@dataclass(frozen=True)
class Handover:
    """A schema and a grant of one of its streams."""

    schema: Schema
    sealed: SealedGrant

    def __post_init__(self) -> None:
        """Raises SchemaNotOfStream."""
        must_be_schema_of(self.sealed.stream, self.schema)

    def encode(self) -> bytes:
        """Canonical bytes."""
        schema = self.schema.encode()
        return bytes([_VERSION]) + len(schema).to_bytes(2, "big") + schema + self.sealed.encode()

    @classmethod
    def decode(cls, raw: bytes) -> Handover:
        """Raises HandoverMalformed, SchemaNotOfStream, and as Schema.decode and SealedGrant.decode."""
        at = BytesReader(raw, HandoverMalformed)
        at.version(_VERSION)
        schema = Schema.decode(at.take(at.number(2)))
        return cls(schema, SealedGrant.decode(at.rest()))

    def to_file(self) -> bytes:
        """The content of a file."""
        return encode_json({"gridweave": _PURPOSE, "handover": hex_text(self.encode())})

    @classmethod
    def of_file(cls, raw: bytes) -> Handover:
        """Raises as `decode`."""
        fields = Fields(read_json(raw, HandoverMalformed), ("gridweave", "handover"), HandoverMalformed)
        if fields.text("gridweave") != _PURPOSE:
            raise HandoverMalformed("it is another file")
        return cls.decode(fields.raw("handover"))

    def open(self, party: PartyKeys) -> Grant:
        """The grant, by the party's own key. Raises as SealedGrant.open."""
        return self.sealed.open(party.secrets[self.sealed.suite])


def hand_over(keys: StreamKeys, epoch: int, first: int, end: int, to: Party, suite: PartySuite) -> Handover:
    """Opens windows [first, end) of an epoch to a party. Raises EpochClosed, and as domain's `grant`."""
    sealed = grant(keys.of(epoch).keys, keys.stream, first, end, to.keys[suite])
    return Handover(keys.schema, sealed)


def _number(stream: bytes) -> int:
    return int.from_bytes(stream, "big")
