"""Terms at hand are those of the index."""

from __future__ import annotations

import asyncio
from dataclasses import asdict
from pathlib import Path
from typing import Any

from gridweave.services.terms import TermsBook
from gridweave.store.database import Database, Kind
from gridweave.store.markets import MarketReads
from tests.support.market_terms import make_terms


async def test_versions__read_while_a_block_changes_them__are_not_kept(tmp_path: Path) -> None:
    rows: list[dict[str, Any]] = []
    gate = asyncio.Event()

    class Reads(MarketReads):
        async def terms(self) -> list[dict[str, Any]]:
            found = list(rows)
            await gate.wait()
            return found

    book = TermsBook(Reads(Database(Kind.INDEX, f"sqlite:///{tmp_path}/index.db")))
    asked = asyncio.create_task(book.at(1, 0))
    await asyncio.sleep(0)
    terms = make_terms()
    rows.append({"market": 1, **asdict(terms)})
    book.forget()
    gate.set()
    assert await asked is None
    assert await book.at(1, 0) == terms
