"""Merkle trees over byte strings (RFC 9162 section 2.1, SHA-256): roots, proofs of one leaf and of a whole range.

The hash of a leaf is SHA-256(0x00 . leaf), that of a node SHA-256(0x01 . left . right). A tree of n > 1 leaves splits
at the largest power of two below n. Paired level by level from the left, a last hash without partner moving up as it
is, that is the same tree.

A root does not commit to its size: proofs are of a place in a tree of a size, and whoever checks one takes both root
and size from where they were recorded together.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from hashlib import sha256

from gridweave.domain.telemetry.errors import OutsideTree, ProofHashMalformed, ProofLengthWrong, RootMismatch

HASH_LENGTH = 32
EMPTY_ROOT = sha256().digest()


@dataclass(frozen=True)
class MerkleTree:
    """All hashes of a tree: `levels[0]` those of its leaves, each next level half as long, the last one the root's."""

    levels: tuple[list[bytes], ...]

    @classmethod
    def of(cls, leaves: Iterable[bytes]) -> MerkleTree:
        """The tree over these leaves, in this order; none at all is allowed."""
        return cls(_levels(hash_leaves(leaves)))

    @property
    def size(self) -> int:
        """How many leaves there are."""
        return len(self.levels[0])

    @property
    def root(self) -> bytes:
        """The tree's root, 32 bytes; EMPTY_ROOT without a leaf."""
        return self.levels[-1][0] if self.levels[0] else EMPTY_ROOT

    def prove(self, index: int) -> tuple[bytes, ...]:
        """The inclusion proof of the leaf at `index`: siblings from leaf to root. Raises OutsideTree."""
        _must_lie_inside(index, index + 1, self.size)
        places = ((level, (index >> height) ^ 1) for height, level in enumerate(self.levels))
        return tuple(level[sibling] for level, sibling in places if sibling < len(level))

    def prove_range(self, first: int, end: int) -> tuple[bytes, ...]:
        """The proof that leaves [first, end) are all there is between: at most 2 log2(size) hashes, left to right.

        They are the roots of the largest subtrees outside the range. Raises OutsideTree.
        """
        _must_lie_inside(first, end, self.size)
        return tuple(self._subtree(low, high) for low, high in _outside(0, self.size, first, end))

    def _subtree(self, low: int, high: int) -> bytes:
        height = (high - low - 1).bit_length()
        return self.levels[height][low >> height]


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
    _must_lie_inside(index, index + 1, size)
    _must_be_hashes(path, path_length(index, size))
    at, last, node = index, size - 1, sha256(b"\x00" + leaf).digest()
    for sibling in path:
        while at == last and not at & 1:  # alone at the right edge: moves up as it is
            at, last = at >> 1, last >> 1
        pair = sibling + node if at & 1 else node + sibling
        node, at, last = sha256(b"\x01" + pair).digest(), at >> 1, last >> 1
    _must_match(node, root)


def verify_range(root: bytes, size: int, first: int, leaves: Sequence[bytes], proof: Sequence[bytes]) -> None:
    """Return if `leaves` are exactly those from `first` on of the tree of `size` leaves under `root`: none left out.

    Raises OutsideTree, ProofLengthWrong, ProofHashMalformed, RootMismatch.
    """
    end = first + len(leaves)
    _must_lie_inside(first, end, size)
    _must_be_hashes(proof, sum(1 for _ in _outside(0, size, first, end)))
    _must_match(_fold(0, size, first, hash_leaves(leaves), iter(proof)), root)


def path_length(index: int, size: int) -> int:
    """How many hashes the inclusion proof of leaf `index` has in a tree of `size` leaves."""
    inner = (index ^ (size - 1)).bit_length()
    return inner + (index >> inner).bit_count()


def _levels(hashes: list[bytes]) -> tuple[list[bytes], ...]:
    levels = [hashes]
    while len(hashes) > 1:
        each = iter(hashes)
        paired = [sha256(b"\x01" + left + right).digest() for left, right in zip(each, each, strict=False)]
        hashes = paired if len(hashes) % 2 == 0 else [*paired, hashes[-1]]
        levels.append(hashes)
    return tuple(levels)


def _split(low: int, high: int) -> int:
    return low + (1 << (high - low - 1).bit_length() - 1)


def _outside(low: int, high: int, first: int, end: int) -> Iterator[tuple[int, int]]:
    """The largest subtrees of [low, high) that have no leaf in [first, end), from left to right."""
    if high <= first or end <= low:
        yield low, high
    elif low < first or end < high:
        middle = _split(low, high)
        yield from _outside(low, middle, first, end)
        yield from _outside(middle, high, first, end)


def _fold(low: int, high: int, first: int, inside: list[bytes], outside: Iterator[bytes]) -> bytes:
    """The hash of subtree [low, high): from leaf hashes that begin at `first`, and from those of _outside."""
    end = first + len(inside)
    if high <= first or end <= low:
        return next(outside)
    if first <= low and high <= end:
        return _levels(inside[low - first : high - first])[-1][0]
    middle = _split(low, high)
    left = _fold(low, middle, first, inside, outside)
    return sha256(b"\x01" + left + _fold(middle, high, first, inside, outside)).digest()


def _must_lie_inside(first: int, end: int, size: int) -> None:
    if not 0 <= first < end <= size:
        raise OutsideTree(first, end, size)


def _must_be_hashes(proof: Sequence[bytes], expected: int) -> None:
    if len(proof) != expected:
        raise ProofLengthWrong(len(proof), expected)
    for place, hash_ in enumerate(proof):
        if len(hash_) != HASH_LENGTH:
            raise ProofHashMalformed(place, len(hash_))


def _must_match(computed: bytes, recorded: bytes) -> None:
    if computed != recorded:
        raise RootMismatch("0x" + computed.hex(), "0x" + recorded.hex())
