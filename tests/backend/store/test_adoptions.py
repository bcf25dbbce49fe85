"""What an outbox that was put back makes of a transaction that it did not know."""

from __future__ import annotations

from dataclasses import replace

import pytest

from gridweave.store.adoptions import Adoptions
from gridweave.store.database import Database
from gridweave.store.outbox import OutboxStore
from gridweave.store.records import COMMITTED, OPEN, ItemOutcome
from tests.backend.store.test_outbox import draft, request, signing

pytestmark = pytest.mark.asyncio


async def test_adopt__the_same_call_with_other_bytes__keeps_the_batch(
    outbox: OutboxStore, outbox_database: Database
) -> None:
    await outbox.accept([request(1)])
    (batch,) = await outbox.add_batches([draft(4, 1)])
    await Adoptions(outbox_database).adopt([replace(draft(4, 1), signing=signing("cd"))])
    assert [known.id for known in await outbox.batches(OPEN)] == [batch.id]
    assert {one.tx_hash for one in (await outbox.signed_of([batch.id]))[batch.id]} == {
        signing("ab").tx_hash,
        signing("cd").tx_hash,
    }


async def test_adopt__another_call_with_the_nonce_of_a_mined_batch__carries_its_own_items_and_queues_the_others_again(
    outbox: OutboxStore, outbox_database: Database
) -> None:
    await outbox.accept([request(1), request(2)])
    (lost,) = await outbox.add_batches([draft(4, 1)])
    await outbox.record_mined(lost.id, signing("ab").tx_hash, (9, "0xb"), 21_000, [ItemOutcome(1, COMMITTED)])
    await Adoptions(outbox_database).adopt([replace(draft(4, 2), data=b"other", signing=signing("cd"))])
    known = OutboxStore(outbox_database)
    (batch,) = await known.batches(OPEN)
    assert (batch.nonce, batch.data) == (4, b"other")
    assert [item.id for item in (await known.items_of([batch.id]))[batch.id]] == [request(2).id]
    assert [item.id for item in await known.queued(10)] == [request(1).id]
