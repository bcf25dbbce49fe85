"""Items share transactions as far as the order of dependent acts allows."""

from __future__ import annotations

import random
import sys
from dataclasses import replace
from itertools import count

from gridweave.chain.profile import MAX_TRANSACTION_GAS
from gridweave.outbox.gas_model import GasModel
from gridweave.outbox.kinds import BATCHED, BY_WALLET, Kind
from gridweave.outbox.planner import leave_room, plan
from gridweave.store.records import Item

_seqs = count(1)


def item(kind: Kind, *lanes: str, meter: int | None = None, slot: int = 7, attempts: int = 0) -> Item:
    return Item(
        seq=next(_seqs),
        id="0x",
        kind=kind,
        lanes=lanes,
        payload={},
        commit_before=0,
        acknowledgement="",
        created_at_ms=0,
        status="accepted",
        reason=None,
        reason_args={},
        final=False,
        was_committed=False,
        attempts=attempts,
        batch=None,
        tx_hash=None,
        block_number=None,
        market=1,
        slot=slot,
        meter=meter,
        account=None,
        sponsor=None,
    )


def order(meter: int, slot: int = 7, *lanes: str, attempts: int = 0) -> Item:
    return item(Kind.ORDER, f"meter:{meter}", *lanes, meter=meter, slot=slot, attempts=attempts)


def test_plan__independent_orders__share_one_call() -> None:
    groups = plan([order(n) for n in range(50)], GasModel())
    assert [len(group.items) for group in groups] == [50]


def test_plan__more_than_fit__fill_calls_one_after_the_other() -> None:
    groups = plan([order(n) for n in range(250)], GasModel(most_items=100))
    assert [len(group.items) for group in groups] == [
        GasModel(most_items=100).capacity(Kind.ORDER, 0),
        *[len(group.items) for group in groups[1:]],
    ]
    assert sum(len(group.items) for group in groups) == 250


def test_plan__two_orders_for_one_meter_and_slot__never_share_a_call() -> None:
    first, other, second = order(1), order(2), order(1)
    groups = plan([first, other, second], GasModel())
    assert [[i.seq for i in group.items] for group in groups] == [[first.seq, other.seq], [second.seq]]


def test_plan__an_order_behind_its_deposit__waits_for_it() -> None:
    early, deposit, late = order(1), item(Kind.DEPOSIT, "account:a"), order(2, 7, "account:a")
    groups = plan([early, deposit, late], GasModel())
    assert [group.kind for group in groups] == [Kind.ORDER, Kind.DEPOSIT, Kind.ORDER]


def test_plan__order_cancel_order_of_one_meter__stays_in_that_order() -> None:
    first = order(1)
    cancel = item(Kind.CANCEL, "meter:1", meter=1)
    second = order(1)
    groups = plan([first, cancel, second, order(2)], GasModel())
    assert [group.kind for group in groups] == [Kind.ORDER, Kind.CANCEL, Kind.ORDER]
    assert groups[2].items[0].seq == second.seq


def test_plan__orders_that_wallets_are_asked_about__share_calls_with_each_other_only() -> None:
    items = [order(n) for n in range(20)]
    for n in (3, 4, 11):
        items[n] = replace(items[n], payload={BY_WALLET: True})
    ours, wallets = plan(items, GasModel())
    assert [item.meter for item in wallets.items] == [3, 4, 11]
    assert len(ours.items) == 17


def test_plan__more_wallets_than_fit__fill_calls_that_have_gas_for_each() -> None:
    model = GasModel()
    groups = plan([replace(order(n), payload={BY_WALLET: True}) for n in range(150)], model)
    most = model.capacity(Kind.ORDER, 0, wallets=True)
    assert [len(group.items) for group in groups] == [most, most, 150 - 2 * most]
    assert model.limit(Kind.ORDER, most, wallets=True) - model.limit(Kind.ORDER, most) >= most * 100_000
    assert model.limit(Kind.ORDER, most, wallets=True) <= MAX_TRANSACTION_GAS


def test_plan__readings_of_two_slots__take_a_call_each() -> None:
    readings = [item(Kind.READING, f"meter:{n}", meter=n, slot=slot) for slot in (7, 8) for n in range(3)]
    assert [len(group.items) for group in plan(readings, GasModel())] == [3, 3]


def test_plan__items_of_a_failed_call__come_in_smaller_calls() -> None:
    groups = plan([order(n, attempts=4) for n in range(50)], GasModel())
    most = GasModel().capacity(Kind.ORDER, 4)
    assert most < 10
    assert max(len(group.items) for group in groups) == most


def test_plan__thousands_of_acts_of_one_account__come_behind_everybody_elses_orders() -> None:
    flood = [item(Kind.WITHDRAWAL, "account:a") for _ in range(3_000)]
    own, honest = order(1, 7, "account:a"), [order(n, 7, f"account:{n}") for n in range(2, 50)]
    groups = plan([*flood, own, *honest], GasModel())
    assert [i.seq for i in groups[0].items] == [i.seq for i in honest]
    assert [i.seq for i in groups[-1].items] == [own.seq], "what shares a lane with an earlier act stays behind it"


def test_plan__thousands_of_versions_of_one_position__leave_the_first_call_to_others() -> None:
    burst = [order(1) for _ in range(3_000)]
    honest = [order(n) for n in range(2, 50)]
    groups = plan([*burst, *honest], GasModel())
    assert {i.seq for i in honest} < {i.seq for i in groups[0].items}


def test_leave_room__hundreds_of_proofs_and_schedules__leave_a_quarter_to_orders() -> None:
    flood = [item(Kind.REFUSAL, "proofs:a") for _ in range(300)]
    flood += [item(Kind.SCHEDULE, "account:a", f"meter:{n}") for n in range(300)]
    honest = [order(n, 7, f"account:{n}") for n in range(400, 450)]
    groups = leave_room(plan([*flood, *honest], GasModel()), 16, 12)
    assert [group.kind for group in groups] == [Kind.REFUSAL] * 12 + [Kind.ORDER]
    assert [i.seq for i in groups[-1].items] == [i.seq for i in honest]


def test_leave_room__an_order_behind_what_stays__stays_alone() -> None:
    schedule = item(Kind.SCHEDULE, "account:a")
    own, other = order(1, 7, "account:a"), order(2, 7, "account:b")
    (group,) = leave_room(plan([schedule, own, other], GasModel()), 16, 0)
    assert [i.seq for i in group.items] == [other.seq]


def test_plan__ten_times_the_queue__takes_little_more_than_ten_times_the_steps() -> None:
    """Steps are function calls, which are the same on every machine."""

    def steps(count: int) -> int:
        items = [order(n % 3, attempts=16) for n in range(count)]
        items += [order(n, 7 + n % 40) for n in range(count)]
        taken = 0

        def note(frame: object, event: str, argument: object) -> None:
            nonlocal taken
            taken += event in ("call", "c_call")

        sys.setprofile(note)
        try:
            assert plan(items, GasModel())
        finally:
            sys.setprofile(None)
        return taken

    assert steps(4_000) < 15 * steps(400)


def test_limit__full_calls_of_every_kind__stay_below_the_transaction_cap() -> None:
    for model in (GasModel(), GasModel(p256_in_code=True)):
        for kind in Kind:
            full = model.capacity(kind, 0)
            assert full >= 1
            assert 100_000 < model.limit(kind, full) <= MAX_TRANSACTION_GAS
            if kind in BATCHED:
                assert model.limit(kind, full) > model.limit(kind, 1)


def test_plan__random_items__keep_the_order_within_every_lane(rng: random.Random) -> None:
    for _ in range(200):
        items = [
            item(
                rng.choice((Kind.ORDER, Kind.CANCEL, Kind.DEPOSIT, Kind.READING)),
                f"meter:{rng.randrange(4)}",
                f"account:{rng.randrange(3)}",
                meter=rng.randrange(4),
                slot=rng.randrange(3),
            )
            for _ in range(30)
        ]
        place = {
            i.seq: (at, inner)
            for at, g in enumerate(plan(items, GasModel(most_items=5)))
            for inner, i in enumerate(g.items)
        }
        assert len(place) == len(items)
        for lane in {lane for i in items for lane in i.lanes}:
            places = [place[i.seq] for i in items if lane in i.lanes]
            assert places == sorted(places)
