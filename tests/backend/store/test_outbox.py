"""What the outbox's repository keeps, and what it refuses to keep twice."""

from __future__ import annotations

from dataclasses import replace

import pytest

from gridweave.store.database import Database
from gridweave.store.outbox import OutboxStore
from gridweave.store.records import COMMITTED, MINED, OPEN, REJECTED, Draft, ItemOutcome, NewItem, SignedBytes

pytestmark = pytest.mark.asyncio


def request(number: int, *, nonce: str | None = None, kind: str = "order") -> NewItem:
    return NewItem(
        id="0x" + f"{number:064x}",
        kind=kind,
        nonce_key=nonce or f"position:{number}",
        lanes=(f"meter:{number}",),
        payload={"word": "0x00"},
        commit_before=1_000,
        acknowledgement="0xaa",
        meter=number,
        slot=7,
    )


def signing(name: str) -> SignedBytes:
    return SignedBytes("0x" + name * 32, 0, b"raw", most_fee=10, priority_fee=1, created_at_ms=0)


def draft(nonce: int, *seqs: int) -> Draft:
    return Draft(nonce, "order", "0x", b"", 1, signing("ab"), seqs)


async def test_accept__the_same_request_twice__gives_the_same_item(outbox: OutboxStore) -> None:
    first = await outbox.accept([request(1)])
    again = await outbox.accept([request(1), request(1)])
    assert [a.item for a in again] == [first[0].item] * 2
    assert (first[0].is_new, again[0].is_new) == (True, False)
    assert [i.seq for i in await outbox.queued(10)] == [1]


async def test_accept__another_payload_for_a_used_nonce__names_the_holder(outbox: OutboxStore) -> None:
    await outbox.accept([request(1, nonce="n")])
    later, within = (
        await outbox.accept([request(2, nonce="n"), request(3)]),
        await outbox.accept([request(4, nonce="m"), request(5, nonce="m")]),
    )
    assert later[0].conflict == request(1).id
    assert later[1].item is not None
    assert within[1].conflict == request(4).id


async def test_accept__after_its_nonce_was_freed_by_a_final_rejection__takes_the_new_payload(
    outbox: OutboxStore,
) -> None:
    await outbox.accept([request(1, nonce="n")])
    await outbox.reject([ItemOutcome(1, REJECTED, "PriceOffGrid")])
    await outbox.finalize(5, 1_000)
    assert (await outbox.accept([request(2, nonce="n")]))[0].item is not None


async def test_accept__a_finally_rejected_reading__queues_it_again(outbox: OutboxStore) -> None:
    await outbox.accept([request(1, kind="reading")])
    await outbox.reject([ItemOutcome(1, REJECTED, "DeviceSuspended")])
    await outbox.finalize(5, 1_000)
    again = await outbox.accept([request(1, kind="reading")], revivable={"reading"})
    assert again[0].item is not None
    assert (again[0].item.status, again[0].item.final) == ("accepted", False)


async def test_record_mined__then_reopened__remembers_that_it_was_committed(outbox: OutboxStore) -> None:
    await outbox.accept([request(1), request(2)])
    (batch,) = await outbox.add_batches([draft(0, 1, 2)])
    await outbox.record_mined(
        batch.id, signing("ab").tx_hash, (9, "0xb"), 21_000, [ItemOutcome(1, COMMITTED), ItemOutcome(2, REJECTED, "X")]
    )
    assert [b.state for b in await outbox.batches(OPEN, MINED)] == [MINED]
    await outbox.reopen([batch.id])
    first, second = [(await outbox.item(request(n).id)) for n in (1, 2)]
    assert first is not None and second is not None
    assert (first.status, first.was_committed, first.block_number) == ("accepted", True, None)
    assert (second.status, second.was_committed, second.reason) == ("accepted", False, None)
    assert [b.state for b in await outbox.batches(OPEN, MINED)] == [OPEN]


async def test_relayed__what_arrived_or_was_refused__counts_also_in_another_process(
    outbox: OutboxStore, outbox_database: Database
) -> None:
    places = [(1, 7), (2, 7), (3, 7), (4, 7)]
    assert await outbox.relayed(places, ["order"]) == {}
    await outbox.accept([request(1), request(2), request(3), request(5, kind="reading")])
    (batch,) = await outbox.add_batches([draft(0, 1)])
    await outbox.record_mined(batch.id, signing("ab").tx_hash, (9, "0xb"), 21_000, [ItemOutcome(1, COMMITTED)])
    await outbox.reject([ItemOutcome(2, REJECTED, "GateClosed")])
    for store in (outbox, OutboxStore(outbox_database)):
        assert await store.relayed(places, ["order"]) == {(1, 7): 1, (2, 7): 1}
        assert await store.relayed([(4, 7), (5, 7)], ["order"]) == {}


async def test_relayed__after_old_items_were_forgotten__counts_those_that_are_left(outbox: OutboxStore) -> None:
    await outbox.accept([request(1), request(2)])
    await outbox.reject([ItemOutcome(1, REJECTED, "GateClosed"), ItemOutcome(2, REJECTED, "GateClosed")])
    await outbox.finalize(5, 1_000)
    await outbox.forget(2**52)
    assert await outbox.relayed([(1, 7), (2, 7)], ["order"]) == {}
    await outbox.accept([request(1)])
    await outbox.reject([ItemOutcome(3, REJECTED, "GateClosed")])
    assert await outbox.relayed([(1, 7), (2, 7)], ["order"]) == {(1, 7): 1}


async def test_finalize__a_refusal_whose_deadline_has_not_passed__stays_open(outbox: OutboxStore) -> None:
    await outbox.accept([request(1), replace(request(2), commit_before=2_000)])
    (batch,) = await outbox.add_batches([draft(0, 1, 2)])
    refusals = [ItemOutcome(1, REJECTED, "X"), ItemOutcome(2, REJECTED, "X")]
    await outbox.record_mined(batch.id, signing("ab").tx_hash, (9, "0xb"), 1, refusals)
    assert await outbox.finalize(8, 1_500) == 0
    assert await outbox.finalize(9, 1_500) == 1
    assert await outbox.finalize(9, 2_000) == 1


async def test_accept__a_nonce_that_a_rejected_item_held__takes_the_new_payload_and_survives_a_reorg(
    outbox: OutboxStore,
) -> None:
    await outbox.accept([request(1, nonce="n", kind="deposit")])
    (batch,) = await outbox.add_batches([draft(0, 1)])
    await outbox.record_mined(batch.id, signing("ab").tx_hash, (9, "0xb"), 1, [ItemOutcome(1, REJECTED, "X")])
    assert (await outbox.accept([request(2, nonce="n", kind="deposit")]))[0].item is not None
    assert (await outbox.accept([request(3, nonce="n", kind="deposit")]))[0].conflict == request(2).id
    await outbox.reopen([batch.id])
    assert [i.id for i in await outbox.pending()] == [request(1).id, request(2).id]


async def test_finalize__a_refused_act_without_an_end__is_final_with_its_block_and_goes(outbox: OutboxStore) -> None:
    forever = replace(request(1, kind="deposit"), commit_before=2**40 - 1)
    await outbox.accept([forever, replace(request(2, kind="deposit"), commit_before=2**40 - 1)])
    await outbox.reject([ItemOutcome(1, REJECTED, "X", block=9), ItemOutcome(2, REJECTED, "X", block=10)])
    assert await outbox.finalize(8, 1_500, {"deposit"}) == 0
    assert await outbox.finalize(9, 1_500, {"deposit"}) == 1
    assert await outbox.forget(2**60) == 1
    assert await outbox.item(forever.id) is None


async def test_bury__a_batch_whose_nonce_was_taken__queues_its_items_again(outbox: OutboxStore) -> None:
    await outbox.accept([request(1)])
    (batch,) = await outbox.add_batches([draft(4, 1)])
    assert await outbox.queued(10) == []
    await outbox.bury(batch.id)
    assert [i.seq for i in await outbox.queued(10)] == [1]
    assert await outbox.last_nonce() is None
    (again,) = await outbox.add_batches([replace(draft(4, 1), signing=signing("cd"))])
    assert again.nonce == await outbox.last_nonce() == 4


async def test_signed_of__replaced_after_the_wall_clock_went_back__still_gives_the_dearest_last(
    outbox: OutboxStore,
) -> None:
    await outbox.accept([request(1)])
    (batch,) = await outbox.add_batches([replace(draft(0, 1), signing=replace(signing("ab"), created_at_ms=2_000))])
    await outbox.add_signed(batch.id, replace(signing("cd"), most_fee=100, created_at_ms=1_000))
    assert [entry.most_fee for entry in (await outbox.signed_of([batch.id]))[batch.id]] == [10, 100]


async def test_forget__final_items_of_long_ago__leaves_what_is_open(outbox: OutboxStore) -> None:
    await outbox.accept([request(1), request(2)])
    await outbox.reject([ItemOutcome(1, REJECTED, "X")])
    await outbox.finalize(1, 1_000)
    assert await outbox.forget(2**60) == 1
    assert await outbox.item(request(1).id) is None
    assert await outbox.item(request(2).id) is not None
