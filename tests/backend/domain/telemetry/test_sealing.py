"""Sealed batches: opened by the right keys to the same bytes, and by nothing else; every change is refused by name."""

from __future__ import annotations

from dataclasses import replace
from itertools import product

import pytest
import zstandard
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDFExpand

from gridweave.domain.acts import KeyKind
from gridweave.domain.telemetry import sealing
from gridweave.domain.telemetry.batches import BatchHeader, SealedBatch, Section, encode_body
from gridweave.domain.telemetry.columns import pack
from gridweave.domain.telemetry.errors import (
    BatchOfOtherEpoch,
    BatchOfOtherSchema,
    BatchRefusal,
    BodyExtended,
    BodyMalformed,
    BodyTruncated,
    ChannelCountWrong,
    ColumnsRefusal,
    HeaderDisagrees,
    HeaderMalformed,
    ImprintWrong,
    ReadingOutsideWindow,
    RootMismatch,
    SectionAltered,
    SectionMalformed,
    SegmentGap,
    SegmentOfOtherStream,
    SegmentOverlap,
    SegmentSignatureInvalid,
    SegmentSpansWindows,
    TelemetryRefusal,
    WindowClosed,
    WrongPreviousHead,
)
from gridweave.domain.telemetry.keytree import KeyNode, WindowKeys
from gridweave.domain.telemetry.merkle import verify_inclusion
from gridweave.domain.telemetry.opening import open_batch, open_reached, open_section
from gridweave.domain.telemetry.proofs import prove_reading
from gridweave.domain.telemetry.readings import ReadingRun
from gridweave.domain.telemetry.schema import Schema
from gridweave.domain.telemetry.sealing import encode_plaintext, seal
from gridweave.domain.telemetry.segments import StreamTail
from gridweave.domain.telemetry.window_secrets import WindowSecrets
from gridweave.domain.telemetry.windows import WINDOW_MS, window_at
from tests.support.seed import seeded
from tests.support.telemetry import DOMAIN, SCHEMA, START_MS, STREAM, Device, home_seconds, signed_segments

KEYS = WindowKeys(2, (KeyNode(0, 0, bytes(range(32))),))
DEVICE = Device(KeyKind.SECP256K1)
WINDOW = window_at(START_MS)
# three windows: 20, 30 and 10 readings, half a minute apart
RUN = home_seconds(seeded("sealed"), 60, first_index=500, start_ms=START_MS - 20 * 30_000, step_ms=30_000)
TAIL = StreamTail(STREAM, 500, 0, bytes(32))
SENT = signed_segments(DEVICE, RUN, 8, TAIL)
BATCH = seal(KEYS, SCHEMA, SENT)
SMALL = seal(KEYS, SCHEMA, SENT[:2])


def joined(opened) -> ReadingRun:
    return ReadingRun.joined([section.run for section in opened])


def forged(plaintext: bytes, *, run: ReadingRun, window: int = WINDOW, **changed: object) -> SealedBatch:
    """A batch of one section that says `plaintext`, sealed by someone who has the keys."""
    header = replace(seal(KEYS, SCHEMA, signed_segments(DEVICE, run, 5)).header, **changed)
    imprint, ciphertext = WindowSecrets(window, header.stream, KEYS.key(window)).encrypt(header, run, plaintext)
    section = Section(window, run.first_index, len(run), imprint, (), ciphertext)
    return SealedBatch(header, encode_body([section]))


INSIDE = home_seconds(seeded("inside"), 12, start_ms=START_MS)
INSIDE_SENT = signed_segments(DEVICE, INSIDE, 5)
PLAIN = encode_plaintext(INSIDE, INSIDE_SENT)
PACKED_END = 4 + len(pack(INSIDE))


def test_seal__of_segments_that_do_not_follow__is_refused() -> None:
    other = signed_segments(DEVICE, RUN, 8, replace(TAIL, stream=bytes(32)))
    forked = signed_segments(DEVICE, RUN, 8, replace(TAIL, head=bytes([1]) * 32))
    with pytest.raises(SegmentGap):
        seal(KEYS, SCHEMA, [SENT[0], SENT[2]])
    with pytest.raises(SegmentOverlap):
        seal(KEYS, SCHEMA, [SENT[0], SENT[0]])
    with pytest.raises(SegmentOfOtherStream):
        seal(KEYS, SCHEMA, [SENT[0], other[1]])
    with pytest.raises(WrongPreviousHead):
        seal(KEYS, SCHEMA, [SENT[0], forked[1]])


def test_seal__of_a_segment_over_a_windows_end__is_refused() -> None:
    run = home_seconds(seeded("over"), 20, start_ms=START_MS - 10_000)
    spanning = DEVICE.send(StreamTail.start(STREAM), run)
    with pytest.raises(SegmentSpansWindows):
        seal(KEYS, SCHEMA, [spanning])


def test_seal__of_another_schemas_readings__is_refused() -> None:
    with pytest.raises(ChannelCountWrong):
        seal(KEYS, Schema(SCHEMA.channels[:1]), SENT)


def test_seal__of_an_erased_window__is_refused() -> None:
    with pytest.raises(WindowClosed):
        seal(KEYS.without(WINDOW, WINDOW + 1), SCHEMA, SENT)


def test_open__of_a_truncated_body__is_refused() -> None:
    for length in range(len(BATCH.body)):
        with pytest.raises((BodyTruncated, BodyMalformed)):
            open_batch(KEYS, SCHEMA, replace(BATCH, body=BATCH.body[:length]))


@pytest.mark.parametrize("extra", [b"\x00", bytes(45), BATCH.body, BATCH.body[3:]])
def test_open__of_an_extended_body__is_refused(extra: bytes) -> None:
    with pytest.raises(BodyExtended):
        open_batch(KEYS, SCHEMA, replace(BATCH, body=BATCH.body + extra))


def test_open__with_any_byte_of_the_body_changed__is_refused() -> None:
    for place, flip in product(range(len(BATCH.body)), (1, 0xFF)):
        body = BATCH.body[:place] + bytes([BATCH.body[place] ^ flip]) + BATCH.body[place + 1 :]
        with pytest.raises((BatchRefusal, RootMismatch)):
            open_batch(KEYS, SCHEMA, replace(BATCH, body=body))


def test_open__with_any_bit_of_a_small_body_changed__is_refused() -> None:
    for place, flip in product(range(len(SMALL.body)), (1 << bit for bit in range(8))):
        body = SMALL.body[:place] + bytes([SMALL.body[place] ^ flip]) + SMALL.body[place + 1 :]
        with pytest.raises((BatchRefusal, RootMismatch)):
            open_batch(KEYS, SCHEMA, replace(SMALL, body=body))


def test_open__with_any_byte_of_the_header_changed__is_refused() -> None:
    raw = BATCH.header.encode()
    for place, flip in product(range(len(raw)), range(1, 256, 2)):
        changed = raw[:place] + bytes([raw[place] ^ flip]) + raw[place + 1 :]
        with pytest.raises(BatchRefusal):
            open_batch(KEYS, SCHEMA, SealedBatch(BatchHeader.decode(changed), BATCH.body))


def test_open__with_ciphertext_cut_or_lengthened__is_refused() -> None:
    (section,) = SMALL.sections()
    for ciphertext in (b"", section.ciphertext[:15], section.ciphertext[:-1], section.ciphertext + b"\x00"):
        body = encode_body([replace(section, ciphertext=ciphertext)])
        with pytest.raises(SectionAltered):
            open_batch(KEYS, SCHEMA, replace(SMALL, body=body))


def test_open__with_sections_in_another_order_or_missing__is_refused() -> None:
    first, second, third = BATCH.sections()
    for sections in ([second, first, third], [first, second], [first], [], [first, second, third, third]):
        with pytest.raises((BodyMalformed, BodyExtended)):
            open_batch(KEYS, SCHEMA, replace(BATCH, body=encode_body(sections)))


def test_open__with_a_section_of_another_batch__is_refused() -> None:
    first, _, third = BATCH.sections()
    for other in (signed_segments(DEVICE, RUN, 4, TAIL), SENT[:-1]):
        second = seal(KEYS, SCHEMA, other).sections()[1]
        assert second.count == 30
        with pytest.raises((SectionAltered, BodyMalformed)):
            open_batch(KEYS, SCHEMA, replace(BATCH, body=encode_body([first, second, third])))


def test_open__with_hashes_beside_swapped__is_refused() -> None:
    first, second, third = BATCH.sections()
    body = encode_body([replace(first, proof=first.proof[::-1]), second, third])
    with pytest.raises(RootMismatch):
        open_batch(KEYS, SCHEMA, replace(BATCH, body=body))


def test_open__with_other_keys__is_refused() -> None:
    with pytest.raises(SectionAltered):
        open_batch(WindowKeys(2, (KeyNode(0, 0, bytes(32)),)), SCHEMA, BATCH)
    with pytest.raises(BatchOfOtherEpoch):
        open_batch(replace(KEYS, epoch=3), SCHEMA, BATCH)


def test_open__by_another_schema__is_refused() -> None:
    renamed = Schema((replace(SCHEMA.channels[0], scale=0), *SCHEMA.channels[1:]))
    with pytest.raises(BatchOfOtherSchema):
        open_batch(KEYS, renamed, BATCH)


def test_open__sealed_with_a_wrong_imprint__is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as patched:
        patched.setattr(WindowSecrets, "_imprint", lambda *_: bytes(32))
        batch = seal(KEYS, SCHEMA, SENT[:2])
    with pytest.raises(ImprintWrong):
        open_batch(KEYS, SCHEMA, batch)


@pytest.mark.parametrize(
    ("plaintext", "refusal"),
    [
        (b"", SectionMalformed),
        (PLAIN[:3], SectionMalformed),
        (b"\xff" * 4 + PLAIN[4:], SectionMalformed),
        (PLAIN[:PACKED_END], SectionMalformed),
        (PLAIN[: PACKED_END + 32], SectionMalformed),
        (PLAIN[:-1], SectionMalformed),
        (PLAIN + b"\x00", SectionMalformed),
        (PLAIN[:-100], SectionMalformed),
        (PLAIN + PLAIN[-100:], SectionMalformed),
        (PLAIN + bytes(100), SectionMalformed),
        (bytes(4) + PLAIN[4:], ColumnsRefusal),
        ((PACKED_END - 5).to_bytes(4, "big") + PLAIN[4:], ColumnsRefusal),
        (encode_plaintext(INSIDE.cut(0, 11), INSIDE_SENT), ColumnsRefusal),
    ],
    ids=range(13),
)
def test_open__of_what_is_no_section__is_refused(plaintext: bytes, refusal: type[TelemetryRefusal]) -> None:
    with pytest.raises(refusal):
        open_batch(KEYS, SCHEMA, forged(plaintext, run=INSIDE))
    (opened,) = open_batch(KEYS, SCHEMA, forged(PLAIN, run=INSIDE))
    assert opened.run == INSIDE


def test_open__of_other_readings_than_those_of_the_root__is_refused() -> None:
    rows = list(INSIDE)
    rows[3] = replace(rows[3], values=(0, 0, 0))
    plaintext = encode_plaintext(ReadingRun.of(rows), INSIDE_SENT)
    with pytest.raises(RootMismatch):
        open_batch(KEYS, SCHEMA, forged(plaintext, run=INSIDE))
    with pytest.raises(RootMismatch):
        open_batch(KEYS, SCHEMA, forged(PLAIN, run=INSIDE, root=bytes(32)))


@pytest.mark.parametrize("field", ["first_ms", "last_ms"])
def test_open__of_a_header_with_another_time__is_refused(field: str) -> None:
    said = getattr(seal(KEYS, SCHEMA, INSIDE_SENT).header, field) + 1
    with pytest.raises(HeaderDisagrees) as refusal:
        open_batch(KEYS, SCHEMA, forged(PLAIN, run=INSIDE, **{field: said}))
    assert refusal.value.values["said"] == said


def test_open__of_readings_of_another_window__is_refused() -> None:
    times = {"first_ms": START_MS + WINDOW_MS, "last_ms": START_MS + WINDOW_MS + 1}
    with pytest.raises(ReadingOutsideWindow):
        open_batch(KEYS, SCHEMA, forged(PLAIN, run=INSIDE, window=WINDOW + 1, **times))


def test_must_be_signed__by_another_device_or_with_a_signature_changed__is_refused() -> None:
    opened = open_batch(KEYS, SCHEMA, BATCH)
    for section in opened:
        section.must_be_signed(DEVICE.key, DOMAIN)
    with pytest.raises(SegmentSignatureInvalid):
        opened[0].must_be_signed(Device(KeyKind.SECP256K1, secret=9).key, DOMAIN)
    changed = PLAIN[:-1] + bytes([PLAIN[-1] ^ 1])
    (section,) = open_batch(KEYS, SCHEMA, forged(changed, run=INSIDE))
    with pytest.raises(SegmentSignatureInvalid):
        section.must_be_signed(DEVICE.key, DOMAIN)
    other_seed = PLAIN[:-96] + bytes([PLAIN[-96] ^ 1]) + PLAIN[-95:]
    with pytest.raises(RootMismatch):
        open_batch(KEYS, SCHEMA, forged(other_seed, run=INSIDE))


@pytest.mark.parametrize("kind", list(KeyKind))
@pytest.mark.parametrize("every", [1, 7, 100])
def test_open__of_what_was_sealed__is_the_same_to_the_byte(kind: KeyKind, every: int) -> None:
    sent = signed_segments(Device(kind), RUN, every, TAIL)
    batch = seal(KEYS, SCHEMA, sent)
    opened = open_batch(KEYS, SCHEMA, SealedBatch(BatchHeader.decode(batch.header.encode()), batch.body))
    assert joined(opened).raw == RUN.raw
    assert [part for section in opened for part in section.sent] == sent
    for section in opened:
        section.must_be_signed(Device(kind).key, DOMAIN)
    assert [section.window for section in batch.sections()] == [WINDOW - 1, WINDOW, WINDOW + 1]


def test_seal__twice__gives_the_same_bytes() -> None:
    assert seal(KEYS, SCHEMA, SENT) == BATCH
    assert seal(KEYS, SCHEMA, SENT).body_hash == BATCH.body_hash


def test_open_reached__with_part_of_the_keys__opens_that_part_and_proves_from_it() -> None:
    for window in (WINDOW - 1, WINDOW, WINDOW + 1):
        part = KEYS.covering(window, window + 1)
        (section,) = open_reached(part, SCHEMA, BATCH)
        assert {window_at(reading.at_ms) for reading in section.run} == {window}
        with pytest.raises(WindowClosed):
            open_batch(part, SCHEMA, BATCH)
        header = BATCH.header
        for index in range(section.run.first_index, section.run.end_index):
            place = index - header.first_index
            proof = prove_reading(section, index)
            verify_inclusion(header.root, header.count, place, proof.leaf, proof.path)
            assert proof.leaf[16:] == RUN.cut(index, index + 1).raw


def test_open_reached__after_a_window_was_erased__leaves_the_others_and_their_proofs() -> None:
    kept = KEYS.without(WINDOW, WINDOW + 1)
    before, after = open_reached(kept, SCHEMA, BATCH)
    assert (len(before.run), len(after.run)) == (20, 10)
    assert before.tree.root == after.tree.root == BATCH.header.root
    with pytest.raises(WindowClosed):
        open_section(kept, SCHEMA, BATCH.header, BATCH.sections()[1])


def test_section_key__by_hand__is_hkdfs() -> None:
    (section,) = SMALL.sections()
    key = KEYS.key(section.window)
    place = SMALL.header.encode() + section.window.to_bytes(4, "big") + (500).to_bytes(8, "big")
    data = place + section.count.to_bytes(4, "big") + section.imprint
    info = b"gridweave/telemetry/section" + STREAM + data
    cipher = AESGCM(HKDFExpand(SHA256(), 32, info).derive(key))
    plaintext = cipher.decrypt(bytes(12), section.ciphertext, data)
    assert plaintext == encode_plaintext(RUN.cut(500, 516), SENT[:2])


def test_section_key__of_anything_else_sealed__is_another(monkeypatch: pytest.MonkeyPatch) -> None:
    """No two plaintexts, and no two associated data, ever meet under one key: the nonce may stay."""
    uses: dict[bytes, set[tuple[bytes, bytes]]] = {}

    class Noting:
        def __init__(self, key: bytes) -> None:
            self.key = key

        def encrypt(self, nonce: bytes, plaintext: bytes, data: bytes) -> bytes:
            assert nonce == bytes(12)
            uses.setdefault(self.key, set()).add((plaintext, data))
            return b""

    monkeypatch.setattr("gridweave.domain.telemetry.window_secrets.AESGCM", Noting)
    level = zstandard.ZstdCompressor(level=1)
    variants = [SENT, SENT[:-1], SENT[1:], SENT[:2], SENT[2:], signed_segments(DEVICE, RUN, 4, TAIL)]
    other_keys = [KEYS, replace(KEYS, epoch=3), WindowKeys(2, (KeyNode(0, 0, bytes(32)),))]
    for keys, sent in product(other_keys, variants):
        seal(keys, SCHEMA, sent)
        seal(keys, SCHEMA, sent)  # again, after a crash
    monkeypatch.setattr(sealing, "pack", lambda run: level.compress(pack(run)))  # another release of zstd
    for sent in variants:
        seal(KEYS, SCHEMA, sent)
    assert len(uses) > 50
    assert all(len(sealed) == 1 for sealed in uses.values())


@pytest.mark.parametrize(
    ("changed", "rule"),
    [
        ({"count": 0}, "at least one"),
        ({"first_index": (1 << 64) - 1}, "at least one"),
        ({"first_ms": BATCH.header.last_ms + 1}, "not after"),
        ({"last_ms": (1 << 64) - 1}, "in a window"),
    ],
)
def test_header_decode__of_what_cannot_be__is_refused(changed: dict[str, int], rule: str) -> None:
    with pytest.raises(HeaderMalformed, match=rule):
        BatchHeader.decode(replace(BATCH.header, **changed).encode())


@pytest.mark.parametrize(
    "raw", [b"", BATCH.header.encode()[:-1], BATCH.header.encode() + b"\x00", b"\x02" + bytes(128)]
)
def test_header_decode__of_anything_else__is_refused(raw: bytes) -> None:
    with pytest.raises(HeaderMalformed):
        BatchHeader.decode(raw)
