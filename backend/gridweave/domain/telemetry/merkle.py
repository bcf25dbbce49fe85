"""Merkle trees over byte strings (RFC 9162 section 2.1, SHA-256): roots, proofs of one leaf and of a whole range.

The hash of a leaf is SHA-256(0x00 . leaf), that of a node SHA-256(0x01 . left . right). A tree of n > 1 leaves splits
at the largest power of two below n. Paired level by level from the left, a last hash without partner moving up as it
is, that is the same tree.

A range proof holds the roots of the largest subtrees outside of the range, from left to right: at most 2 log2(n) of
them. Who has the leaves of a range and its proof can prove each of them in turn, and knows nothing of the others.

A root does not commit to its size: proofs are of a place in a tree of a size, and whoever checks one takes both root
and size from where they were recorded together.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from hashlib import sha256

from gridweave.domain.telemetry.errors import OutsideTree, ProofHashMalformed, ProofLengthWrong, RootMismatch

HASH_LENGTH = 32
EMPTY_ROOT = sha256().digest()


@dataclass(frozen=True)
class Level:
    """Hashes of one height, from position `offset` on, and how many the whole tree has there."""

    offset: int
    hashes: list[bytes]
    size: int

    def at(self, position: int) -> bytes:
        """The hash at a position that is known."""
        return self.hashes[position - self.offset]


@dataclass(frozen=True)
class MerkleTree:
    """A tree of `size` leaves of which [first, end) are known, all of them as a rule.

    `levels` run from the leaves to the root and hold what is known with the siblings beside it.
    """

    size: int
    first: int
    end: int
    levels: tuple[Level, ...]

    @classmethod
    def of(cls, leaves: Iterable[bytes]) -> MerkleTree:
        """The tree over these leaves, in this order; none at all is allowed."""
        return cls.over(hash_leaves(leaves))

    @classmethod
    def over(cls, hashes: list[bytes]) -> MerkleTree:
        """The tree over leaves that were hashed before, by hash_leaves."""
        return cls(len(hashes), 0, len(hashes), _levels(len(hashes), 0, hashes, ()))

    @classmethod
    def over_range(cls, size: int, first: int, hashes: list[bytes], proof: Sequence[bytes]) -> MerkleTree:
        """What hashed leaves from `first` on and their range proof tell of a tree of `size` leaves.

        Its root is still to be compared. Raises OutsideTree, ProofLengthWrong, ProofHashMalformed.
        """
        end = first + len(hashes)
        _must_lie_inside(first, end, 0, size)
        _must_be_hashes(proof, range_proof_length(size, first, end))
        return cls(size, first, end, _levels(size, first, hashes, proof))

    @property
    def root(self) -> bytes:
        """The tree's root, 32 bytes; EMPTY_ROOT without a leaf."""
        return self.levels[-1].hashes[0] if self.size else EMPTY_ROOT

    def prove(self, index: int) -> tuple[bytes, ...]:
        """The inclusion proof of the known leaf at `index`: siblings from leaf to root. Raises OutsideTree."""
        _must_lie_inside(index, index + 1, self.first, self.end)
        siblings = ((level, index >> height ^ 1) for height, level in enumerate(self.levels))
        return tuple(level.at(position) for level, position in siblings if position < level.size)

    def prove_range(self, first: int, end: int) -> tuple[bytes, ...]:
        """The proof that known leaves [first, end) are all there is between. Raises OutsideTree."""
        _must_lie_inside(first, end, self.first, self.end)
        left, right = [], []
        for level in self.levels[:-1]:
            if first & 1:
                left.append(level.at(first - 1))
            if end & 1 and end < level.size:
                right.append(level.at(end))
            first, end = first >> 1, end + 1 >> 1
        return (*reversed(left), *right)


def merkle_root(leaves: Iterable[bytes]) -> bytes:
    """The root over these leaves, 32 bytes."""
    return MerkleTree.of(leaves).root


def hash_leaves(leaves: Iterable[bytes]) -> list[bytes]:
    """The hash of each leaf."""
    return [sha256(b"\x00" + leaf).digest() for leaf in leaves]


def verify_inclusion(root: bytes, size: int, index: int, leaf: bytes, path: Sequence[bytes]) -> None:
    """Return if `leaf` is the one at `index` of the tree of `size` leaves under `root` (RFC 9162 section 2.1.3.2).

    Raises OutsideTree, ProofLengthWrong, ProofHashMalformed, RootMismatch.
    """
    _must_lie_inside(index, index + 1, 0, size)
    _must_be_hashes(path, path_length(size, index))
    at, last, node = index, size - 1, sha256(b"\x00" + leaf).digest()
    for sibling in path:
        while at == last and not at & 1:  # alone at the right edge: moves up as it is
            at, last = at >> 1, last >> 1
        pair = sibling + node if at & 1 else node + sibling
        node, at, last = sha256(b"\x01" + pair).digest(), at >> 1, last >> 1
    _must_match(node, root)


def verify_range(root: bytes, size: int, first: int, leaves: Iterable[bytes], proof: Sequence[bytes]) -> MerkleTree:
    """What is known of the tree, if `leaves` are exactly those from `first` on of `size` leaves under `root`.

    Raises OutsideTree, ProofLengthWrong, ProofHashMalformed, RootMismatch.
    """
    return verify_hashed_range(root, size, first, hash_leaves(leaves), proof)


def verify_hashed_range(root: bytes, size: int, first: int, hashes: list[bytes], proof: Sequence[bytes]) -> MerkleTree:
    """The same for leaves that were hashed before, by hash_leaves."""
    known = MerkleTree.over_range(size, first, hashes, proof)
    _must_match(known.root, root)
    return known


def path_length(size: int, index: int) -> int:
    """How many hashes the inclusion proof of leaf `index` has in a tree of `size` leaves."""
    inner = (index ^ (size - 1)).bit_length()
    return inner + (index >> inner).bit_count()


def range_proof_length(size: int, first: int, end: int) -> int:
    """How many hashes the proof of leaves [first, end) has in a tree of `size` leaves."""
    length = first.bit_count()
    while size > 1:
        length += end & 1 and end < size
        size, end = size + 1 >> 1, end + 1 >> 1
    return length


def _levels(size: int, first: int, hashes: list[bytes], proof: Sequence[bytes]) -> tuple[Level, ...]:
    """All levels over the leaf hashes from `first` on; a range's proof fills in what lies beside it."""
    left, right = iter(reversed(proof[: first.bit_count()])), iter(proof[first.bit_count() :])
    levels = []
    while size > 1:
        if first & 1:
            first, hashes = first - 1, [next(left), *hashes]
        if len(hashes) & 1 and first + len(hashes) < size:
            hashes = [*hashes, next(right)]
        levels.append(Level(first, hashes, size))
        each = iter(hashes)
        paired = [sha256(b"\x01" + a + b).digest() for a, b in zip(each, each, strict=False)]
        hashes = [*paired, hashes[-1]] if len(hashes) & 1 else paired
        first, size = first >> 1, size + 1 >> 1
    return (*levels, Level(first, hashes, size))


def _must_lie_inside(first: int, end: int, low: int, high: int) -> None:
    if not low <= first < end <= high:
        raise OutsideTree(first, end, low, high)


def _must_be_hashes(proof: Sequence[bytes], expected: int) -> None:
    if len(proof) != expected:
        raise ProofLengthWrong(len(proof), expected)
    for place, hash_ in enumerate(proof):
        if len(hash_) != HASH_LENGTH:
            raise ProofHashMalformed(place, len(hash_))


def _must_match(computed: bytes, recorded: bytes) -> None:
    if computed != recorded:
        raise RootMismatch("0x" + computed.hex(), "0x" + recorded.hex())
