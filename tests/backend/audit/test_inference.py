from __future__ import annotations

from typing import Any

import pytest

from gridweave.audit.calls import (
    Claiming,
    ClearingSlot,
    Collecting,
    Defaulting,
    Depositing,
    NotingRefusal,
    Placing,
    PostingBond,
    Promise,
    Redeeming,
    Releasing,
    Settling,
    SignedAct,
    SignedWord,
    Unbonding,
    Withdrawing,
)
from gridweave.audit.inference import infer
from gridweave.audit.inputs import UnreadableCall, read_call, selector_of
from gridweave.chain import events as chain
from gridweave.chain.abi import abi_of
from gridweave.domain.orders import Order, Side
from gridweave.domain.readings import Reading

HOME, UTILITY = "0x" + "01" * 20, "0x" + "02" * 20


def event(kind: type[chain.Event], index: int = 0, **values: Any) -> chain.Event:
    place = {
        "contract": "0x" + "aa" * 20,
        "block_number": 1,
        "block_hash": bytes(32),
        "transaction_hash": bytes(32),
        "transaction_index": 0,
        "log_index": index,
    }
    return kind(**place, **values)


def order(meter: int) -> bytes:
    return Order(1, 50, meter, 1, 99, Side.BID, 500, 120_000).pack()


def test_infer__given_orders_in_a_row__is_one_batch_without_signatures() -> None:
    events = [event(chain.Placed, digest=bytes(32), meter=i, slot=50, order=order(i)) for i in (1, 2)]
    assert infer(events, lambda _: 1) == [Placing((SignedWord(order(1), None), SignedWord(order(2), None)))]


def test_infer__given_a_settlement_that_cleared__clears_then_settles_with_the_readings() -> None:
    word = Reading(3, 50, 1, 400, 0).pack()
    price = {
        "traded": True,
        "price": 5,
        "low": 5,
        "high": 5,
        "volume_wh": 1,
        "long_side": 0,
        "shared_wh": 0,
        "long_wh": 0,
    }
    events = [
        event(chain.Cleared, market=7, slot=50, **price),
        event(chain.ReadingRecorded, meter=3, slot=50, reading=word),
        event(chain.Settled, meter=3, slot=50, reading_version=1, bought_wh=0, sold_wh=0, cash=0),
    ]
    assert infer(events, lambda _: 7) == [ClearingSlot(7, 50), Settling(7, 50, (SignedWord(word, None),))]


def test_infer__given_silent_meters_and_releases__keeps_their_batches_apart() -> None:
    settled = {"slot": 50, "reading_version": 0, "bought_wh": 0, "sold_wh": 0, "cash": 0}
    events = [
        event(chain.Settled, meter=3, **settled),
        event(chain.Settled, meter=4, **settled),
        event(chain.Released, meter=5, slot=50, amount=9),
    ]
    assert infer(events, lambda _: 7) == [Defaulting(7, 50, (3, 4)), Releasing(7, 50, (5,))]


def test_infer__given_a_debt_paid_alone__is_a_collection() -> None:
    paid = event(chain.DebtPaid, debtor=UTILITY, creditor=HOME, amount=5, debtor_available=0, creditor_available=5)
    assert infer([paid], lambda _: 1) == [Collecting(None, HOME, UTILITY)]
    deposit = event(chain.Deposited, account=UTILITY, payer=HOME, amount=5, available=0)
    assert infer([paid, deposit], lambda _: 1) == [Depositing(UTILITY, 5, HOME)]


def test_infer__given_a_withdrawal__knows_whose_it_is() -> None:
    events = [event(chain.Withdrawn, account=HOME, to=UTILITY, amount=5, available=0)]
    (call,) = infer(events, lambda _: 1)
    assert isinstance(call, Withdrawing)
    assert call.act is not None
    assert (call.act.signer, call.act.signature, call.to) == (HOME, None, UTILITY)


def batch(*words: bytes, count: int | None = None) -> bytes:
    number = len(words) if count is None else count
    body = b"".join(word + b"\x01" * 64 for word in words)
    return selector_of("EnergyAuction", "place") + (32).to_bytes(32, "big") + number.to_bytes(32, "big") + body


def test_read_call__given_a_batch__gives_words_and_signatures() -> None:
    call = read_call("EnergyAuction", batch(order(1), order(2)))
    assert call == Placing((SignedWord(order(1), b"\x01" * 64), SignedWord(order(2), b"\x01" * 64)))


@pytest.mark.parametrize(
    "data",
    [b"", b"\x00\x01\x02\x03", batch(order(1), count=2), batch(order(1))[:40]],
    ids=["empty", "unknown", "short", "cut"],
)
def test_read_call__given_no_call_of_ours__raises(data: bytes) -> None:
    with pytest.raises(UnreadableCall):
        read_call("EnergyAuction", data)


def test_infer__given_what_a_bond_said__is_what_was_asked_of_it_without_signatures() -> None:
    sponsor, relayer = HOME, UTILITY
    names = {"sponsor": sponsor, "relayer": relayer}
    claimed = {"digest": b"\x01" * 32, "order": order(3), "account": HOME, "amount": 9}
    noted = {"digest": b"\x02" * 32, "meter": 3, "slot": 50, "request": b"\x04" * 32, "signature_hash": b"\x03" * 32}
    events = [
        event(chain.BondPosted, **names, amount=5, bond=5, leaving=0),
        event(chain.BondLeaving, **names, bond=5, leaving=2, redeemable_at=99),
        event(chain.BondRedeemed, **names, amount=2, bond=3),
        event(chain.Compensated, **names, **claimed, bond=3, leaving=0),
        event(chain.RefusalProved, **noted),
    ]
    unseen = SignedAct(sponsor, 0, 0, None)
    assert infer(events, lambda _: 1) == [
        PostingBond(relayer, 5, unseen),
        Unbonding(relayer, None, unseen, 2),
        Redeeming(sponsor, relayer),
        Claiming(order(3), Promise(relayer, sponsor, bytes(32), 0, None)),
        NotingRefusal(**noted),
    ]


def test_read_call__given_a_line_that_the_schedule_has_not__raises() -> None:
    promise = (HOME, UTILITY, bytes(32), 99, bytes(32), bytes(32))
    function = abi_of("RelayerBond").functions["claimLine"]
    good = read_call("RelayerBond", function.encode(HOME, [order(1), order(2)], 1, promise))
    assert good == Claiming(order(2), Promise(HOME, UTILITY, bytes(32), 99, bytes(64)), (HOME, (order(1), order(2))))
    with pytest.raises(UnreadableCall):
        read_call("RelayerBond", function.encode(HOME, [order(1), order(2)], 2, promise))
