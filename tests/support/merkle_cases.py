"""Inputs on which two verifiers of RFC 9162 proofs must agree: this one and the contract's."""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import dataclass, replace

from gridweave.domain.telemetry.merkle import MerkleTree

LEAF_LENGTHS = range(12, 120)  # long enough that no two are alike


@dataclass(frozen=True)
class InclusionCase:
    """What a verifier is given, and `valid`: what it must say. `path` and `root` are hashes of 32 bytes."""

    leaf: bytes
    index: int
    size: int
    path: tuple[bytes, ...]
    root: bytes
    valid: bool = True


def inclusion_cases(rng: random.Random, count: int, most: int = 300) -> Iterator[InclusionCase]:
    """`count` true cases of trees of up to `most` leaves, each followed by false ones of every kind."""
    for _ in range(count):
        size = rng.choice([1, 2, 3, most, rng.randint(1, most)])
        leaves = [rng.randbytes(rng.choice(LEAF_LENGTHS)) for _ in range(size)]
        tree = MerkleTree.of(leaves)
        index = rng.choice([0, size - 1, rng.randrange(size)])
        case = InclusionCase(leaves[index], index, size, tree.prove(index), tree.root)
        yield case
        yield from (replace(forged, valid=False) for forged in _forged(rng, case))


def _forged(rng: random.Random, case: InclusionCase) -> Iterator[InclusionCase]:
    bit = 1 << rng.randrange(256)
    flipped = (int.from_bytes(case.root, "big") ^ bit).to_bytes(32, "big")
    yield replace(case, leaf=case.leaf + b"\x00")
    yield replace(case, root=flipped)
    yield replace(case, index=case.size)
    yield replace(case, index=case.size, size=0)
    yield replace(case, path=(*case.path, rng.randbytes(32)))
    if not case.path:
        return
    place = rng.randrange(len(case.path))
    yield replace(case, path=case.path[:-1])
    yield replace(case, path=case.path[1:])
    yield replace(case, path=(*case.path[:place], rng.randbytes(32), *case.path[place + 1 :]))
    yield replace(case, index=rng.choice([i for i in range(case.size) if i != case.index]))
    yield replace(case, size=case.size * 4)
    if len(case.path) > 1:
        yield replace(case, path=case.path[::-1])
