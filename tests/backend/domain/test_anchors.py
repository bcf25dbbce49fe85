"""Tips and pages against their definition: a page is a Merkle tree, an open one the roots of its full subtrees."""

from __future__ import annotations

import random

import pytest

from gridweave.domain.anchors import (
    NO_HEAD,
    PAGE_SIZE,
    Batch,
    Span,
    StreamMode,
    Tip,
    batch_leaf,
    page_path,
    page_root,
    stream_id,
)
from gridweave.domain.errors import FieldOutOfRange, WordMalformed
from gridweave.domain.hashing import keccak
from tests.support.seed import run_seed

DEVICE = "0x" + "12" * 20
STREAM = stream_id(DEVICE, StreamMode.HASH, bytes(range(32)))


def _root(leaves: list[bytes]) -> bytes:
    """By recursion from the top."""
    half = len(leaves) // 2
    return keccak(_root(leaves[:half]) + _root(leaves[half:])) if half else leaves[0]


def _peaks(leaves: list[bytes]) -> list[bytes]:
    peaks, low = [], 0
    for size in (16, 8, 4, 2, 1):
        if len(leaves) & size:
            peaks.append(_root(leaves[low : low + size]))
            low += size
    return peaks


def _batch(tip: Tip, rng: random.Random) -> Batch:
    first_ms = tip.span.last_ms + rng.randrange(1_000)
    times = first_ms, first_ms + rng.randrange(1_000)
    hashes = tip.head, rng.randbytes(32), rng.randbytes(32)
    return Batch(STREAM, tip.span.next_index, rng.randrange(1, 1_000), *times, tip.span.epoch, *hashes)


def test_stream_id__given_device_mode_and_schema__says_all_three() -> None:
    assert bytes(range(11)) == STREAM[21:]
    assert STREAM[:21] == b"\x12" * 20 + b"\x02"


@pytest.mark.parametrize(("field", "bits"), [("first_index", 48), ("count", 32), ("first_ms", 48), ("last_ms", 48)])
def test_span_pack__given_a_number_too_large__refuses(field: str, bits: int) -> None:
    values = {"first_index": 1, "count": 2, "first_ms": 3, "last_ms": 4, "epoch": 5}
    with pytest.raises(FieldOutOfRange):
        Span(**{**values, field: 1 << bits}).pack()


def test_span_unpack__given_a_short_word__refuses() -> None:
    with pytest.raises(WordMalformed):
        Span.unpack(bytes(31))


def test_span__given_a_word__reads_what_was_packed() -> None:
    rng = random.Random(f"spans {run_seed()}")
    for _ in range(100):
        word = rng.randbytes(32)
        assert Span.unpack(word).pack() == word


def test_tip__given_batches_of_three_pages__has_the_peaks_of_its_page() -> None:
    rng = random.Random(f"tips {run_seed()}")
    tip, leaves = Tip.start(0), []
    assert (tip.head, tip.span.number) == (NO_HEAD, 0)
    for number in range(1, 3 * PAGE_SIZE + 1):
        batch, block, nonce = _batch(tip, rng), rng.randrange(1 << 40), rng.randrange(4)
        tip = tip.after(batch, block, number, nonce)
        leaves.append(batch_leaf(batch.span(number, nonce), batch.root, block, number))
        assert (tip.span.number, tip.span.device_nonce, tip.head) == (number, nonce, batch.head)
        assert list(tip.peaks) == _peaks(leaves[number - number % PAGE_SIZE :])
        assert tip.hash == keccak(b"".join([tip.span.pack(), batch.head, *tip.peaks]))
    assert page_root(leaves[:PAGE_SIZE]) == _root(leaves[:PAGE_SIZE])


def test_tip_rekeyed__given_an_epoch__keeps_all_else() -> None:
    tip = Tip.start(1).after(_batch(Tip.start(1), random.Random(1)), 2, 3, 1)
    keyed = tip.rekeyed(7, 2)
    assert (keyed.head, keyed.peaks) == (tip.head, tip.peaks)
    assert (keyed.span.epoch, keyed.span.device_nonce) == (7, 2)
    assert keyed.span.next_index == tip.span.next_index


def test_page_path__given_each_leaf_of_each_page__leads_to_the_peak_over_it() -> None:
    rng = random.Random(f"paths {run_seed()}")
    for size in range(1, PAGE_SIZE + 1):
        leaves = [rng.randbytes(32) for _ in range(size)]
        tops = _peaks(leaves) if size < PAGE_SIZE else [_root(leaves)]
        for place, leaf in enumerate(leaves):
            node, at = leaf, place
            for sibling in page_path(leaves, place):
                node, at = keccak(sibling + node if at & 1 else node + sibling), at >> 1
            assert node in tops
