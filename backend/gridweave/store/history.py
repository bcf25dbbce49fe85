"""The history: every event in chain order, found by what it names.

Each page reads one consistent state. What a filter costs depends on the rows that it gives, not on how long the chain
is: `history_subjects` is read in chain order, block by block, from where the page begins.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any, NamedTuple

from sqlalchemy import ColumnElement, Select, TextClause, func, select, text, tuple_, union
from sqlalchemy.ext.asyncio import AsyncConnection

from gridweave.store.event_tables import blocks
from gridweave.store.index_tables import history, history_subjects
from gridweave.store.reading import Reader

__all__ = ["END_OF_BLOCK", "AnyOf", "HistoryReads", "HistoryRow", "Place", "Reorganised", "Stretch", "Wanted"]

Place = tuple[int, int]
"""(block number, log index)."""

END_OF_BLOCK = 1_000_000_000
"""Above every log index."""

_BLOCKS_AT_FIRST = 32
_MOST_BLOCKS = 4_096
"""Blocks looked at for one page: it may then be short, and its cursor goes on."""

_KEYS = 400  # in one statement: SQLite of old allows 999 parameters

_NUMBER = history_subjects.c.block_number
_AT = tuple_(history.c.block_number, history.c.log_index)
_AT_PLACES = """
WITH here (block, log) AS (VALUES {})
SELECT history.block_number, history.log_index, history.tx_hash, history.contract, history.event, history.args,
       blocks.hash, blocks.timestamp
FROM here
JOIN history ON history.block_number = here.block AND history.log_index = here.log
JOIN blocks ON blocks.number = here.block
ORDER BY history.block_number, history.log_index
"""
_COLUMNS = (*history.c, blocks.c.hash.label("block_hash"), blocks.c.timestamp)


class Reorganised(Exception):
    """A block that a reader stood on is not in the chain any more."""


@dataclass(frozen=True)
class AnyOf:
    """Subjects of which a row must name one: those listed, or all between two (both included) in the order of text."""

    subjects: tuple[str, ...] = ()
    between: tuple[str, str] | None = None

    def __post_init__(self) -> None:
        if bool(self.subjects) == bool(self.between):
            raise ValueError("list subjects or name a range")

    @property
    def condition(self) -> ColumnElement[bool]:
        """Of a row of the index."""
        subject = history_subjects.c.subject
        return subject.between(*self.between) if self.between else subject.in_(self.subjects)

    @property
    def conditions(self) -> list[ColumnElement[bool]]:
        """The same in parts, one for each stretch of the index that has to be read."""
        return [self.condition] if self.between else [history_subjects.c.subject == name for name in self.subjects]


@dataclass(frozen=True)
class Wanted:
    """Rows in blocks first..last that satisfy every group; without one all of them."""

    first: int
    last: int
    groups: tuple[AnyOf, ...] = ()


class HistoryRow(NamedTuple):
    """One event and the block that it stands in; `args` is JSON."""

    block_number: int
    log_index: int
    tx_hash: str
    contract: str
    event: str
    args: str
    block_hash: str
    timestamp: int

    @property
    def place(self) -> Place:
        return self.block_number, self.log_index


@dataclass(frozen=True)
class Stretch:
    """Rows in chain order and where to go on behind, None at the end; `hash` of that block as it was read with them."""

    rows: list[HistoryRow] = field(repr=False)
    behind: Place | None
    hash: str = ""


class HistoryReads(Reader):
    """What every contract ever said."""

    async def stretch(self, wanted: Wanted, behind: Place, size: int, pins: Sequence[tuple[int, str]] = ()) -> Stretch:
        """Up to `size` rows behind a place. Raises Reorganised if a pin (block number, how its hash begins) is gone."""
        async with self._db.read() as connection:
            for number, hash_ in pins:
                await _require(connection, number, hash_)
            read = _named if wanted.groups else _all
            found = await read(connection, wanted, behind, size)
            if found.behind is None:
                return found
            return replace(found, hash=await _hash_of(connection, found.behind[0]))

    async def stands(self, number: int, hash_: str) -> bool:
        """Whether the block of that number has a hash that begins so."""
        async with self._db.read() as connection:
            return await _stands(connection, number, hash_)

    async def hash_of(self, number: int) -> str:
        """A block's hash, empty if there is no such block."""
        async with self._db.read() as connection:
            return await _hash_of(connection, number)

    async def blocks_between(self, since: int | None, until: int | None) -> tuple[int | None, int | None]:
        """Numbers of the first block from time `since` on and of the last one up to `until`; None: there is none."""
        first = select(func.min(blocks.c.number)).where(blocks.c.timestamp >= (since or 0))
        last = select(func.max(blocks.c.number))
        if until is not None:
            last = last.where(blocks.c.timestamp <= until)
        async with self._db.read() as connection:
            return (await connection.execute(first)).scalar(), (await connection.execute(last)).scalar()


async def _require(connection: AsyncConnection, number: int, hash_: str) -> None:
    if not await _stands(connection, number, hash_):
        raise Reorganised(number)


async def _stands(connection: AsyncConnection, number: int, hash_: str) -> bool:
    return (await _hash_of(connection, number)).startswith(hash_ or "none")


async def _hash_of(connection: AsyncConnection, number: int) -> str:
    found = await connection.execute(select(blocks.c.hash).where(blocks.c.number == number))
    return str(found.scalar() or "")


def _rows() -> Select[Any]:
    return select(*_COLUMNS).join(blocks, blocks.c.number == history.c.block_number).order_by(*history.primary_key)


async def _all(connection: AsyncConnection, wanted: Wanted, behind: Place, size: int) -> Stretch:
    start = max(behind, (wanted.first, -1))
    query = _rows().where(tuple_(*start) < _AT, history.c.block_number <= wanted.last).limit(size + 1)
    rows = await _fetched(connection, query)
    return Stretch(rows[:size], rows[size - 1].place if len(rows) > size else None)


async def _named(connection: AsyncConnection, wanted: Wanted, behind: Place, size: int) -> Stretch:
    """Takes twice as many blocks each time until the page is full."""
    places: list[Place] = []
    start, count, looked = max(behind, (wanted.first, -1)), _BLOCKS_AT_FIRST, 0
    while True:
        numbers, reached = await _next_blocks(connection, wanted, start[0], count)
        places += [place for place in await _places(connection, wanted.groups, numbers) if place > start]
        looked += len(numbers)
        if len(places) > size:
            return Stretch(await _rows_at(connection, places[:size]), places[size - 1])
        if reached is None or reached >= wanted.last:
            return Stretch(await _rows_at(connection, places), None)
        start, count = (reached + 1, -1), min(2 * count, _MOST_BLOCKS - looked)
        if count <= 0:
            return Stretch(await _rows_at(connection, places), (reached, END_OF_BLOCK))


async def _next_blocks(
    connection: AsyncConnection, wanted: Wanted, first: int, count: int
) -> tuple[list[int], int | None]:
    """The next blocks that name the rarest group, and up to where all were found; None: to the end."""
    best: list[int] = []
    for at, group in enumerate(wanted.groups):
        stretches = [
            select(_NUMBER)
            .where(condition, _NUMBER.between(first, wanted.last))
            .distinct()
            .order_by(_NUMBER)
            .limit(count)
            .subquery()
            for condition in group.conditions
        ]
        query = union(*(select(stretch.c.block_number) for stretch in stretches)).order_by("block_number").limit(count)
        found = list((await connection.execute(query)).scalars())
        if len(found) < count:
            return found, None
        if at == 0 or found[-1] > best[-1]:
            best = found
    return best, best[-1]


async def _places(connection: AsyncConnection, groups: Sequence[AnyOf], numbers: Sequence[int]) -> list[Place]:
    """Where rows name every group within these blocks."""
    remaining = list(numbers)
    places: set[Place] | None = None
    for group in groups:
        found = await _places_of(connection, group, remaining)
        places = found if places is None else places & found
        remaining = sorted({block for block, _ in places})
    return sorted(places or ())


async def _places_of(connection: AsyncConnection, group: AnyOf, numbers: Sequence[int]) -> set[Place]:
    found: set[Place] = set()
    for at in range(0, len(numbers), _KEYS):
        query = select(_NUMBER, history_subjects.c.logs).where(group.condition, _NUMBER.in_(numbers[at : at + _KEYS]))
        for number, logs in await connection.execute(query):
            found.update((number, int(log)) for log in logs.split(","))
    return found


async def _rows_at(connection: AsyncConnection, places: Sequence[Place]) -> list[HistoryRow]:
    """Joined to a table of the places: of `(block, log) IN` a list SQLite makes a scan of the whole history."""
    rows: list[HistoryRow] = []
    for at in range(0, len(places), _KEYS):
        listed = ",".join(f"({block:d},{log:d})" for block, log in places[at : at + _KEYS])
        rows += await _fetched(connection, text(_AT_PLACES.format(listed)))
    return rows


async def _fetched(connection: AsyncConnection, query: Select[Any] | TextClause) -> list[HistoryRow]:
    return [HistoryRow._make(row) for row in await connection.execute(query)]
