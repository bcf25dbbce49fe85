"""Acts that are being gathered: kept with every signature, one act's apart from another's, swept once of no use."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from sqlalchemy import insert

from gridweave.store.database import Database, Kind
from gridweave.store.outbox_tables import items
from gridweave.store.proposals import Proposal, Proposals, TooManyProposals
from tests.support import stores

ANNA, BEN, CITY = ("0x" + digit * 40 for digit in "abc")


def proposal(number: int, **changes: Any) -> Proposal:
    made = Proposal(
        id=f"0x{number:064x}",
        act="release",
        model=7,
        counter=number,
        message={"model": 7, "deadline": 2**255},
        deadline=2**255,
        proposer=ANNA,
        created_at_ms=number,
        signatures={ANNA: b"\1" * 65},
    )
    return replace(made, **changes)


@pytest_asyncio.fixture
async def database(tmp_path: Path) -> AsyncIterator[Database]:
    found = stores.database(Kind.OUTBOX, tmp_path)
    await found.migrate()
    yield found
    await found.close()


async def test_gather__signature_by_signature__keeps_all_and_of_each_signer_the_newest(database: Database) -> None:
    store, first = Proposals(database), proposal(1)
    assert await store.find(first.id) is None
    assert await store.gather(first, 9) == first
    signed = [replace(first, signatures={who: bytes([n]) * 65}) for n, who in enumerate((BEN, CITY, ANNA), 2)]
    told = await asyncio.gather(*(store.gather(each, 9) for each in signed))
    last = replace(first, signatures={ANNA: b"\4" * 65, BEN: b"\2" * 65, CITY: b"\3" * 65})
    assert last in told
    assert await store.find(first.id) == last, "deadlines of 256 bits among it"
    await store.drop(first.id, [BEN])
    assert set((await store.find(first.id) or first).signatures) == {ANNA, CITY}


async def test_gather__more_of_one_proposer_than_may_be__is_refused_but_not_what_it_has(database: Database) -> None:
    store = Proposals(database)
    for number in (1, 2):
        await store.gather(proposal(number), 2)
    with pytest.raises(TooManyProposals):
        await store.gather(proposal(3), 2)
    assert await store.find(proposal(3).id) is None
    await store.gather(proposal(1, signatures={BEN: b"\2" * 65}), 2)
    await store.gather(proposal(4, proposer=BEN), 2)
    await store.gather(proposal(5, kept=True), 2)
    assert [each.counter for each in await store.of_model(7, 10)] == [4, 2, 1], "newest first, without what stands"
    assert [each.counter for each in await store.of_model(None, 2)] == [4, 2]
    assert await store.of_model(8, 10) == []


async def test_sweep__what_is_late_or_final_elsewhere__is_forgotten_and_nothing_else(database: Database) -> None:
    store = Proposals(database)
    late, kept = proposal(1, deadline=99), proposal(2, deadline=99, kept=True)
    final, open_ = proposal(3, deadline=500), proposal(4, deadline=500)
    for each in (late, kept, final, open_, proposal(5, deadline=100)):
        await store.gather(each, 9)
    for number, (each, is_final) in enumerate(((final, True), (open_, False))):
        row = {"id": each.id, "kind": "firmwareRelease", "lanes": "[]", "payload": "{}", "commit_before": 1}
        row |= {"acknowledgement": "", "created_at_ms": number, "status": "committed", "final": is_final}
        row |= {"was_committed": True, "attempts": 0}
        await database.writing(lambda connection, row=row: connection.execute(insert(items).values(row)))
    await store.sweep(100)
    left = [number for number in range(1, 6) if await store.find(proposal(number).id)]
    assert left == [2, 4, 5]
    await store.sweep(2**60)
    assert [number for number in range(1, 6) if await store.find(proposal(number).id)] == [2]
