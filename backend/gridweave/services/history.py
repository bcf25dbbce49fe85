"""The history for auditors: what to look for, in pages that stay put while the chain moves.

A cursor is `block.log.hash.common.hash`: where its page ended and how that block's hash begins, and a block below it
that was final then. So a page behind a block that is gone is refused, with the place from which to go on.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from gridweave.chain.events import EVENTS
from gridweave.services.errors import CursorReorganised, RequestInvalid
from gridweave.services.world import World
from gridweave.store.history import END_OF_BLOCK, AnyOf, HistoryRow, Place, Reorganised, Wanted
from gridweave.store.reading import CursorInvalid

__all__ = ["MOST_SLOTS", "Filters", "Telling", "hash_begins", "page", "start_of", "wanted_by"]

MOST_SLOTS = 10_000
"""Slots that one question may span: a hundred days of quarter hours."""

_HASH_DIGITS = 12
_BLOCK, _HASH = r"([0-9]{1,15})", r"([0-9a-f]{12,64})"
_CURSOR = re.compile(rf"{_BLOCK}\.([0-9]{{1,10}})\.{_HASH}(?:\.{_BLOCK}\.{_HASH})?", re.ASCII)

Range = tuple[int | None, int | None]
"""First and last, both included; None: open."""


@dataclass(frozen=True)
class Filters:
    """What rows must name: one of the values of each kind given. Contracts by name or address, times in seconds."""

    contracts: Sequence[str] = ()
    events: Sequence[str] = ()
    accounts: Sequence[str] = ()
    devices: Sequence[str] = ()
    meters: Sequence[int] = ()
    markets: Sequence[int] = ()
    models: Sequence[int] = ()
    transactions: Sequence[str] = ()
    slots: Range = (None, None)
    times: Range = (None, None)
    blocks: Range = (None, None)
    final: bool = False


@dataclass(frozen=True)
class Telling:
    """How rows are told: contracts' names by address, and up to which block they are final."""

    names: Mapping[str, str] = field(repr=False)
    final: int

    @classmethod
    def of(cls, world: World) -> Telling:
        """As the chain stands now."""
        return cls(world.deployment.every_address, world.heads.final)

    def json(self, row: HistoryRow) -> str:
        """One row as a JSON object. Every value is hex, a number or a name, so nothing has to be escaped."""
        final = "true" if row.block_number <= self.final else "false"
        return (
            f'{{"block":{row.block_number},"blockHash":"{row.block_hash}","logIndex":{row.log_index},'
            f'"transaction":"{row.tx_hash}","time":{row.timestamp},"final":{final},'
            f'"contract":"{self.names[row.contract]}","address":"{row.contract}","event":"{row.event}","args":{row.args}}}'
        )

    def cells(self, row: HistoryRow) -> tuple[object, ...]:
        """The same in columns, `args` as JSON."""
        final, name = row.block_number <= self.final, self.names[row.contract]
        where = (row.block_number, row.block_hash, row.log_index, row.tx_hash, row.timestamp, final)
        return (*where, name, row.contract, row.event, row.args)


async def page(world: World, filters: Filters, cursor: str | None, limit: int) -> str:
    """{"items", "nextCursor"} as JSON; null at the end. A page of a rare combination may be short.

    Raises RequestInvalid, CursorInvalid, CursorReorganised.
    """
    wanted = await wanted_by(world, filters)
    behind, pins = await start_of(world, cursor)
    try:
        found = await world.reads.history.stretch(wanted, behind, limit, pins)
    except Reorganised as gone:
        raise await _reorganised(world, str(cursor)) from gone
    telling = Telling.of(world)
    items = ",".join(telling.json(row) for row in found.rows)
    following = f'"{await _cursor(world, found.behind, found.hash)}"' if found.behind else "null"
    return f'{{"items":[{items}],"nextCursor":{following}}}'


async def start_of(world: World, cursor: str | None) -> tuple[Place, list[tuple[int, str]]]:
    """Behind which place to read and the block that must stand for that.

    Raises CursorInvalid, and CursorReorganised if the block is gone already.
    """
    if cursor is None:
        return (-1, END_OF_BLOCK), []
    found = _CURSOR.fullmatch(cursor)
    if found is None:
        raise CursorInvalid(cursor)
    block, log, hash_ = int(found[1]), int(found[2]), f"0x{found[3]}"
    if not await world.reads.history.stands(block, hash_):
        raise await _reorganised(world, cursor)
    return (block, log), [(block, hash_)]


async def wanted_by(world: World, filters: Filters) -> Wanted:
    """The filters as the store reads them. Raises RequestInvalid for what can never be found."""
    first, last = await _blocks(world, filters)
    kinds: list[tuple[str, Iterable[object]]] = [
        ("transaction", filters.transactions),
        ("meter", filters.meters),
        ("device", filters.devices),
        ("account", filters.accounts),
        ("event", [_event(name) for name in filters.events]),
        ("contract", [address for name in filters.contracts for address in _addresses(world, name)]),
        ("model", filters.models),
        ("market", filters.markets),
    ]
    groups = [AnyOf(tuple(f"{kind}:{value}" for value in dict.fromkeys(values))) for kind, values in kinds if values]
    return Wanted(first, last, (*groups, *_slots(filters.slots)))


def _slots(slots: Range) -> list[AnyOf]:
    if slots == (None, None):
        return []
    first, last = slots[0] or 0, 2**32 - 1 if slots[1] is None else slots[1]
    if last - first >= MOST_SLOTS:
        message = f"name first and last slot, at most {MOST_SLOTS:,} of them, or ask by time"
        raise RequestInvalid("TooManySlots", message, {"from": first, "to": last, "most": MOST_SLOTS})
    return [AnyOf(between=(f"slot:{first:010d}", f"slot:{last:010d}"))]


async def _blocks(world: World, filters: Filters) -> tuple[int, int]:
    first, last = filters.blocks[0] or 0, world.heads.number if filters.blocks[1] is None else filters.blocks[1]
    if filters.times != (None, None):
        since, until = await world.reads.history.blocks_between(*filters.times)
        if since is None or until is None:
            return 0, -1
        first, last = max(first, since), min(last, until)
    return first, min(last, world.heads.final) if filters.final else last


def _event(name: str) -> str:
    if name not in EVENTS:
        raise RequestInvalid("NoSuchEvent", f"events are {', '.join(sorted(EVENTS))}", {"event": name[:60]})
    return name


def _addresses(world: World, named: str) -> list[str]:
    """Every version of a contract by its name, or one of them by its address."""
    known = world.deployment.every_address
    found = [address for address, name in known.items() if named == name or named.lower() == address.lower()]
    if not found:
        names = ", ".join(sorted(set(known.values())))
        raise RequestInvalid(
            "NoSuchContract", f"contracts are {names}, or an address of theirs", {"contract": named[:60]}
        )
    return found


async def _cursor(world: World, behind: Place, hash_: str) -> str:
    """`hash_`: the block's as the page read it; by now another may stand there."""
    block, log = behind
    common = min(world.heads.final, block - 1)
    ends = [f"{block}.{log}.{hash_begins(hash_)}"]
    if stands := await world.reads.history.hash_of(common):
        ends.append(f"{common}.{hash_begins(stands)}")
    return ".".join(ends)


def hash_begins(hash_: str) -> str:
    """By which digits cursors and event ids name a block: enough to tell it from another of its height."""
    return hash_[2:][:_HASH_DIGITS]


async def _reorganised(world: World, cursor: str) -> CursorReorganised:
    found = _CURSOR.fullmatch(cursor)
    if found is not None and found[4] and await world.reads.history.stands(int(found[4]), f"0x{found[5]}"):
        return CursorReorganised(cursor, int(found[4]), f"{found[4]}.{END_OF_BLOCK}.{found[5]}")
    return CursorReorganised(cursor, None, None)
