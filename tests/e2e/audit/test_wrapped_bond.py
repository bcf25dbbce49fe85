"""What another contract asked of the bond: no input to read, yet every rule is applied to what the events say."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from gridweave.audit import Checked, Kind, audit
from gridweave.chain import Call
from gridweave.chain.events import Compensated, Placed, RefusalProved, decode_logs
from gridweave.domain.acts import PostBond, Unbond
from gridweave.domain.bond import unbonding_time
from gridweave.domain.orders import Order
from gridweave.localnet import Clock, localnet

from .conftest import GENESIS
from .promises import SPONSOR, acknowledged
from .street import EUR, FAR, SLOT, Street, open_street
from .test_audit import altered, audit_with, on

pytestmark = pytest.mark.chain


@asynccontextmanager
async def bonded(path: Path) -> AsyncIterator[Street]:
    """A street whose relayer has a bond, posted and partly leaving by way of another contract."""
    async with localnet(path / "c", clock=Clock.MANUAL, genesis_time=GENESIS, snapshot_seconds=3_600) as chain:
        street = await open_street(chain)
        await street.send(street.contracts.vault.deposit(SPONSOR.address, 20 * EUR))
        for amount, kind in ((5 * EUR, PostBond), (EUR, Unbond), (EUR, Unbond)):
            said = kind(SPONSOR.address, street.relayer.address, amount, street.nonce(), FAR)
            act = street.act("RelayerBond", said, SPONSOR.secret, SPONSOR.address)
            ask = street.contracts.bond.post if kind is PostBond else street.contracts.bond.unbond
            await street.send(relayed(street, ask(said.relayer, amount, act)), street.admin)
        yield street


def relayed(street: Street, *calls: Call) -> Call:
    """One transaction in which the Authority makes the calls for the admin."""
    authority = street.contracts.authority
    return authority.call("multicall", [authority.call("execute", call.to, call.data).data for call in calls])


async def test_audit__when_another_contract_asks_the_bond__is_clean(tmp_path: Path) -> None:
    async with bonded(tmp_path) as street:
        one, two, _, four = street.homes
        bond, slot = street.contracts.bond, street.time // SLOT + 4
        gate = slot * SLOT - 300
        left, late = street.ask(one, slot, 500, 120_000), street.ask(two, slot, 400, 120_000)
        promises = acknowledged(street, left, gate), acknowledged(street, late, gate - 60)
        dear, fine = street.bid(four, slot, 60_000, 300_000), street.bid(four, slot + 1, 50, 300_000)
        proofs = await street.send(relayed(street, bond.prove_refusal(dear), bond.prove_refusal(fine)), street.admin)
        assert {type(event) for event in decode_logs(proofs.logs)} >= {RefusalProved, Placed}
        await street.place(late, at=gate - 30)
        claims = [bond.claim(Order.unpack(word[0]), said) for word, said in zip((left, late), promises, strict=True)]
        claimed = await street.send(relayed(street, *claims), street.admin, at=gate)
        assert sum(isinstance(event, Compensated) for event in decode_logs(claimed.logs)) == 2
        later = street.time + unbonding_time(SLOT)
        back = bond.redeem(SPONSOR.address, street.relayer.address)
        await street.send(relayed(street, back), street.admin, at=later)
        report = await audit(street.node, street.book)
        assert [difference.sentence for difference in report.differences] == []
        assert report.counts[Checked.ACKNOWLEDGEMENTS] == 0
        assert report.counts[Checked.BY_CONTRACT_ONLY] >= 6


async def test_audit__when_what_another_contract_asked_is_altered__names_it(tmp_path: Path) -> None:
    async with bonded(tmp_path) as street:
        logs = await street.node.logs(0, await street.node.block_number(), [street.book.addresses["RelayerBond"]])
        post, first, last = [log for log in logs if len(log.topics) == 3]
        report = await audit_with(street, on(post, lambda entry: [altered(entry, "uint256", "data", 0)]))
        assert (Kind.COLLATERAL, "Locked") in {(d.kind, d.subject.event) for d in report.differences}
        assert report.differences[0].place.block == post.block_number
        report = await audit_with(street, on(first, lambda entry: [altered(entry, "uint256", "data", 0)]))
        assert [(d.kind, d.subject.event) for d in report.differences] == [(Kind.BOND, "BondLeaving")]
        # what was asked of the last one shows in what is stored
        report = await audit_with(street, on(last, lambda entry: [altered(entry, "uint256", "data", 1)]))
        assert [d.subject.field for d in report.differences] == ["bondOf.leaving"]


async def test_audit__when_a_claim_by_another_contract_is_invented__finds_the_rule(tmp_path: Path) -> None:
    async with bonded(tmp_path) as street:
        one, slot = street.homes[0], street.time // SLOT + 4
        left = street.ask(one, slot, 500, 120_000)
        promise = acknowledged(street, left, slot * SLOT - 300)
        claim = street.contracts.bond.claim(Order.unpack(left[0]), promise)
        await street.send(relayed(street, claim), street.admin, at=slot * SLOT)
        logs = await street.node.logs(0, await street.node.block_number(), [street.book.addresses["RelayerBond"]])
        (log,) = [log for log in logs if len(log.topics) == 4]
        twice = on(log, lambda entry: [entry, {**entry, "logIndex": hex(log.log_index + 5_000)}])
        report = await audit_with(street, twice)
        found = next(d for d in report.differences if d.kind is Kind.RULE)
        assert "AlreadyCompensated" in found.found
