"""Trees and proofs: RFC 9162's own definitions, its known vectors, and every way in which a proof can be false."""

from __future__ import annotations

import random
from hashlib import sha256
from time import perf_counter

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gridweave.domain.telemetry.errors import (
    OutsideTree,
    ProofHashMalformed,
    ProofLengthWrong,
    ProofRefusal,
    RootMismatch,
)
from gridweave.domain.telemetry.merkle import (
    MerkleTree,
    merkle_root,
    path_length,
    range_proof_length,
    verify_inclusion,
    verify_range,
)
from tests.support.merkle_cases import inclusion_cases
from tests.support.seed import seeded

# Certificate Transparency's reference inputs, and the roots of their first 0 ... 8 (RFC 6962, RFC 9162)
KNOWN_LEAVES = [
    bytes.fromhex(leaf)
    for leaf in [
        "",
        "00",
        "10",
        "2021",
        "3031",
        "40414243",
        "5051525354555657",
        "606162636465666768696a6b6c6d6e6f",
    ]
]
KNOWN_ROOTS = [
    "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
    "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
    "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
    "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
    "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
]
KNOWN_PATHS = {
    (0, 1): [],
    (0, 8): [
        "96a296d224f285c67bee93c30f8a309157f0daa35dc5b87e410b78630a09cfc7",
        "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e",
        "6b47aaf29ee3c2af9af889bc1fb9254dabd31177f16232dd6aab035ca39bf6e4",
    ],
    (5, 8): [
        "bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b",
        "ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0",
        "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    ],
    (2, 3): ["fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125"],
    (1, 5): [
        "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
        "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e",
        "bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b",
    ],
}
MOST = 40
LEAVES = [b"leaf %d" % index for index in range(MOST)]


def rfc_root(leaves: list[bytes]) -> bytes:
    """MTH of RFC 9162 section 2.1.1, to the letter."""
    if not leaves:
        return sha256().digest()
    if len(leaves) == 1:
        return sha256(b"\x00" + leaves[0]).digest()
    k = 1
    while k * 2 < len(leaves):
        k *= 2
    return sha256(b"\x01" + rfc_root(leaves[:k]) + rfc_root(leaves[k:])).digest()


def rfc_path(index: int, leaves: list[bytes]) -> list[bytes]:
    """PATH of RFC 9162 section 2.1.3.1, to the letter."""
    if len(leaves) == 1:
        return []
    k = 1
    while k * 2 < len(leaves):
        k *= 2
    if index < k:
        return [*rfc_path(index, leaves[:k]), rfc_root(leaves[k:])]
    return [*rfc_path(index - k, leaves[k:]), rfc_root(leaves[:k])]


def test_verify_inclusion__given_anything_false__is_refused_by_name() -> None:
    forged = [case for case in inclusion_cases(seeded("refused"), 60) if not case.valid]
    assert len(forged) > 400
    for case in forged:
        with pytest.raises(ProofRefusal):
            verify_inclusion(case.root, case.size, case.index, case.leaf, case.path)


@pytest.mark.parametrize(("index", "size"), [(-1, 5), (5, 5), (0, 0), (7, 5)])
def test_verify_inclusion__given_an_index_outside__is_refused(index: int, size: int) -> None:
    with pytest.raises(OutsideTree):
        verify_inclusion(bytes(32), size, index, b"", [])


@pytest.mark.parametrize("change", [-1, 1])
def test_verify_inclusion__given_a_proof_too_short_or_long__says_what_is_due(change: int) -> None:
    tree = MerkleTree.of(LEAVES)
    path = (*tree.prove(7), bytes(32))[: len(tree.prove(7)) + change]
    with pytest.raises(ProofLengthWrong) as refusal:
        verify_inclusion(tree.root, MOST, 7, LEAVES[7], path)
    assert refusal.value.values == {"hashes": len(path), "expected": len(tree.prove(7))}


@pytest.mark.parametrize("length", [0, 31, 33, 64])
def test_verify_inclusion__given_a_hash_of_another_length__is_refused(length: int) -> None:
    tree = MerkleTree.of(LEAVES)
    first, *rest = tree.prove(7)
    with pytest.raises(ProofHashMalformed):
        verify_inclusion(tree.root, MOST, 7, LEAVES[7], [(first * 2)[:length], *rest])


def test_verify_inclusion__given_hashes_cut_elsewhere__is_refused() -> None:
    tree = MerkleTree.of(LEAVES)
    first, second, *rest = tree.prove(7)
    with pytest.raises(ProofHashMalformed):
        verify_inclusion(tree.root, MOST, 7, LEAVES[7], [first[:31], first[31:] + second, *rest])


def test_verify_inclusion__given_swapped_leaves__is_refused() -> None:
    tree = MerkleTree.of(LEAVES)
    with pytest.raises(RootMismatch):
        verify_inclusion(tree.root, MOST, 6, LEAVES[7], tree.prove(6))
    with pytest.raises(RootMismatch):
        verify_inclusion(tree.root, MOST, 6, LEAVES[7], tree.prove(7))


def test_verify_inclusion__given_a_node_as_a_leaf__is_refused() -> None:
    tree = MerkleTree.of(LEAVES[:4])
    forged = tree.levels[0].at(0) + tree.levels[0].at(1)
    with pytest.raises(RootMismatch):
        verify_inclusion(tree.root, 2, 0, forged, [tree.levels[1].at(1)])


@pytest.mark.parametrize("size", range(1, 17))
def test_verify_inclusion__of_every_leaf_at_every_other_place__is_refused(size: int) -> None:
    tree = MerkleTree.of(LEAVES[:size])
    for index in range(size):
        for other in set(range(size)) - {index}:
            with pytest.raises(ProofRefusal):
                verify_inclusion(tree.root, size, other, LEAVES[index], tree.prove(index))


def test_verify_inclusion__given_a_size_that_was_not_recorded__shows_nothing() -> None:
    """Why size and root are recorded together: with a size of his own choice a prover could move a leaf."""
    tree = MerkleTree.of(LEAVES[:2])
    verify_inclusion(tree.root, 3, 2, LEAVES[1], tree.prove(1))
    with pytest.raises(OutsideTree):
        verify_inclusion(tree.root, 2, 2, LEAVES[1], tree.prove(1))


@pytest.mark.parametrize("size", range(1, MOST + 1))
def test_prove__of_every_leaf__is_the_rfcs_path_and_verifies(size: int) -> None:
    tree = MerkleTree.of(LEAVES[:size])
    assert tree.root == rfc_root(LEAVES[:size])
    for index in range(size):
        path = tree.prove(index)
        assert list(path) == rfc_path(index, LEAVES[:size])
        assert len(path) == path_length(size, index)
        verify_inclusion(tree.root, size, index, LEAVES[index], path)


def test_verify_inclusion__given_random_true_cases__agrees() -> None:
    cases = [case for case in inclusion_cases(seeded("accepted"), 100) if case.valid]
    assert len(cases) == 100
    for case in cases:
        verify_inclusion(case.root, case.size, case.index, case.leaf, case.path)


@pytest.mark.parametrize("size", range(9))
def test_root__of_the_known_leaves__is_the_known_one(size: int) -> None:
    assert merkle_root(KNOWN_LEAVES[:size]).hex() == KNOWN_ROOTS[size]


@pytest.mark.parametrize(("index", "size"), KNOWN_PATHS)
def test_prove__of_the_known_leaves__is_the_known_path(index: int, size: int) -> None:
    path = MerkleTree.of(KNOWN_LEAVES[:size]).prove(index)
    assert [hash_.hex() for hash_ in path] == KNOWN_PATHS[index, size]


@pytest.mark.parametrize(("first", "end"), [(0, 0), (3, 3), (4, 3), (-1, 3), (3, 41), (40, 41), (41, 42)])
def test_prove_range__of_no_leaves_or_beyond__is_refused(first: int, end: int) -> None:
    with pytest.raises(OutsideTree):
        MerkleTree.of(LEAVES).prove_range(first, end)


def rfc_range_proof(leaves: list[bytes], first: int, end: int) -> tuple[bytes, ...]:
    """Roots of the largest subtrees outside [first, end), by the RFC's own split."""
    if end <= 0 or len(leaves) <= first:
        return (rfc_root(leaves),)
    if first <= 0 and len(leaves) <= end:
        return ()
    k = 1
    while k * 2 < len(leaves):
        k *= 2
    return (*rfc_range_proof(leaves[:k], first, end), *rfc_range_proof(leaves[k:], first - k, end - k))


@pytest.mark.parametrize("first", [-1, MOST, MOST - 1])
def test_verify_range__of_leaves_beyond__is_refused(first: int) -> None:
    with pytest.raises(OutsideTree):
        verify_range(bytes(32), MOST, first, LEAVES[:2], [])
    with pytest.raises(OutsideTree):
        verify_range(bytes(32), MOST, 1, [], [])


@pytest.mark.parametrize("size", [1, 2, 3, 7, 8, 13, 21])
def test_verify_range__of_every_range__accepts_it_and_nothing_near_it(size: int) -> None:
    leaves = LEAVES[:size]
    tree = MerkleTree.of(leaves)
    for first in range(size):
        for end in range(first + 1, size + 1):
            proof, inside = tree.prove_range(first, end), leaves[first:end]
            assert proof == rfc_range_proof(leaves, first, end)
            assert len(proof) == range_proof_length(size, first, end) <= 2 * size.bit_length()
            known = verify_range(tree.root, size, first, inside, proof)
            assert [known.prove(index) for index in range(first, end)] == [tree.prove(i) for i in range(first, end)]
            _refuse(tree.root, size, first, inside[:-1], proof)
            _refuse(tree.root, size, first, inside[1:], proof)
            _refuse(tree.root, size, first, [*inside, b"one more"], proof)
            _refuse(tree.root, size, first + 1, inside, proof)
            _refuse(tree.root, size, first - 1, inside, proof)
            _refuse(tree.root, size, first, inside, [*proof, bytes(32)])
            _refuse(tree.root, size, first, inside, proof[:-1] if proof else [bytes(32)])
            _refuse(tree.root, size, first, [b"another", *inside[1:]], proof)
            if len(inside) > 1:
                _refuse(tree.root, size, first, inside[::-1], proof)
                _refuse(tree.root, size, first, [inside[0], *inside[2:]], proof)
            if len(set(proof)) > 1:
                _refuse(tree.root, size, first, inside, proof[::-1])


def _refuse(root: bytes, size: int, first: int, inside: list[bytes], proof) -> None:
    with pytest.raises(ProofRefusal):
        verify_range(root, size, first, inside, proof)


def test_verify_range__given_a_hash_of_another_length__is_refused() -> None:
    tree = MerkleTree.of(LEAVES)
    first, *rest = tree.prove_range(3, 9)
    with pytest.raises(ProofHashMalformed):
        verify_range(tree.root, MOST, 3, LEAVES[3:9], [first + b"\x00", *rest])


@settings(max_examples=200, deadline=None)
@given(st.integers(1, 400), st.data())
def test_verify_range__given_any_leaf_left_out__is_refused(size: int, data) -> None:
    leaves = [index.to_bytes(2, "big") for index in range(size)]
    tree = MerkleTree.of(leaves)
    first = data.draw(st.integers(0, size - 1))
    end = data.draw(st.integers(first + 1, size))
    proof = tree.prove_range(first, end)
    verify_range(tree.root, size, first, leaves[first:end], proof)
    dropped = data.draw(st.integers(first, end - 1))
    _refuse(tree.root, size, first, leaves[first:dropped] + leaves[dropped + 1 : end], proof)
    _refuse(tree.root, size - 1, first, leaves[first:dropped] + leaves[dropped + 1 : end], proof)


def test_range_proof__of_a_leaf__has_the_hashes_of_its_inclusion_proof() -> None:
    tree = MerkleTree.of(LEAVES)
    for index in range(MOST):
        assert sorted(tree.prove_range(index, index + 1)) == sorted(tree.prove(index))


@settings(max_examples=200, deadline=None)
@given(st.integers(1, 200), st.data())
def test_prove__from_a_range_alone__is_what_the_whole_tree_proves(size: int, data) -> None:
    leaves = [index.to_bytes(2, "big") for index in range(size)]
    tree = MerkleTree.of(leaves)
    first = data.draw(st.integers(0, size - 1))
    end = data.draw(st.integers(first + 1, size))
    known = verify_range(tree.root, size, first, leaves[first:end], tree.prove_range(first, end))
    low = data.draw(st.integers(first, end - 1))
    high = data.draw(st.integers(low + 1, end))
    assert known.prove(low) == tree.prove(low)
    assert known.prove_range(low, high) == tree.prove_range(low, high)
    for beyond in {first - 1, end}:
        with pytest.raises(OutsideTree):
            known.prove(beyond)
        with pytest.raises(OutsideTree):
            known.prove_range(min(beyond, low), max(beyond + 1, high))


def test_tree__of_100000_leaves__takes_little_more_than_its_hashes() -> None:
    """The aim is 1.5 times the hashes alone; the limit here leaves room for a machine that does other things."""
    rng = random.Random(1)
    leaves = [rng.randbytes(60) for _ in range(100_000)]
    nodes = [rng.randbytes(65) for _ in range(100_000)]

    def raw() -> None:
        for leaf in leaves:
            sha256(leaf).digest()
        for node in nodes:
            sha256(node).digest()

    ratios = [_seconds(lambda: MerkleTree.of(leaves)) / _seconds(raw) for _ in range(5)]
    assert min(ratios) < 2.5, ratios


def _seconds(work) -> float:
    started = perf_counter()
    work()
    return perf_counter() - started
