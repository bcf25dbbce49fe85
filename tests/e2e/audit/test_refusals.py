"""Acts that change nothing, where one rule could be taken for another: the audit foresees them as the contract does."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from gridweave.audit import audit
from gridweave.chain import Role
from gridweave.chain.events import OrderRefused, Placed, Settled, decode_logs
from gridweave.domain.errors import CancelMalformed, GateClosed, OrderExpired, WrongSigner
from gridweave.domain.orders import Cancel, Order, Side
from gridweave.domain.slots import RING
from gridweave.localnet import Clock, localnet

from .conftest import GENESIS
from .street import FAR, SLOT, Street, open_street

pytestmark = pytest.mark.chain


def malformed(street: Street, slot: int, deadline: int = FAR) -> tuple[bytes, bytes, bytes]:
    """A cancel with a bit set that nobody signs."""
    word, r, vs = street.sign_word(
        "EnergyAuction", Cancel(street.market, slot, street.homes[0].meter, 1, deadline), street.homes[0].party.secret
    )
    return word[:31] + b"\x01", r, vs


async def test_audit__cancels_that_are_malformed_and_late__are_refused_as_the_contract_does(tmp_path: Path) -> None:
    async with localnet(tmp_path / "c", clock=Clock.MANUAL, genesis_time=GENESIS, snapshot_seconds=3_600) as chain:
        street = await open_street(chain)
        now = street.time // SLOT
        cancels = [malformed(street, now), malformed(street, now + 3, deadline=1), malformed(street, now + 3)]
        receipt = await street.send(street.contracts.auction.cancel(cancels))
        reasons = [event.reason for event in decode_logs(receipt.logs) if isinstance(event, OrderRefused)]
        assert reasons == [GateClosed.selector(), OrderExpired.selector(), CancelMalformed.selector()]
        assert (await audit(street.node, street.book)).differences == []


async def test_audit__an_order_refused_a_turn_later__leaves_the_old_slot_its_place(tmp_path: Path) -> None:
    """A silent meter of the old slot may still be settled: a place of the ring passes on with an order that counts."""
    async with localnet(tmp_path / "c", clock=Clock.MANUAL, genesis_time=GENESIS, snapshot_seconds=3_600) as chain:
        street = await open_street(chain)
        one, two, three, _ = street.homes
        old = street.time // SLOT + 3
        await street.place(street.ask(one, old, 500, 120_000), street.bid(two, old, 500, 200_000))
        await street.settle(
            old, street.reading(one, old, 0, 500), street.reading(two, old, 500, 0), at=(old + 1) * SLOT
        )
        refused = Order(street.market, old + RING, one.meter, 1, FAR, Side.ASK, 100, 120_000)
        stranger = street.sign_word("EnergyAuction", refused, two.party.secret)
        receipt = await street.place(stranger, at=(old + RING - 190) * SLOT)
        assert [e.reason for e in decode_logs(receipt.logs) if isinstance(e, OrderRefused)] == [WrongSigner.selector()]
        receipt = await street.send(street.contracts.auction.settle_by_default(street.market, old, [three.meter]))
        assert [e.meter for e in decode_logs(receipt.logs) if isinstance(e, Settled)] == [three.meter]
        assert (await audit(street.node, street.book)).differences == []
        counted = replace(refused, version=2)
        await street.place(street.sign_word("EnergyAuction", counted, one.party.secret))
        assert (await audit(street.node, street.book)).differences == []


async def test_audit__the_same_item_forged_and_then_signed__takes_each_for_what_it_was(tmp_path: Path) -> None:
    """Whoever relays a batch may put a forgery before the real thing: the first is refused, the second counts."""
    async with localnet(tmp_path / "c", clock=Clock.MANUAL, genesis_time=GENESIS, snapshot_seconds=3_600) as chain:
        street = await open_street(chain)
        one, two, *_ = street.homes
        slot = street.time // SLOT + 3
        signed = street.ask(one, slot, 500, 120_000)
        forged = signed[0], *street.bid(two, slot, 500, 200_000)[1:]
        receipt = await street.place(forged, signed)
        assert [type(e) for e in decode_logs(receipt.logs) if isinstance(e, Placed | OrderRefused)] == [
            OrderRefused,
            Placed,
        ]
        right = street.reading(one, slot, 0, 500)
        wrong = street.reading(one, slot, 0, 500, key=two.key)
        receipt = await street.settle(slot, wrong, right, at=(slot + 1) * SLOT)
        assert [e.reading_version for e in decode_logs(receipt.logs) if isinstance(e, Settled)] == [1]
        assert (await audit(street.node, street.book)).differences == []
        assert (await audit(street.node, street.book, since=await street.node.block_number())).differences == []


async def test_audit__a_proof_while_the_auction_may_take_no_collateral__is_noted_as_the_contract_does(
    tmp_path: Path,
) -> None:
    async with localnet(tmp_path / "c", clock=Clock.MANUAL, genesis_time=GENESIS, snapshot_seconds=3_600) as chain:
        street = await open_street(chain)
        one, auction = street.homes[0], street.contracts.auction
        slot = street.time // SLOT + 3
        await street.send(street.contracts.authority.revoke_role(Role.MODULE, auction.address), street.admin)
        proofs = street.ask(one, slot, 500, 120_000), street.ask(one, slot, 5, 120_000)
        receipts = [await street.send(street.contracts.bond.prove_refusal(proof)) for proof in proofs]
        noted = [[type(event).__name__ for event in decode_logs(receipt.logs)] for receipt in receipts]
        assert noted == [["RefusalProved"], ["RefusalProved"]]
        assert (await audit(street.node, street.book)).differences == []
