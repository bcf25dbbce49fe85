"""Showing readings of a batch to someone who knows no key: one, without its neighbours, or a range with none left out.

Whoever checks takes the header from the chain. A salt that is shown opens its own leaf and no other. That the device
signed a reading is shown by the head before it and the hashes of the leaves that follow in its segment, up to the head
that was signed: they tell nothing of other readings either.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from gridweave.domain.eip712 import Domain
from gridweave.domain.telemetry.batches import BatchHeader
from gridweave.domain.telemetry.errors import (
    BatchOfOtherSchema,
    LeafMalformed,
    OutsideTree,
    ProofHashMalformed,
    ProofOfOtherReading,
    SegmentOfOtherStream,
    WrongHead,
)
from gridweave.domain.telemetry.merkle import HASH_LENGTH, hash_leaves, verify_inclusion, verify_range
from gridweave.domain.telemetry.opening import OpenedSection
from gridweave.domain.telemetry.readings import Reading, ReadingRun, layout
from gridweave.domain.telemetry.salts import SALT_LENGTH
from gridweave.domain.telemetry.schema import Schema
from gridweave.domain.telemetry.segments import Segment, SignedRun, extend
from gridweave.domain.telemetry.verifying import DeviceKey


@dataclass(frozen=True)
class ReadingProof:
    """The reading at `index`: its leaf, salt and canonical bytes, and the leaf's path in the tree."""

    index: int
    leaf: bytes
    path: tuple[bytes, ...]

    def reading(self, header: BatchHeader, schema: Schema) -> Reading:
        """The reading, if it is the one that was anchored at `index` under this header.

        Raises OutsideTree for an index that is not in the batch, another ProofRefusal, BatchOfOtherSchema, and as
        ReadingRun.decode.
        """
        place = self.index - header.first_index
        verify_inclusion(header.root, header.count, place, self.leaf, self.path)
        (reading,) = _run(header, schema, self.index, [self.leaf])
        return reading


@dataclass(frozen=True)
class SignatureProof:
    """That a device signed one reading: the segment, the head before the reading, the leaf hashes after it."""

    segment: Segment
    signature: bytes
    head_before: bytes
    hashes_after: tuple[bytes, ...]

    def must_sign(self, proof: ReadingProof, header: BatchHeader, key: DeviceKey, domain: Domain) -> None:
        """Return if the key signed the leaf as the reading at its index, in the header's stream.

        Raises SegmentOfOtherStream, ProofOfOtherReading, ProofHashMalformed, WrongHead, SegmentSignatureInvalid.
        """
        if self.segment.stream != header.stream:
            raise SegmentOfOtherStream("0x" + self.segment.stream.hex(), "0x" + header.stream.hex())
        signed = self.segment.end_index - len(self.hashes_after) - 1
        if signed != proof.index or signed < self.segment.first_index:
            raise ProofOfOtherReading(signed, proof.index)
        for place, hash_ in enumerate((self.head_before, *self.hashes_after)):
            if len(hash_) != HASH_LENGTH:
                raise ProofHashMalformed(place, len(hash_))
        head = extend(self.head_before, (*hash_leaves([proof.leaf]), *self.hashes_after))
        if head != self.segment.head:
            raise WrongHead("0x" + self.segment.head.hex(), "0x" + head.hex())
        key.must_have_signed(self.segment, self.signature, domain)


@dataclass(frozen=True)
class RangeProof:
    """All readings from `first_index` on, to the last of `leaves`, and the hashes beside them."""

    first_index: int
    leaves: tuple[bytes, ...]
    hashes: tuple[bytes, ...]

    def readings(self, header: BatchHeader, schema: Schema) -> ReadingRun:
        """The readings, if they are all that was anchored from `first_index` on. Raises as ReadingProof.reading."""
        place = self.first_index - header.first_index
        verify_range(header.root, header.count, place, self.leaves, self.hashes)
        return _run(header, schema, self.first_index, self.leaves)


def prove_reading(section: OpenedSection, index: int) -> ReadingProof:
    """The proof of one of the section's readings. Raises OutsideTree."""
    path = section.tree.prove(index - section.header.first_index)
    part = _part_of(section, index)
    return ReadingProof(index, part.salted.leaves[index - part.segment.first_index], path)


def prove_signature(section: OpenedSection, index: int) -> SignatureProof:
    """The proof that the device signed one of the section's readings. Raises OutsideTree."""
    part = _part_of(section, index)
    place = index - part.segment.first_index
    hashes = part.salted.leaf_hashes
    head = extend(part.segment.previous_head, hashes[:place])
    return SignatureProof(part.segment, part.signature, head, tuple(hashes[place + 1 :]))


def prove_range(sections: Sequence[OpenedSection], first: int, end: int) -> RangeProof:
    """The proof of readings [first, end), all in these sections of one batch that follow each other.

    Raises OutsideTree.
    """
    base, known = sections[0].header.first_index, sections[0].run.first_index
    if not known <= first < end <= sections[-1].run.end_index:
        raise OutsideTree(first, end, known, sections[-1].run.end_index)
    within = [section for section in sections if first < section.run.end_index and section.run.first_index < end]
    low, high = first - base, end - base
    # which hashes lie to the left depends on where the range begins alone, which to the right on where it ends
    left = within[0].tree.prove_range(low, low + 1)[: low.bit_count()]
    right = within[-1].tree.prove_range(high - 1, high)[(high - 1).bit_count() :]
    leaves = tuple(leaf for section in sections for part in section.sent for leaf in part.salted.leaves)
    return RangeProof(first, leaves[first - known : end - known], left + right)


def _part_of(section: OpenedSection, index: int) -> SignedRun:
    for part in section.sent:
        if part.segment.first_index <= index < part.segment.end_index:
            return part
    raise OutsideTree(index, index + 1, section.run.first_index, section.run.end_index)


def _run(header: BatchHeader, schema: Schema, first_index: int, leaves: Sequence[bytes]) -> ReadingRun:
    if schema.hash != header.schema_hash:
        raise BatchOfOtherSchema("0x" + header.schema_hash.hex(), "0x" + schema.hash.hex())
    channels = len(schema.channels)
    for leaf in leaves:
        if len(leaf) != SALT_LENGTH + layout(channels).size:
            raise LeafMalformed(len(leaf))
    run = ReadingRun.decode(b"".join(leaf[SALT_LENGTH:] for leaf in leaves), channels)
    if run.first_index != first_index:
        raise ProofOfOtherReading(run.first_index, first_index)
    run.must_fit(schema)
    return run
