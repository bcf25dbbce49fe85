"""The tree by which a maker enrols a batch: OpenZeppelin's standard Merkle tree over ["address", "uint8"].

A leaf is keccak256(keccak256(abi.encode(device, kind of key))), so that no inner node is one. Leaves are sorted by
hash; each inner node is keccak256 of its two children, the smaller one first. Source: @openzeppelin/merkle-tree, the
format "standard-v1".
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property

from gridweave.domain.acts import KeyKind
from gridweave.domain.addresses import address_bytes, checksum_address
from gridweave.domain.errors import DeviceNotInBatch
from gridweave.domain.hashing import keccak

__all__ = ["Batch", "leaf_of", "root_of"]


def leaf_of(device: str, kind: KeyKind) -> bytes:
    """The leaf of one device, 32 bytes."""
    return keccak(keccak(address_bytes(device).rjust(32, b"\0") + int(kind).to_bytes(32, "big")))


def root_of(leaf: bytes, proof: Iterable[bytes]) -> bytes:
    """Where a proof, the siblings from the leaf up, leads."""
    for sibling in proof:
        leaf = _node(leaf, sibling)
    return leaf


@dataclass(frozen=True)
class Batch:
    """Devices of one batch, each with its kind of key; in any order, each once."""

    devices: tuple[tuple[str, KeyKind], ...]

    @property
    def root(self) -> bytes:
        """What the maker registers, 32 bytes. ValueError for no devices."""
        if not self.devices:
            raise ValueError("a batch has a device at least")
        return self._nodes[0]

    def proof(self, device: str) -> tuple[bytes, ...]:
        """The siblings from the device's leaf up. Raises DeviceNotInBatch."""
        at = self._places.get(checksum_address(device))
        if at is None:
            raise DeviceNotInBatch(device)
        siblings = []
        while at:
            siblings.append(self._nodes[at - 1 if at % 2 == 0 else at + 1])
            at = (at - 1) // 2
        return tuple(siblings)

    @cached_property
    def _leaves(self) -> Sequence[tuple[bytes, str]]:
        return sorted((leaf_of(device, kind), checksum_address(device)) for device, kind in self.devices)

    @cached_property
    def _places(self) -> dict[str, int]:
        last = 2 * len(self.devices) - 2
        return {device: last - i for i, (_, device) in enumerate(self._leaves)}

    @cached_property
    def _nodes(self) -> Sequence[bytes]:
        """The root, then its children, and so on; the leaves stand last, backwards."""
        inner = len(self.devices) - 1
        nodes = [b""] * inner + [leaf for leaf, _ in reversed(self._leaves)]
        for at in reversed(range(inner)):
            nodes[at] = _node(nodes[2 * at + 1], nodes[2 * at + 2])
        return nodes


def _node(left: bytes, right: bytes) -> bytes:
    return keccak(left + right if left < right else right + left)
