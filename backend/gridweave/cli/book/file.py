"""A book of orders as a file states it, and every reason why it cannot be cleared as it stands.

The file is JSON: {"tick": "0.01", "gridFee": "0", "bids": [{"kWh": "1.5", "price": "0.21", "id": "x"}], "asks": [...]}.
Numbers are decimal strings (a bare JSON number counts as it is written), prices per kWh; a bid's price is all-in, grid
fee included, an ask's is net.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

from gridweave.domain.errors import NumberMalformed
from gridweave.domain.ladder import LEAF_LIMIT_WH, TICKS_PER_GROUP
from gridweave.domain.orders import Side
from gridweave.domain.terms import MOST_TICKS
from gridweave.domain.units import format_price, parse_energy_wh, parse_price_micro

__all__ = ["BookFile", "BookNotClearable", "Grid", "Problem", "Row", "parse_book"]

_LARGEST_TICK = (1 << 32) - 1
_LARGEST_PRICE = (1 << 40) - 1


@dataclass(frozen=True)
class Row:
    """One order: `place` is its index in its list, `energy_wh` Wh, `net_price` micro per kWh less the fee for a bid."""

    side: Side
    place: int
    id: str | None
    energy_wh: int
    net_price: int

    @property
    def name(self) -> str:
        return _name(self.side, self.place)


@dataclass(frozen=True)
class Grid:
    """The price grid that fits a book: `low` + k x `tick`, k < `count`, micro per kWh."""

    low: int
    tick: int
    count: int

    @property
    def high(self) -> int:
        return self.low + (self.count - 1) * self.tick


@dataclass(frozen=True)
class BookFile:
    """A book that the contract can clear."""

    grid: Grid
    fee: int
    bids: tuple[Row, ...]
    asks: tuple[Row, ...]

    @property
    def rows(self) -> tuple[Row, ...]:
        """Bids, then asks, each in the file's order."""
        return self.bids + self.asks


@dataclass(frozen=True)
class Problem:
    """What is wrong with one row ("bids[3]") or with a field of the file ("tick")."""

    row: str
    id: str | None
    problem: str

    def __str__(self) -> str:
        return f"{self.row}{f' ({self.id})' if self.id else ''}: {self.problem}"


class BookNotClearable(Exception):
    """The file as a whole is refused; `problems` lists every offending row."""

    def __init__(self, problems: Iterable[Problem]) -> None:
        self.problems = tuple(problems)
        super().__init__("\n".join(str(problem) for problem in self.problems))


def parse_book(text: str) -> BookFile:
    """The book in a file's text. Raises BookNotClearable with all problems found, never only the first."""
    raw = _document(text)
    problems: list[Problem] = []
    tick = _header(raw, "tick", problems)
    fee = _header(raw, "gridFee", problems)
    if tick is not None and not 0 < tick <= _LARGEST_TICK:
        problems.append(Problem("tick", None, "a tick is above 0 and below 4294.967296"))
    if tick and fee is not None and fee % tick:
        problems.append(Problem("gridFee", None, f"the fee is no multiple of the tick {format_price(tick)}"))
    sides = {side: _entries(raw, _list_name(side), problems) for side in (Side.BID, Side.ASK)}
    if problems or not tick or fee is None:
        raise BookNotClearable(problems)
    rows = [row for side, entries in sides.items() for row in _rows(side, entries, tick, fee, problems)]
    if problems:
        raise BookNotClearable(problems)
    grid = _grid(rows, tick)
    problems += _crowded(rows, grid)
    if problems:
        raise BookNotClearable(problems)
    bids, asks = (tuple(row for row in rows if row.side is side) for side in (Side.BID, Side.ASK))
    return BookFile(grid, fee, bids, asks)


def _document(text: str) -> dict[str, Any]:
    try:
        raw = json.loads(text, parse_int=str, parse_float=str)
    except (ValueError, RecursionError) as fault:
        raise BookNotClearable([Problem("file", None, f"it is no JSON: {fault}")]) from fault
    if not isinstance(raw, dict):
        raise BookNotClearable([Problem("file", None, "it is no JSON object with tick, gridFee, bids and asks")])
    return raw


def _header(raw: dict[str, Any], name: str, problems: list[Problem]) -> int | None:
    if name not in raw:
        problems.append(Problem(name, None, "it is missing"))
        return None
    return _number(parse_price_micro, raw[name], Problem(name, None, ""), problems)


def _entries(raw: dict[str, Any], name: str, problems: list[Problem]) -> list[Any]:
    entries = raw.get(name)
    if isinstance(entries, list):
        return entries
    problems.append(Problem(name, None, "it is missing" if entries is None else "it is no list"))
    return []


def _rows(side: Side, entries: list[Any], tick: int, fee: int, problems: list[Problem]) -> Iterable[Row]:
    for place, entry in enumerate(entries):
        row = _row(side, place, entry, tick, fee, problems)
        if row is not None:
            yield row


def _row(side: Side, place: int, entry: Any, tick: int, fee: int, problems: list[Problem]) -> Row | None:
    name = _name(side, place)
    if not isinstance(entry, dict) or not {"kWh", "price"} <= entry.keys():
        problems.append(Problem(name, None, "a row has kWh and price"))
        return None
    id_ = None if entry.get("id") is None else str(entry["id"])
    known = len(problems)
    here = Problem(name, id_, "")
    energy_wh = _number(parse_energy_wh, entry["kWh"], here, problems)
    price = _number(parse_price_micro, entry["price"], here, problems)
    if energy_wh is not None and not 0 < energy_wh < LEAF_LIMIT_WH:
        problems.append(Problem(name, id_, f"energy is above 0 and below {LEAF_LIMIT_WH // 1000} kWh"))
    if price is not None:
        problems += [Problem(name, id_, problem) for problem in _price_problems(side, price, tick, fee)]
    if len(problems) > known or energy_wh is None or price is None:
        return None
    return Row(side, place, id_, energy_wh, price - fee if side is Side.BID else price)


def _price_problems(side: Side, price: int, tick: int, fee: int) -> Iterable[str]:
    if price % tick:
        yield f"the price {format_price(price)} is no multiple of the tick {format_price(tick)}"
    if side is Side.BID and price < fee:
        yield f"a bid is all-in: {format_price(price)} does not cover the grid fee {format_price(fee)}"
    if price > _LARGEST_PRICE:
        yield f"the price is above {format_price(_LARGEST_PRICE)}"


def _grid(rows: list[Row], tick: int) -> Grid:
    """The grid from the lowest to the highest net price. Raises BookNotClearable for rows beyond MOST_TICKS."""
    prices = [row.net_price for row in rows] or [0]
    low, count = min(prices), (max(prices) - min(prices)) // tick + 1
    if count <= MOST_TICKS:
        return Grid(low, tick, count)
    limit = low + (MOST_TICKS - 1) * tick
    rule = (
        f"the book spans {count:,} ticks, {MOST_TICKS:,} fit: net of the fee this row lies above {format_price(limit)}"
    )
    raise BookNotClearable(Problem(row.name, row.id, rule) for row in rows if row.net_price > limit)


def _crowded(rows: list[Row], grid: Grid) -> Iterable[Problem]:
    """Rows that the ladder cannot hold: sums of a side over 32 neighbouring ticks stay below LEAF_LIMIT_WH."""
    sums: dict[tuple[Side, int], int] = {}
    for row in rows:
        group = (row.side, (row.net_price - grid.low) // grid.tick // TICKS_PER_GROUP)
        sums[group] = sums.get(group, 0) + row.energy_wh
        if sums[group] >= LEAF_LIMIT_WH:
            limit = LEAF_LIMIT_WH // 1000
            yield Problem(row.name, row.id, f"32 neighbouring ticks hold less than {limit} kWh, this row goes beyond")


def _number(parse: Callable[[str], int], value: Any, here: Problem, problems: list[Problem]) -> int | None:
    text = value if isinstance(value, str) else None
    if text is None:
        problems.append(Problem(here.row, here.id, f"{json.dumps(value)[:40]} is no decimal string"))
        return None
    try:
        return parse(text)
    except NumberMalformed as fault:
        problems.append(Problem(here.row, here.id, f"{json.dumps(text[:40])}: {fault.values['rule']}"))
        return None


def _name(side: Side, place: int) -> str:
    return f"{_list_name(side)}[{place}]"


def _list_name(side: Side) -> str:
    return "bids" if side is Side.BID else "asks"
