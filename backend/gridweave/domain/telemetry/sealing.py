"""Sealing: verified segments become a batch under their stream's keys, a section for each window.

A section's plaintext is the length of the packed readings (4), the packed readings, the chain head before the first of
them (32) and, for each segment, its number of readings (4), its seed (32) and the device's signature (64). Each section
carries the hashes that place its leaves in the batch's tree: who can open one window checks it against the anchored
root, and proves any of its readings, without the others.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby
from struct import Struct

from gridweave.domain.telemetry.batches import BatchHeader, SealedBatch, Section, encode_body
from gridweave.domain.telemetry.columns import pack
from gridweave.domain.telemetry.errors import SectionMalformed
from gridweave.domain.telemetry.keytree import WindowKeys
from gridweave.domain.telemetry.merkle import MerkleTree
from gridweave.domain.telemetry.readings import ReadingRun
from gridweave.domain.telemetry.salts import SaltedRun
from gridweave.domain.telemetry.schema import Schema
from gridweave.domain.telemetry.segments import SignedRun, StreamTail
from gridweave.domain.telemetry.window_secrets import WindowSecrets
from gridweave.domain.telemetry.windows import window_at

HEAD_LENGTH = 32

_LENGTH = Struct(">I")
_SEGMENT = Struct(">I32s64s")


@dataclass(frozen=True)
class _Part:
    """A window's segments on their way into a batch."""

    window: int
    run: ReadingRun
    sent: Sequence[SignedRun]

    @classmethod
    def of(cls, window: int, sent: Sequence[SignedRun]) -> _Part:
        return cls(window, ReadingRun.joined([part.run for part in sent]), sent)

    def sealed(self, keys: WindowKeys, header: BatchHeader, tree: MerkleTree) -> Section:
        secrets = WindowSecrets(self.window, header.stream, keys.key(self.window))
        imprint, ciphertext = secrets.encrypt(header, self.run, encode_plaintext(self.run, self.sent))
        low, high = (index - header.first_index for index in (self.run.first_index, self.run.end_index))
        proof = tree.prove_range(low, high)
        return Section(self.window, self.run.first_index, len(self.run), imprint, proof, ciphertext)


def seal(keys: WindowKeys, schema: Schema, sent: Sequence[SignedRun]) -> SealedBatch:
    """The batch of these segments, at least one, each verified before: here only that they are one stream's and fit.

    Raises a SegmentRefusal for segments that do not follow each other, WindowClosed for a window that the keys do not
    reach, ChannelCountWrong or ValueOutsideChannel for readings of another schema, ColumnsTooMany for too many readings
    in a window.
    """
    tail = StreamTail.before(sent[0].segment)
    for part in sent:
        tail = tail.after(part.segment)
    windows = groupby(sent, key=lambda part: window_at(part.run.first_ms))
    parts = [_Part.of(window, list(within)) for window, within in windows]
    run = ReadingRun.joined([part.run for part in parts])
    run.must_fit(schema)
    tree = MerkleTree.over([leaf_hash for part in sent for leaf_hash in part.salted.leaf_hashes])
    header = BatchHeader(
        stream=tail.stream,
        schema_hash=schema.hash,
        epoch=keys.epoch,
        first_index=run.first_index,
        count=len(run),
        first_ms=run.first_ms,
        last_ms=run.last_ms,
        root=tree.root,
    )
    return SealedBatch(header, encode_body([part.sealed(keys, header, tree) for part in parts]))


def encode_plaintext(run: ReadingRun, sent: Sequence[SignedRun]) -> bytes:
    """What is sealed of a window's segments."""
    packed = pack(run)
    signed = (_SEGMENT.pack(len(part.run), part.salted.seed, part.signature) for part in sent)
    return _LENGTH.pack(len(packed)) + packed + sent[0].segment.previous_head + b"".join(signed)


def split_plaintext(plaintext: bytes) -> tuple[bytes, bytes]:
    """Packed readings and what is said of their segments. Raises SectionMalformed."""
    if len(plaintext) < _LENGTH.size:
        raise SectionMalformed("a length comes first")
    (length,) = _LENGTH.unpack_from(plaintext)
    end = _LENGTH.size + length
    if end > len(plaintext):
        raise SectionMalformed("packed readings of the length that stands before them")
    return plaintext[_LENGTH.size : end], plaintext[end:]


def decode_segments(stream: bytes, run: ReadingRun, raw: bytes) -> tuple[SignedRun, ...]:
    """The signed segments of a run, heads computed anew from the one before the first. Raises SectionMalformed."""
    head, signed = raw[:HEAD_LENGTH], raw[HEAD_LENGTH:]
    if len(head) != HEAD_LENGTH or not signed or len(signed) % _SEGMENT.size:
        raise SectionMalformed("a head, then for each segment a number, a seed and a signature")
    pieces = list(_SEGMENT.iter_unpack(signed))
    if any(count == 0 for count, *_ in pieces) or sum(count for count, *_ in pieces) != len(run):
        raise SectionMalformed("segments hold all readings, at least one each")
    sent: list[SignedRun] = []
    first = run.first_index
    for count, seed, signature in pieces:
        sent.append(_signed_run(stream, run.cut(first, first + count), head, seed, signature))
        first, head = first + count, sent[-1].segment.head
    return tuple(sent)


def _signed_run(stream: bytes, run: ReadingRun, head: bytes, seed: bytes, signature: bytes) -> SignedRun:
    salted = SaltedRun(run, seed)
    return SignedRun(salted, StreamTail(stream, run.first_index, 0, head).segment(salted), signature)
