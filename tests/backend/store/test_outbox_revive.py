"""What was refused for a passing reason can be asked for again while that still helps."""

from __future__ import annotations

from dataclasses import replace

import pytest

from gridweave.outbox.kinds import FINAL_WITH_BLOCK, KEPT, REVIVABLE, Kind
from gridweave.store.outbox import OutboxStore
from gridweave.store.records import ACCEPTED, REJECTED, ItemOutcome

from .test_outbox import draft, request, signing

pytestmark = pytest.mark.asyncio


@pytest.mark.parametrize(
    ("kind", "reason"), [(Kind.DEFAULT, "NotCleared"), (Kind.CLEAR, "GateNotClosed"), (Kind.READING, "MeterUnknown")]
)
async def test_accept__a_revivable_item_refused_in_a_final_block__queues_it_before_its_window_closes(
    outbox: OutboxStore, kind: Kind, reason: str
) -> None:
    week = replace(request(1, kind=kind), commit_before=7 * 86_400)
    await outbox.accept([week], REVIVABLE)
    (batch,) = await outbox.add_batches([draft(0, 1)])
    await outbox.record_mined(batch.id, signing("ab").tx_hash, (9, "0xb"), 1, [ItemOutcome(1, REJECTED, reason)])
    await outbox.finalize(1_000, 6 * 86_400, FINAL_WITH_BLOCK)  # as Tracker._finalize does
    (again,) = await outbox.accept([week], REVIVABLE)
    assert again.item is not None
    assert (again.item.status, again.is_new) == (ACCEPTED, True)


@pytest.mark.parametrize(("kind", "is_new"), [(Kind.DEFAULT, True), (Kind.CLEAR, True), (Kind.READING, False)])
async def test_accept__an_item_refused_in_a_block_that_is_not_final__queues_it_again_for_the_keeper_alone(
    outbox: OutboxStore, kind: Kind, is_new: bool
) -> None:
    item = request(1, kind=kind)
    await outbox.accept([item], REVIVABLE, KEPT)
    (batch,) = await outbox.add_batches([draft(0, 1)])
    await outbox.record_mined(batch.id, signing("ab").tx_hash, (9, "0xb"), 1, [ItemOutcome(1, REJECTED, "NotCleared")])
    (again,) = await outbox.accept([item], REVIVABLE, KEPT)
    assert again.is_new == is_new
    await outbox.reopen([batch.id])
    assert [one.id for one in await outbox.queued(9)] == ([item.id] if is_new else []), "a thrown out batch takes none"
