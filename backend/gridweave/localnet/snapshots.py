"""Whole states on disk, never half of one.

A snapshot is written beside its place, synced and renamed; the newest two stay. Anvil's state is dumped only while no
block is being made, and what another process mined meanwhile makes the dump void.
"""

from __future__ import annotations

import asyncio
import gzip
import json
from dataclasses import dataclass
from pathlib import Path

from gridweave.chain import Block, Node, from_hex, to_hex
from gridweave.deployment.record import write_atomically
from gridweave.disk import sync, write_through
from gridweave.domain.hashing import keccak
from gridweave.localnet.home import Home

__all__ = ["Snapshot", "Snapshots", "is_whole"]

KEPT = 2
_ANY_ADDRESS = "0x" + "0" * 40
_SETTLES_WITHIN = 0.02  # seconds in which a block that was half made during the dump would have appeared


@dataclass(frozen=True)
class Snapshot:
    """One state: the number and hash of its last block and its file, gzipped JSON."""

    block: int
    block_hash: bytes
    path: Path

    def unpack(self, to: Path) -> Path:
        """Writes the state as anvil loads it. gzip.BadGzipFile, EOFError or zlib.error if the file is damaged."""
        to.write_bytes(gzip.decompress(self.path.read_bytes()))
        return to


class Snapshots:
    """The snapshots of one chain."""

    def __init__(self, home: Home) -> None:
        self._home = home
        home.snapshots.mkdir(parents=True, exist_ok=True)

    def all(self) -> list[Snapshot]:
        """Newest first."""
        found = [_parse(path) for path in self._home.snapshots.glob("*.state.gz")]
        return sorted((snapshot for snapshot in found if snapshot), key=lambda snapshot: -snapshot.block)

    def set_aside(self, snapshot: Snapshot) -> None:
        """Keeps a snapshot that does not load for whoever wants to look, out of the way."""
        snapshot.path.rename(snapshot.path.with_suffix(".unusable"))

    def mark_final(self, block: Block) -> None:
        """Says that this block is in a snapshot."""
        final = {"block": block.number, "hash": to_hex(block.hash), "timestamp": block.timestamp}
        write_atomically(self._home.final_file, json.dumps(final) + "\n")

    async def take(self, node: Node) -> Snapshot | None:
        """Dumps, syncs, renames and forgets the third newest. None if a block came between: try again later.

        The caller mines nothing meanwhile. Once this returns a snapshot, its block is final.
        """
        before = await node.head()
        dump: str = await node.request("anvil_dumpState", False)
        await asyncio.sleep(_SETTLES_WITHIN)
        after = await node.head()
        if (before.number, before.hash) != (after.number, after.hash):
            return None
        return await asyncio.to_thread(self._keep, before, from_hex(dump))

    def _keep(self, block: Block, state: bytes) -> Snapshot:
        path = self._home.snapshots / f"{block.number:010d}-{block.hash.hex()}.state.gz"
        temporary = path.with_suffix(".new")
        with temporary.open("wb") as file:
            write_through(file, state)
        temporary.replace(path)
        sync(self._home.snapshots)
        self.mark_final(block)
        for old in self.all()[KEPT:]:
            old.path.unlink(missing_ok=True)
        for stray in self._home.snapshots.glob("*.new"):
            stray.unlink(missing_ok=True)
        return Snapshot(block.number, block.hash, path)


async def is_whole(node: Node, snapshot: Snapshot) -> bool:
    """Whether the chain that anvil loaded is the snapshot's, its state that of its last block's header.

    The first node of any account's proof is the root of the state as it is, so a torn state shows.
    """
    head = await node.head()
    if (head.number, head.hash) != (snapshot.block, snapshot.block_hash):
        return False
    proof = await node.request("eth_getProof", _ANY_ADDRESS, [], "latest")
    return keccak(from_hex(proof["accountProof"][0])) == head.state_root


def _parse(path: Path) -> Snapshot | None:
    number, _, digits = path.name.removesuffix(".state.gz").partition("-")
    try:
        return Snapshot(int(number), bytes.fromhex(digits), path)
    except ValueError:
        return None
