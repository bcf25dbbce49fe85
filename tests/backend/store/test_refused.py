"""What is to be proved to a bond survives a kill, and a reorganisation takes it back."""

from __future__ import annotations

import pytest

from gridweave.store.database import Database
from gridweave.store.outbox import OutboxStore
from gridweave.store.records import COMMITTED, REJECTED, ItemOutcome
from gridweave.store.refused import RefusedItems
from tests.backend.store.test_outbox import draft, request, signing

pytestmark = pytest.mark.asyncio


async def refused(outbox: OutboxStore) -> int:
    """Three items of one batch: one committed, one refused, one refused with a bond behind it. The batch's key."""
    await outbox.accept([request(1), request(2), request(3)])
    (batch,) = await outbox.add_batches([draft(0, 1, 2, 3)])
    outcomes = [ItemOutcome(1, COMMITTED), ItemOutcome(2, REJECTED, "X"), ItemOutcome(3, REJECTED, "X", to_prove=True)]
    await outbox.record_mined(batch.id, signing("ab").tx_hash, (9, "0xb"), 21_000, outcomes)
    return batch.id


async def test_all__after_a_batch_was_mined__holds_what_is_to_be_proved_until_it_is_done(
    outbox: OutboxStore, outbox_database: Database
) -> None:
    await refused(outbox)
    for items in (RefusedItems(outbox_database), RefusedItems(outbox_database)):
        assert [item.seq for item in await items.all()] == [3]
    await items.done([3])
    assert await items.all() == []


async def test_all__after_the_batch_was_thrown_out__holds_nothing(
    outbox: OutboxStore, outbox_database: Database
) -> None:
    await outbox.reopen([await refused(outbox)])
    assert await RefusedItems(outbox_database).all() == []
