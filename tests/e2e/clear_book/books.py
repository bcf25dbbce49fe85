"""Random books as people would write them, and what the domain makes of them."""

from __future__ import annotations

import json
import random
from typing import Any

from gridweave.cli.book.file import BookFile, parse_book
from gridweave.domain.clearing import Clearing, clear, fill
from gridweave.domain.orders import Side

Json = dict[str, Any]


def random_book(rng: random.Random, size: int) -> Json:
    """A book of `size` orders: crossed or not, with few or many price steps, with or without a fee."""
    tick = rng.choice((1_000, 10_000, 2_500))
    steps = rng.choice((1, 3, 40, 900))
    fee = tick * rng.choice((0, 0, 1, 20))
    low = tick * rng.randrange(0, 200)
    bids = rng.randint(0, size)

    def row(is_bid: bool) -> Json:
        price = low + tick * rng.randrange(steps) + (fee if is_bid else 0)
        return {"kWh": _decimal(rng.randint(1, 9_999), 3), "price": _decimal(price, 6)}

    return {
        "tick": _decimal(tick, 6),
        "gridFee": _decimal(fee, 6),
        "bids": [row(True) for _ in range(bids)],
        "asks": [row(False) for _ in range(size - bids)],
    }


def parsed(book: Json) -> BookFile:
    return parse_book(json.dumps(book))


def cleared_by_domain(book: BookFile) -> tuple[Clearing, list[int], list[int]]:
    """The domain's clearing, and its fills of bids and asks."""
    depths: dict[Side, dict[int, int]] = {Side.BID: {}, Side.ASK: {}}
    for row in book.rows:
        tick = (row.net_price - book.grid.low) // book.grid.tick
        depths[row.side][tick] = depths[row.side].get(tick, 0) + row.energy_wh
    clearing = clear(depths[Side.BID], depths[Side.ASK])
    fills = {
        side: [
            fill(clearing, side, (row.net_price - book.grid.low) // book.grid.tick, row.energy_wh)
            for row in (book.bids if side is Side.BID else book.asks)
        ]
        for side in Side
    }
    return clearing, fills[Side.BID], fills[Side.ASK]


def _decimal(value: int, places: int) -> str:
    return f"{value // 10**places}.{value % 10**places:0{places}d}"
