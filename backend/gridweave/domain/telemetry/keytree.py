"""The stream owner's keys: a tree of secrets over all windows, of which any part can be given away or destroyed.

A node is 32 secret bytes; its children are HMAC-SHA-256(node, 0x00) and HMAC-SHA-256(node, 0x01), and the leaf at
depth 32 is the window's key (the construction of Goldreich, Goldwasser and Micali). Who has a node has all windows
below it and learns nothing of any other. So what opens a range is the few nodes that cover it, and what is left once a
window is erased is the nodes beside the path to it: at most 32 in place of one, the path itself being forgotten. Each
stream has a tree of its own, and each epoch of it one from fresh randomness.

Both are `WindowKeys`: the owner's file holds the nodes that are left, a grant those of its range. Forgotten is what no
copy has: grants and backups made before keep what they have, and memory is only as forgetful as the machine.

    keys    0x01, epoch (4), number of nodes (4), then each node by place: depth (1), position (4), secret (32)
"""

from __future__ import annotations

import secrets
from bisect import bisect_right
from collections.abc import Iterator
from dataclasses import dataclass, field
from hmac import digest
from itertools import pairwise
from struct import Struct

from gridweave.domain.errors import FieldOutOfRange
from gridweave.domain.telemetry.errors import KeysMalformed, WindowClosed
from gridweave.domain.telemetry.windows import WINDOW_BITS, WINDOWS, must_be_windows

SECRET_LENGTH = 32
MOST_NODES = 1 << 16
"""Of one stream and epoch: two thousand scattered erasures and more."""

_VERSION = 1
_HEAD = Struct(">BII")
_NODE = Struct(">BI32s")
_SIDES = (b"\x00", b"\x01")


@dataclass(frozen=True)
class KeyNode:
    """The `position`th node from the left at `depth` below the root, and its secret, 32 bytes."""

    depth: int
    position: int
    secret: bytes = field(repr=False)

    @property
    def first(self) -> int:
        """The first window below it."""
        return self.position << (WINDOW_BITS - self.depth)

    @property
    def end(self) -> int:
        """The window after the last one below it."""
        return (self.position + 1) << (WINDOW_BITS - self.depth)

    def children(self) -> tuple[KeyNode, KeyNode]:
        """Left and right half."""
        left, right = (
            KeyNode(self.depth + 1, self.position << 1 | side, digest(self.secret, byte, "sha256"))
            for side, byte in enumerate(_SIDES)
        )
        return left, right

    def key(self, window: int) -> bytes:
        """The key of a window below it, 32 bytes."""
        secret = self.secret
        for height in range(WINDOW_BITS - self.depth - 1, -1, -1):
            secret = digest(secret, _SIDES[window >> height & 1], "sha256")
        return secret

    def inside(self, first: int, end: int) -> Iterator[KeyNode]:
        """The fewest nodes below it, itself included, that open just its windows in [first, end), by place."""
        if end <= self.first or self.end <= first:
            return
        if first <= self.first and self.end <= end:
            yield self
            return
        for child in self.children():
            yield from child.inside(first, end)


@dataclass(frozen=True)
class WindowKeys:
    """Keys of one epoch of a stream: `nodes` by place, none below another. Without nodes, everything is erased."""

    epoch: int
    nodes: tuple[KeyNode, ...]

    def __post_init__(self) -> None:
        """Raises FieldOutOfRange for an epoch that is no uint32, KeysMalformed for nodes out of place."""
        if not 0 <= self.epoch < 1 << 32:
            raise FieldOutOfRange("epoch", "uint32", str(self.epoch))
        if len(self.nodes) > MOST_NODES:
            raise KeysMalformed(f"at most {MOST_NODES} nodes")
        if any(not 0 <= node.depth <= WINDOW_BITS or node.end > WINDOWS for node in self.nodes):
            raise KeysMalformed("a node lies in the tree")
        if any(len(node.secret) != SECRET_LENGTH for node in self.nodes):
            raise KeysMalformed(f"a secret has {SECRET_LENGTH} bytes")
        if any(left.end > right.first for left, right in pairwise(self.nodes)):
            raise KeysMalformed("nodes stand in the order of their windows and share none")

    @classmethod
    def fresh(cls, epoch: int) -> WindowKeys:
        """All windows, from randomness of the system: an epoch tells nothing of the one before it."""
        return cls(epoch, (KeyNode(0, 0, secrets.token_bytes(SECRET_LENGTH)),))

    def key(self, window: int) -> bytes:
        """The window's key, 32 bytes. Raises WindowsMalformed, WindowClosed."""
        must_be_windows(window, window + 1)
        node = self._above(window)
        if node is None:
            raise WindowClosed(window)
        return node.key(window)

    def opens(self, window: int) -> bool:
        """Whether the window's key can be had from these."""
        return self._above(window) is not None

    def _above(self, window: int) -> KeyNode | None:
        place = bisect_right(self.nodes, window, key=lambda node: node.first) - 1
        return self.nodes[place] if place >= 0 and window < self.nodes[place].end else None

    def covering(self, first: int, end: int) -> WindowKeys:
        """What opens windows [first, end) and no other, at most 62 nodes from an owner who erased nothing in there.

        Raises WindowsMalformed, and WindowClosed with the first window of the range that these do not open.
        """
        must_be_windows(first, end)
        within = tuple(part for node in self.nodes for part in node.inside(first, end))
        reached = first
        for node in within:
            if node.first != reached:
                break
            reached = node.end
        if reached != end:
            raise WindowClosed(reached)
        return WindowKeys(self.epoch, within)

    def without(self, first: int, end: int) -> WindowKeys:
        """What is left once windows [first, end) are erased: to be kept in place of these, not beside them.

        Raises WindowsMalformed, KeysMalformed when too many pieces would be left.
        """
        must_be_windows(first, end)
        left = [
            part for node in self.nodes for low, high in ((0, first), (end, WINDOWS)) for part in node.inside(low, high)
        ]
        return WindowKeys(self.epoch, tuple(left))

    def encode(self) -> bytes:
        """Canonical bytes, secret as the keys are."""
        nodes = (_NODE.pack(node.depth, node.position, node.secret) for node in self.nodes)
        return _HEAD.pack(_VERSION, self.epoch, len(self.nodes)) + b"".join(nodes)

    @classmethod
    def decode(cls, raw: bytes) -> WindowKeys:
        """The keys of canonical bytes. Raises KeysMalformed."""
        if len(raw) < _HEAD.size:
            raise KeysMalformed(f"at least {_HEAD.size} bytes")
        version, epoch, count = _HEAD.unpack_from(raw)
        if version != _VERSION:
            raise KeysMalformed("this program reads version 1")
        if count > MOST_NODES or len(raw) != _HEAD.size + count * _NODE.size:
            raise KeysMalformed(f"{count} nodes of {_NODE.size} bytes, and at most {MOST_NODES}")
        keys = cls(epoch, tuple(KeyNode(*node) for node in _NODE.iter_unpack(raw[_HEAD.size :])))
        if any(a.depth == b.depth and a.position ^ 1 == b.position for a, b in pairwise(keys.nodes)):
            raise KeysMalformed("two halves of one node stand for the node")
        return keys
