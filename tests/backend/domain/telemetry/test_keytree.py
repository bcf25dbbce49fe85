"""The key tree: a part opens its windows and no neighbour, and what was erased is gone from what is kept."""

from __future__ import annotations

import hmac
import random
from dataclasses import replace
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gridweave.domain.errors import FieldOutOfRange
from gridweave.domain.telemetry.errors import KeysMalformed, WindowClosed, WindowsMalformed
from gridweave.domain.telemetry.keytree import MOST_NODES, KeyNode, WindowKeys
from gridweave.domain.telemetry.windows import WINDOWS

ROOT = bytes(range(32))
OWNER = WindowKeys(3, (KeyNode(0, 0, ROOT),))
LAST = WINDOWS - 1
NOW = 1_980_000

windows = st.one_of(st.integers(0, LAST), st.integers(NOW, NOW + 200), st.integers(0, 40), st.integers(LAST - 40, LAST))
ranges = st.one_of(
    st.tuples(windows, windows), st.tuples(windows, st.integers(0, 300)).map(lambda r: (r[0], min(LAST, r[0] + r[1])))
).map(lambda r: (min(r), max(r) + 1))


def by_hand(window: int, secret: bytes = ROOT) -> bytes:
    for bit in f"{window:032b}":
        secret = hmac.new(secret, bytes([int(bit)]), "sha256").digest()
    return secret


@pytest.mark.parametrize("window", [-1, WINDOWS, 1 << 40])
def test_key__of_no_window__is_refused(window: int) -> None:
    with pytest.raises(WindowsMalformed):
        OWNER.key(window)


@pytest.mark.parametrize(("first", "end"), [(5, 5), (6, 5), (-1, 5), (5, WINDOWS + 1), (WINDOWS, WINDOWS)])
def test_covering_and_without__no_range__are_refused(first: int, end: int) -> None:
    with pytest.raises(WindowsMalformed):
        OWNER.covering(first, end)
    with pytest.raises(WindowsMalformed):
        OWNER.without(first, end)


@pytest.mark.parametrize("window", [0, 1, NOW, NOW + 1, LAST])
def test_key__by_hand__is_the_documented_one(window: int) -> None:
    assert OWNER.key(window) == by_hand(window)


def test_key__of_every_window_of_a_day__is_another() -> None:
    assert len({OWNER.key(window) for window in range(NOW, NOW + 96)}) == 96


@settings(max_examples=200, deadline=None)
@given(ranges)
def test_covering__a_range__is_the_fewest_nodes_that_open_it_and_no_neighbour(span: tuple[int, int]) -> None:
    first, end = span
    part = OWNER.covering(first, end)
    assert (part.nodes[0].first, part.nodes[-1].end) == span
    assert all(left.end == right.first for left, right in pairwise(part.nodes))
    assert not any(a.depth == b.depth and a.position // 2 == b.position // 2 for a, b in pairwise(part.nodes))
    assert len(part.nodes) <= 62
    for window in {first, end - 1, (first + end) // 2}:
        assert part.key(window) == by_hand(window)
    for window in {first - 1, end, first - 2, end + 1, 0, LAST} - set(range(first, min(end, first + 400))):
        if 0 <= window < WINDOWS and not first <= window < end:
            assert not part.opens(window)
            with pytest.raises(WindowClosed):
                part.key(window)


@settings(max_examples=200, deadline=None)
@given(ranges, ranges)
def test_covering__from_a_part__opens_what_both_do(outer: tuple[int, int], inner: tuple[int, int]) -> None:
    part = OWNER.covering(*outer)
    if outer[0] <= inner[0] and inner[1] <= outer[1]:
        assert part.covering(*inner) == OWNER.covering(*inner)
    else:
        with pytest.raises(WindowClosed) as refusal:
            part.covering(*inner)
        missing = inner[0] if not outer[0] <= inner[0] < outer[1] else outer[1]
        assert refusal.value.values == {"window": missing}


@settings(max_examples=200, deadline=None)
@given(st.lists(ranges, min_size=1, max_size=6), st.lists(windows, max_size=20))
def test_without__ranges__forgets_them_and_keeps_all_others(erased: list[tuple[int, int]], asked: list[int]) -> None:
    kept = OWNER
    for first, end in erased:
        kept = kept.without(first, end)
    edges = [w for first, end in erased for w in (first - 1, first, end - 1, end) if 0 <= w < WINDOWS]
    for window in [*edges, *asked]:
        if any(first <= window < end for first, end in erased):
            assert not kept.opens(window)
            assert not any(node.first <= window < node.end for node in kept.nodes)
            with pytest.raises(WindowClosed):
                kept.key(window)
        else:
            assert kept.key(window) == by_hand(window)
    assert WindowKeys.decode(kept.encode()) == kept


def test_without__one_window__keeps_the_32_beside_its_path_and_no_ancestor() -> None:
    kept = OWNER.without(NOW, NOW + 1)
    assert len(kept.nodes) == 32
    assert {node.depth for node in kept.nodes} == set(range(1, 33))
    path, secret = [ROOT], ROOT
    for bit in f"{NOW:032b}":
        secret = hmac.new(secret, bytes([int(bit)]), "sha256").digest()
        path.append(secret)
    assert not any(ancestor in kept.encode() for ancestor in path)


def test_without__all_windows__leaves_nothing() -> None:
    nothing = OWNER.without(0, WINDOWS)
    assert nothing.nodes == ()
    assert WindowKeys.decode(nothing.encode()) == nothing
    with pytest.raises(WindowClosed):
        nothing.key(0)
    with pytest.raises(WindowClosed):
        nothing.covering(0, 1)


def test_without__what_was_erased_before__changes_nothing() -> None:
    kept = OWNER.without(NOW, NOW + 4)
    assert kept.without(NOW + 1, NOW + 3) == kept


def test_fresh__twice__shares_no_key() -> None:
    one, other = WindowKeys.fresh(1), WindowKeys.fresh(2)
    assert one.key(NOW) != other.key(NOW)
    assert (one.epoch, other.epoch) == (1, 2)


def test_repr__of_keys__tells_no_secret() -> None:
    assert ROOT.hex()[:8] not in repr(OWNER)
    assert repr(ROOT)[2:12] not in repr(OWNER)


@pytest.mark.parametrize("epoch", [-1, 1 << 32])
def test_keys__of_an_epoch_out_of_range__are_refused(epoch: int) -> None:
    with pytest.raises(FieldOutOfRange):
        WindowKeys(epoch, ())


A, B = KeyNode(1, 0, ROOT), KeyNode(1, 1, ROOT)


@pytest.mark.parametrize(
    ("nodes", "rule"),
    [
        ((B, A), "order"),
        ((A, A), "order"),
        ((A, KeyNode(32, 5, ROOT)), "order"),
        ((KeyNode(1, 2, ROOT),), "in the tree"),
        ((KeyNode(33, 0, ROOT),), "in the tree"),
        ((KeyNode(0, 1, ROOT),), "in the tree"),
        ((replace(A, secret=ROOT[:31]),), "32 bytes"),
        ((A,) * (MOST_NODES + 1), "at most"),
    ],
)
def test_keys__of_nodes_out_of_place__are_refused(nodes: tuple[KeyNode, ...], rule: str) -> None:
    with pytest.raises(KeysMalformed, match=rule):
        WindowKeys(1, nodes)


def test_decode__of_anything_else__is_refused_by_name() -> None:
    raw = OWNER.covering(NOW, NOW + 50).encode()
    for cut in range(len(raw)):
        with pytest.raises(KeysMalformed):
            WindowKeys.decode(raw[:cut])
    for other in (raw + b"\x00", raw + raw[9:46], b"\x02" + raw[1:], raw[:5] + b"\xff" * 4 + raw[9:]):
        with pytest.raises(KeysMalformed):
            WindowKeys.decode(other)


def test_decode__of_two_halves__is_refused() -> None:
    raw = WindowKeys(1, OWNER.nodes[0].children()).encode()
    with pytest.raises(KeysMalformed, match="halves"):
        WindowKeys.decode(raw)


def test_decode__with_any_byte_changed__is_refused_or_other_keys() -> None:
    keys = OWNER.covering(NOW, NOW + 5)
    raw = keys.encode()
    rng = random.Random(4)
    for place in range(len(raw)):
        for byte in rng.sample(range(256), 40):
            changed = raw[:place] + bytes([byte]) + raw[place + 1 :]
            if changed == raw:
                continue
            try:
                found = WindowKeys.decode(changed)
            except KeysMalformed:
                continue
            assert found != keys
            assert found.encode() == changed


@settings(max_examples=300, deadline=None)
@given(st.binary(max_size=90))
def test_decode__of_any_bytes__refuses_or_gives_them_back(raw: bytes) -> None:
    try:
        found = WindowKeys.decode(b"\x01" + raw)
    except KeysMalformed:
        return
    assert found.encode() == b"\x01" + raw
