"""Live updates: what the index learns, in chain order, resumable behind any event.

An event's id is `block.log.hash`, where it stands and the first digits of its block's hash, so that a reader that comes
back learns whether what it saw last still stands.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any

from gridweave.services.history import hash_begins
from gridweave.services.status import wish_json
from gridweave.services.world import World
from gridweave.store.events import STREAMED
from gridweave.store.history import END_OF_BLOCK
from gridweave.store.reading import CursorInvalid, Row

__all__ = ["Bell", "StreamEvent", "check_id", "follow"]

_STRETCH = 100
_TRAIL = 512
_ID = re.compile(r"[0-9]{1,15}\.[0-9]{1,10}\.[0-9a-f]{0,12}", re.ASCII)


class Bell:
    """Wakes everybody who waits for the index to move."""

    def __init__(self) -> None:
        self._event = asyncio.Event()
        self.ended = False
        """Whether nobody needs to wait any more: the service stops."""

    def end(self) -> None:
        """Sends everybody home."""
        self.ended = True
        self.ring()

    def ring(self) -> None:
        """The index moved."""
        self._event.set()
        self._event = asyncio.Event()

    async def wait(self, within: float) -> None:
        """Until the index moves, at most that many seconds."""
        try:
            async with asyncio.timeout(within):
                await self._event.wait()
        except TimeoutError:
            return


@dataclass(frozen=True)
class StreamEvent:
    """One event: `kind` is order, cleared, settled, block or reorg."""

    id: str
    kind: str
    data: dict[str, Any]


@dataclass
class _Reader:
    """Where one reader stands, and hashes of the blocks it has seen."""

    block: int
    log: int
    trail: dict[int, str]


async def follow(world: World, bell: Bell, last_id: str | None) -> AsyncIterator[StreamEvent]:
    """Events behind `last_id`, or from now on, until the bell ends. Raises CursorInvalid for an id never given out."""
    reader = _start(world, last_id)
    while not bell.ended:
        fork = await _fork(world, reader)
        if fork is not None:
            reader = _Reader(fork, END_OF_BLOCK, {n: h for n, h in reader.trail.items() if n <= fork})
            hash_ = reader.trail.get(fork, "")
            yield StreamEvent(_id(fork, END_OF_BLOCK, hash_), "reorg", {"forkBlock": fork})
        events = await _next(world, reader)
        for event in events:
            yield event
        if not events:
            await bell.wait(15.0)


def check_id(last_id: str | None) -> None:
    """Raises CursorInvalid for an id that no event carries."""
    if last_id and not _ID.fullmatch(last_id):
        raise CursorInvalid(last_id)


def _start(world: World, last_id: str | None) -> _Reader:
    if not last_id:
        block = world.heads.block
        return _Reader(world.heads.number, END_OF_BLOCK, {block.number: hash_begins(block.hash)} if block else {})
    check_id(last_id)
    number, log, hash_ = last_id.split(".")
    return _Reader(int(number), int(log), {int(number): hash_} if hash_ else {})


async def _fork(world: World, reader: _Reader) -> int | None:
    """The newest block that still stands, if the one that the reader saw last does not."""
    seen = reader.trail.get(reader.block)
    if seen is None:
        return None
    standing = await world.reads.events.blocks(min(reader.trail), reader.block)
    hashes = {row["number"]: hash_begins(row["hash"]) for row in standing}
    if hashes.get(reader.block) == seen:
        return None
    common = [number for number, hash_ in reader.trail.items() if hashes.get(number) == hash_]
    return max(common) if common else min(world.heads.final, reader.block - 1)


async def _next(world: World, reader: _Reader) -> list[StreamEvent]:
    last = min(world.heads.number, reader.block + _STRETCH)
    if last < reader.block or (last == reader.block and reader.log >= END_OF_BLOCK):
        return []
    blocks = await world.reads.events.blocks(reader.block, last)
    rows = await world.reads.events.between(reader.block, reader.log, last)
    hashes = {row["number"]: hash_begins(row["hash"]) for row in blocks}
    events = [(row["block_number"], row["log_index"], *_event(row)) for row in rows if row["block_number"] in hashes]
    final = world.heads.final
    unseen = [row for row in blocks if (row["number"], END_OF_BLOCK) > (reader.block, reader.log)]
    events += [(row["number"], END_OF_BLOCK, "block", _block(row, final)) for row in unseen]
    events.sort(key=lambda event: event[:2])
    reader.block, reader.log = last, END_OF_BLOCK
    reader.trail |= hashes
    while len(reader.trail) > _TRAIL:
        reader.trail.pop(min(reader.trail))
    return [StreamEvent(_id(number, log, hashes[number]), kind, data) for number, log, kind, data in events]


def _id(block: int, log: int, hash_: str) -> str:
    return f"{block}.{log}.{hash_}"


def _block(row: Row, final: int) -> dict[str, Any]:
    return {"number": row["number"], "hash": row["hash"], "timestamp": row["timestamp"], "finalBlock": final}


def _event(row: Row) -> tuple[str, dict[str, Any]]:
    kind, status = STREAMED[row["table"]]
    place = {"transaction": row["tx_hash"], "block": row["block_number"]}
    if kind == "order":
        return kind, _order(row, status) | place
    if kind == "cleared":
        return kind, _cleared(row) | place
    return kind, _settled(row) | place


def _order(row: Row, status: str) -> dict[str, Any]:
    data = {"id": row["digest"], "meter": row["meter"], "slot": row["slot"], "status": status}
    if "side" in row:
        data |= wish_json(row)
    return data | {name: row[name] for name in ("market", "version", "reason") if name in row}


def _cleared(row: Row) -> dict[str, Any]:
    return {
        "market": row["market"],
        "slot": row["slot"],
        "traded": row["traded"],
        "priceMicroPerKwh": row["price"],
        "lowMicroPerKwh": row["low"],
        "highMicroPerKwh": row["high"],
        "volumeWh": row["volume_wh"],
    }


def _settled(row: Row) -> dict[str, Any]:
    return {
        "meter": row["meter"],
        "slot": row["slot"],
        "readingVersion": row["reading_version"],
        "boughtWh": row["bought_wh"],
        "soldWh": row["sold_wh"],
        "cashMicro": row["cash"],
    }
