"""What devices and gateways tell each other: whatever is written is read again, and whatever else comes is refused."""

from __future__ import annotations

import json
import random

import pytest

from gridweave.domain.anchors import Batch
from gridweave.domain.telemetry.gateway_errors import SpoolFull, WordMalformed
from gridweave.domain.telemetry.words import MOST_BYTES, BatchSignature, BatchStanding, Refusal, SegmentAck

STREAM, HEAD, OTHER = bytes(range(32)), bytes([7] * 32), bytes([9] * 32)
BATCH = Batch(STREAM, 600, 601, 1_782_000_000_000, 1_782_000_600_000, 3, HEAD, OTHER, bytes([1] * 32))
REFUSED = Refusal.of(SpoolFull(10, 9))
WORDS = (
    SegmentAck(STREAM, 600, HEAD, 12),
    SegmentAck(STREAM, 0, b"", 0, REFUSED),
    BatchStanding(STREAM),
    BatchStanding(STREAM, HEAD, OTHER, BATCH),
    BatchSignature(STREAM, HEAD, bytes(64)),
    BatchSignature(STREAM, HEAD, None, REFUSED),
)


@pytest.mark.parametrize("word", WORDS)
def test_decode__of_what_was_encoded__gives_it_back(word: SegmentAck | BatchStanding | BatchSignature) -> None:
    assert type(word).decode(word.encode()) == word


@pytest.mark.parametrize(
    ("kind", "changes"),
    [
        (SegmentAck, {"nextIndex": -1}),
        (SegmentAck, {"nextIndex": True}),
        (SegmentAck, {"nextIndex": 1.0}),
        (SegmentAck, {"nextIndex": 1 << 64}),
        (SegmentAck, {"head": "0x07"}),
        (SegmentAck, {"head": HEAD.hex()}),
        (SegmentAck, {"stream": "0x" + "AB" * 32}),
        (SegmentAck, {"refused": {"name": "Spool Full", "values": {}}}),
        (SegmentAck, {"refused": {"name": "SpoolFull", "values": {"most": None}}}),
        (SegmentAck, {"refused": {"name": "SpoolFull"}}),
        (SegmentAck, {"more": 1}),
        (BatchStanding, {"final": "0x"}),
        (BatchStanding, {"toSign": {}}),
        (BatchSignature, {"signature": None}),
        (BatchSignature, {"refused": {"name": "BatchNotOwn", "values": {}}}),
        (BatchSignature, {"signature": "0x" + "00" * 65}),
    ],
)
def test_decode__of_a_word_with_a_wrong_part__refuses_it(kind: type, changes: dict[str, object]) -> None:
    word = next(word for word in WORDS if type(word) is kind)
    with pytest.raises(WordMalformed):
        kind.decode(json.dumps(json.loads(word.encode()) | changes).encode())


def test_decode__of_a_batch_with_a_wrong_number__refuses_it() -> None:
    said = json.loads(WORDS[3].encode())
    for name, value in (("count", 1 << 32), ("firstIndex", 1 << 48), ("epoch", -1), ("root", "0x00")):
        spoilt = said | {"toSign": said["toSign"] | {name: value}}
        with pytest.raises(WordMalformed):
            BatchStanding.decode(json.dumps(spoilt).encode())


def test_decode__of_more_than_a_word__refuses_it_unread() -> None:
    with pytest.raises(WordMalformed):
        SegmentAck.decode(b"[" * (MOST_BYTES + 1))
    with pytest.raises(WordMalformed):
        SegmentAck.decode(b"[" * MOST_BYTES)


def test_decode__of_damaged_bytes__refuses_or_gives_a_word(rng: random.Random) -> None:
    refused = 0
    for _ in range(5_000):
        word = rng.choice(WORDS)
        raw = bytearray(word.encode())
        for _ in range(rng.randrange(1, 4)):
            at = rng.randrange(len(raw))
            raw[at : at + rng.randrange(3)] = rng.randbytes(rng.randrange(3))
        for kind in (SegmentAck, BatchStanding, BatchSignature):
            try:
                assert kind.decode(bytes(raw)).stream
            except WordMalformed:
                refused += 1
    assert refused > 10_000
