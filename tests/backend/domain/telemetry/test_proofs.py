"""Proofs of readings: checked by who has the header alone, and false in every other place."""

from __future__ import annotations

from dataclasses import replace

import pytest

from gridweave.domain.acts import KeyKind
from gridweave.domain.telemetry.batches import BatchHeader
from gridweave.domain.telemetry.errors import (
    BatchOfOtherSchema,
    LeafMalformed,
    OutsideTree,
    ProofHashMalformed,
    ProofLengthWrong,
    ProofOfOtherReading,
    ProofRefusal,
    RootMismatch,
    SegmentOfOtherStream,
    SegmentSignatureInvalid,
    WrongHead,
)
from gridweave.domain.telemetry.keytree import KeyNode, WindowKeys
from gridweave.domain.telemetry.merkle import MerkleTree
from gridweave.domain.telemetry.opening import open_batch, open_reached
from gridweave.domain.telemetry.proofs import (
    RangeProof,
    ReadingProof,
    prove_range,
    prove_reading,
    prove_signature,
)
from gridweave.domain.telemetry.schema import Schema
from gridweave.domain.telemetry.sealing import seal
from gridweave.domain.telemetry.segments import StreamTail
from gridweave.domain.telemetry.windows import window_at
from tests.support.seed import seeded
from tests.support.telemetry import DOMAIN, SCHEMA, START_MS, STREAM, Device, home_seconds, signed_segments

KEYS = WindowKeys(2, (KeyNode(0, 0, bytes(range(32))),))
WINDOW = window_at(START_MS)
RUN = home_seconds(seeded("proofs"), 60, first_index=500, start_ms=START_MS - 20 * 30_000, step_ms=30_000)
DEVICE = Device(KeyKind.SECP256K1)
BATCH = seal(KEYS, SCHEMA, signed_segments(DEVICE, RUN, 8, StreamTail(STREAM, 500, 0, bytes(32))))
HEADER = BATCH.header
OPENED = open_batch(KEYS, SCHEMA, BATCH)


def section_of(index: int):
    return next(section for section in OPENED if section.run.first_index <= index < section.run.end_index)


def proof_of(index: int) -> ReadingProof:
    return prove_reading(section_of(index), index)


def test_reading__shown_for_another_index__is_refused() -> None:
    proof = proof_of(530)
    for index in range(490, 570):
        if index != 530:
            with pytest.raises(ProofRefusal):
                replace(proof, index=index).reading(HEADER, SCHEMA)


def test_reading__of_another_batch__is_refused() -> None:
    for changed in ({"root": bytes(32)}, {"count": 30}, {"count": 31}, {"first_index": 499}, {"first_index": 501}):
        with pytest.raises(ProofRefusal):
            proof_of(530).reading(replace(HEADER, **changed), SCHEMA)


def test_reading__with_any_byte_of_the_leaf_changed__is_refused() -> None:
    proof = proof_of(530)
    for place in range(len(proof.leaf)):
        leaf = proof.leaf[:place] + bytes([proof.leaf[place] ^ 1]) + proof.leaf[place + 1 :]
        with pytest.raises(RootMismatch):
            replace(proof, leaf=leaf).reading(HEADER, SCHEMA)


def test_reading__with_its_path_cut_or_lengthened__is_refused() -> None:
    proof = proof_of(530)
    for path in (proof.path[:-1], proof.path[1:], (*proof.path, bytes(32)), ()):
        with pytest.raises(ProofLengthWrong):
            replace(proof, path=path).reading(HEADER, SCHEMA)


def test_reading__by_another_schema__is_refused() -> None:
    with pytest.raises(BatchOfOtherSchema):
        proof_of(530).reading(HEADER, Schema(SCHEMA.channels[:2]))


@pytest.mark.parametrize("leaf", [b"", bytes(16), bytes(59), bytes(61), bytes(104)])
def test_reading__anchored_as_no_reading__is_refused(leaf: bytes) -> None:
    header = replace(HEADER, first_index=0, count=1, root=MerkleTree.of([leaf]).root)
    with pytest.raises(LeafMalformed):
        ReadingProof(0, leaf, ()).reading(header, SCHEMA)


def test_reading__anchored_in_a_wrong_place__is_refused() -> None:
    """A gateway that anchors a reading elsewhere than its index says proves nothing by it."""
    leaf = proof_of(530).leaf
    header = replace(HEADER, first_index=7, count=1, root=MerkleTree.of([leaf]).root)
    with pytest.raises(ProofOfOtherReading):
        ReadingProof(7, leaf, ()).reading(header, SCHEMA)


def test_prove__of_what_the_section_has_not__is_refused() -> None:
    with pytest.raises(OutsideTree):
        prove_reading(OPENED[0], 520)
    with pytest.raises(OutsideTree):
        prove_reading(OPENED[1], 519)
    for first, end in ((499, 510), (510, 561), (510, 510), (511, 510)):
        with pytest.raises(OutsideTree):
            prove_range(OPENED, first, end)
    with pytest.raises(OutsideTree):
        prove_range(OPENED[1:], 519, 530)


def test_readings__with_one_left_out_or_moved__are_refused() -> None:
    proof = prove_range(OPENED, 510, 540)
    for leaves in (proof.leaves[:-1], proof.leaves[1:], proof.leaves[:9] + proof.leaves[10:], proof.leaves[::-1]):
        with pytest.raises(ProofRefusal):
            replace(proof, leaves=leaves).readings(HEADER, SCHEMA)
    for first in (509, 511, 530, 531):
        with pytest.raises(ProofRefusal):
            replace(proof, first_index=first).readings(HEADER, SCHEMA)
    with pytest.raises(ProofRefusal):
        RangeProof(510, (), proof.hashes).readings(HEADER, SCHEMA)


def test_must_sign__for_another_reading_index_or_stream__is_refused() -> None:
    signed = prove_signature(section_of(530), 530)
    for index in range(500, 560):
        if index != 530:
            with pytest.raises(ProofOfOtherReading):
                signed.must_sign(proof_of(index), HEADER, DEVICE.key, DOMAIN)
    with pytest.raises(WrongHead):
        signed.must_sign(replace(proof_of(529), index=530), HEADER, DEVICE.key, DOMAIN)
    with pytest.raises(SegmentOfOtherStream):
        signed.must_sign(proof_of(530), replace(HEADER, stream=bytes(32)), DEVICE.key, DOMAIN)


def test_must_sign__with_hashes_changed_cut_or_moved__is_refused() -> None:
    signed, proof = prove_signature(section_of(530), 530), proof_of(530)
    first, *rest = signed.hashes_after
    assert rest
    for after, refusal in (
        (tuple(rest), ProofOfOtherReading),
        ((first, first, *rest), ProofOfOtherReading),
        ((*rest, first), WrongHead),
        ((first[:31], *rest), ProofHashMalformed),
        ((first + rest[0], b"", *rest[1:]), ProofHashMalformed),
    ):
        with pytest.raises(refusal):
            replace(signed, hashes_after=after).must_sign(proof, HEADER, DEVICE.key, DOMAIN)
    with pytest.raises(WrongHead):
        replace(signed, head_before=bytes(32)).must_sign(proof, HEADER, DEVICE.key, DOMAIN)
    with pytest.raises(ProofHashMalformed):
        replace(signed, head_before=b"").must_sign(proof, HEADER, DEVICE.key, DOMAIN)


def test_must_sign__by_another_key_or_for_a_segment_changed__is_refused() -> None:
    signed, proof = prove_signature(section_of(530), 530), proof_of(530)
    with pytest.raises(SegmentSignatureInvalid):
        signed.must_sign(proof, HEADER, Device(KeyKind.SECP256K1, secret=9).key, DOMAIN)
    for changed in ({"first_ms": 0}, {"last_ms": 0}, {"previous_head": bytes(32)}):
        with pytest.raises(SegmentSignatureInvalid):
            replace(signed, segment=replace(signed.segment, **changed)).must_sign(proof, HEADER, DEVICE.key, DOMAIN)
    short = replace(signed.segment, first_index=531, count=signed.segment.end_index - 531)
    with pytest.raises(ProofOfOtherReading):
        replace(signed, segment=short).must_sign(proof, HEADER, DEVICE.key, DOMAIN)


def test_must_sign__of_every_reading__returns() -> None:
    for index in range(500, 560):
        prove_signature(section_of(index), index).must_sign(proof_of(index), HEADER, DEVICE.key, DOMAIN)
    with pytest.raises(OutsideTree):
        prove_signature(OPENED[0], 520)


def test_reading__of_every_index__is_the_one_that_was_sealed() -> None:
    header = BatchHeader.decode(HEADER.encode())
    for reading in RUN:
        assert proof_of(reading.index).reading(header, SCHEMA) == reading


def test_proof__of_one_reading__holds_nothing_of_its_neighbours() -> None:
    proof = proof_of(530)
    signed = prove_signature(section_of(530), 530)
    shown = proof.leaf + b"".join((*proof.path, signed.head_before, *signed.hashes_after))
    for index in (529, 531):
        leaf = proof_of(index).leaf
        assert leaf[:16] not in shown
        assert leaf[16:] not in shown


@pytest.mark.parametrize(("first", "end"), [(500, 560), (500, 501), (515, 525), (510, 555), (520, 550), (559, 560)])
def test_readings__of_a_range_over_windows__are_all_of_it(first: int, end: int) -> None:
    assert prove_range(OPENED, first, end).readings(HEADER, SCHEMA) == RUN.cut(first, end)


def test_readings__proved_with_a_grants_keys__are_all_of_its_windows() -> None:
    sections = open_reached(KEYS.covering(WINDOW, WINDOW + 2), SCHEMA, BATCH)
    assert prove_range(sections, 520, 560).readings(HEADER, SCHEMA) == RUN.cut(520, 560)
