"""The keys that a stream's owner holds: schema, and the key tree of each epoch, or what is left of it.

keys       0x01, number of streams (2), each stream by its id
stream     id (32), length of the schema (2), schema, number of epochs (4), each epoch in order
epoch      who began it (20), length (4), its keys as WindowKeys writes them
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from itertools import pairwise

from gridweave.client.telemetry.bytes_reader import BytesReader
from gridweave.client.telemetry.refusals import EpochClosed, KeyFileMalformed, SchemaNotOfStream, StreamNotInKeys
from gridweave.domain.addresses import address_bytes, checksum_address
from gridweave.domain.anchors import MODE_AT, StreamMode
from gridweave.domain.telemetry.keytree import WindowKeys
from gridweave.domain.telemetry.schema import Schema

__all__ = ["EpochKeys", "OwnerKeys", "StreamKeys", "mode_of", "must_be_schema_of"]

_VERSION = 1
_ID, _ADDRESS = 32, 20


@dataclass(frozen=True)
class EpochKeys:
    """`owner` meant to begin the epoch with these keys. Whether it did, the chain knows."""

    owner: str
    keys: WindowKeys

    @property
    def place(self) -> tuple[int, bytes]:
        """In a file."""
        return self.keys.epoch, address_bytes(self.owner)


@dataclass(frozen=True)
class StreamKeys:
    """One stream's: `epochs` ascending, and by owner. Nothing of a key is shown in its text form."""

    stream: bytes
    schema: Schema
    epochs: tuple[EpochKeys, ...] = field(repr=False)

    def __post_init__(self) -> None:
        """Raises SchemaNotOfStream, KeyFileMalformed for epochs out of order."""
        must_be_schema_of(self.stream, self.schema)
        if any(left.place >= right.place for left, right in pairwise(self.epochs)):
            raise KeyFileMalformed("epochs stand in their order, each once for an owner")

    def of(self, epoch: int) -> EpochKeys:
        """The first owner's, where several meant to begin it: see `begun`. Raises EpochClosed."""
        for each in self.epochs:
            if each.keys.epoch == epoch:
                return each
        raise EpochClosed(epoch)

    @property
    def newest(self) -> int:
        """Number of the newest epoch. Raises EpochClosed."""
        if not self.epochs:
            raise EpochClosed(0)
        return self.epochs[-1].keys.epoch

    def begun(self, owners: Mapping[int, str]) -> StreamKeys:
        """Without the epochs that, as the chain says, others began than these keys were made for."""
        kept = (each for each in self.epochs if owners.get(each.keys.epoch, each.owner) == each.owner)
        return replace(self, epochs=tuple(kept))

    def with_epoch(self, owner: str, epoch: int) -> StreamKeys:
        """And a new epoch's, from randomness of the system. Keys that this owner made for it before are kept."""
        made = EpochKeys(owner, WindowKeys.fresh(epoch))
        if any(each.place == made.place for each in self.epochs):
            return self
        return replace(self, epochs=tuple(sorted([*self.epochs, made], key=lambda each: each.place)))

    def without(self, first: int, end: int, epoch: int | None = None) -> StreamKeys:
        """Once windows [first, end) are erased, of one epoch or of all. Raises as WindowKeys.without, EpochClosed."""
        if epoch is not None:
            self.of(epoch)
        return replace(
            self,
            epochs=tuple(
                replace(each, keys=each.keys.without(first, end)) if epoch in (None, each.keys.epoch) else each
                for each in self.epochs
            ),
        )


@dataclass(frozen=True)
class OwnerKeys:
    """All streams of an owner, by id."""

    streams: Mapping[bytes, StreamKeys] = field(default_factory=dict)

    def of(self, stream: bytes) -> StreamKeys:
        """Raises StreamNotInKeys."""
        if stream not in self.streams:
            raise StreamNotInKeys("0x" + stream.hex())
        return self.streams[stream]

    def having(self, keys: StreamKeys) -> OwnerKeys:
        """With this stream's keys as they are now."""
        return OwnerKeys({**self.streams, keys.stream: keys})

    def encode(self) -> bytes:
        """Canonical bytes, secret."""
        parts = [_encode(self.streams[stream]) for stream in sorted(self.streams)]
        return bytes([_VERSION]) + len(parts).to_bytes(2, "big") + b"".join(parts)

    @classmethod
    def decode(cls, raw: bytes) -> OwnerKeys:
        """Raises KeyFileMalformed, and as Schema.decode and WindowKeys.decode."""
        at = BytesReader(raw, KeyFileMalformed)
        at.version(_VERSION)
        found = [_decode(at) for _ in range(at.number(2))]
        at.end()
        if any(left.stream >= right.stream for left, right in pairwise(found)):
            raise KeyFileMalformed("streams stand in the order of their ids, each once")
        return cls({keys.stream: keys for keys in found})


def mode_of(stream: bytes) -> StreamMode:
    """Where its bodies go. Raises KeyFileMalformed for an id of no stream."""
    try:
        return StreamMode(stream[MODE_AT])
    except ValueError as error:
        raise KeyFileMalformed("a stream's mode is 1 or 2") from error


def must_be_schema_of(stream: bytes, schema: Schema) -> None:
    """Return if the stream's id names the schema. Raises SchemaNotOfStream."""
    if not schema.hash.startswith(stream[MODE_AT + 1 :]):
        raise SchemaNotOfStream("0x" + stream.hex(), "0x" + schema.hash.hex())


def _encode(keys: StreamKeys) -> bytes:
    schema = keys.schema.encode()
    head = keys.stream + len(schema).to_bytes(2, "big") + schema + len(keys.epochs).to_bytes(4, "big")
    return head + b"".join(_encode_epochs(keys.epochs))


def _encode_epochs(epochs: Iterable[EpochKeys]) -> Iterable[bytes]:
    for each in epochs:
        raw = each.keys.encode()
        yield address_bytes(each.owner) + len(raw).to_bytes(4, "big") + raw


def _decode(at: BytesReader) -> StreamKeys:
    stream = at.take(_ID)
    schema = Schema.decode(at.take(at.number(2)))
    epochs = []
    for _ in range(at.number(4)):
        owner = checksum_address(at.take(_ADDRESS))
        epochs.append(EpochKeys(owner, WindowKeys.decode(at.take(at.number(4)))))
    return StreamKeys(stream, schema, tuple(epochs))
