"""A market's balance in parts that a service can answer without a pause."""

from __future__ import annotations

from collections.abc import AsyncIterator
from types import SimpleNamespace
from typing import Any

import pytest
import pytest_asyncio

from gridweave.client import GridweaveClient
from gridweave.domain.slots import SlotClock
from gridweave.services import operations
from gridweave.services.operations import MOST_BALANCE_LINES, MOST_BALANCE_SLOTS, balance
from gridweave.services.world import Reads
from gridweave.store.database import Kind
from gridweave.store.index import IndexedBlock, IndexStore
from tests.support import stores
from tests.support.market_terms import make_terms

METERS, SLOTS = 600, 40
FIRST = 1_000


def row(table_row: dict[str, Any], log: int) -> dict[str, Any]:
    return table_row | {"block_number": 1, "log_index": log, "tx_hash": "0x"}


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def world(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Any]:
    """A market in which every meter was settled in every slot: each took what its silence is charged as."""
    database = stores.database(Kind.INDEX, tmp_path_factory.mktemp("index"))
    await database.migrate()
    names = {"device": "0x", "account": "0x", "market": 1, "import_capacity_w": 1, "export_capacity_w": 1}
    meters = [{"meter": n, "scale_wh": 1, "has_mandate": False} | names for n in range(METERS)]
    settled = [
        {"meter": n, "slot": FIRST + at, "reading_version": 0, "bought_wh": 0, "sold_wh": 0, "cash": -1}
        for at in range(SLOTS)
        for n in range(METERS)
    ]
    rows = {"meters": meters, "settlements": settled}
    numbered = {name: [row(entry, log) for log, entry in enumerate(found)] for name, found in rows.items()}
    await IndexStore(database).apply([IndexedBlock(1, "0x01", "0x00", 1)], numbered)
    terms = make_terms()

    class Terms:
        async def at(self, market: int, slot: int) -> Any:
            return terms

        async def versions(self) -> Any:
            return {1: [terms]}

    yield SimpleNamespace(
        reads=Reads.of(database), terms=Terms(), clock=SlotClock(900), heads=SimpleNamespace(time=FIRST * 900)
    )
    await database.close()


@pytest.mark.asyncio(loop_scope="module")
async def test_balance__of_more_settlements_than_one_answer_holds__says_where_to_go_on(world: Any) -> None:
    last = FIRST + MOST_BALANCE_SLOTS - 1
    asked: int | None = FIRST
    seen: list[int] = []
    while asked is not None:
        part = await balance(world, 1, asked, last)
        assert sum(slot["meters"] for slot in part["slots"]) <= MOST_BALANCE_LINES
        assert part["totals"]["importWh"] == len(part["slots"]) * METERS * make_terms().default_wh
        assert part["to"] == (last if part["more"] is None else part["more"] - 1)
        seen += [slot["slot"] for slot in part["slots"]]
        asked = part["more"]
    assert seen == list(range(FIRST, FIRST + SLOTS))


@pytest.mark.asyncio(loop_scope="module")
async def test_balance__of_one_slot_beyond_the_bound__is_answered_alone(
    world: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(operations, "MOST_BALANCE_LINES", 5)
    part = await balance(world, 1, FIRST, FIRST + 9)
    assert ([slot["meters"] for slot in part["slots"]], part["more"]) == ([METERS], FIRST + 1)


def test_client__given_a_balance_in_parts__puts_them_together() -> None:
    class Parts:
        def get(self, path: str, *, from_: int, to: int) -> dict[str, Any]:
            more = from_ + 1 if from_ < to else None
            return {"from": from_, "to": from_, "more": more, "slots": [{"slot": from_}], "totals": {"tradedWh": from_}}

    client = GridweaveClient("http://127.0.0.1:1")
    client._transport = Parts()  # type: ignore[assignment]
    found = client.balance(1, 5, 7)
    assert [slot["slot"] for slot in found["slots"]] == [5, 6, 7]
    assert (found["from"], found["to"], found["more"], found["totals"]) == (5, 7, None, {"tradedWh": 18})
