"""Orders that another contract relayed: no input to read, yet what the node changes in them is found."""

from __future__ import annotations

import pytest

from gridweave.audit import Checked, Kind, audit
from gridweave.chain.events import Placed, decode_log
from gridweave.chain.types import Log

from .lying import honest, lying_node
from .street import Street
from .test_audit import altered, audit_with, on

pytestmark = [pytest.mark.chain, pytest.mark.asyncio(loop_scope="session")]


async def wrapped_order(street: Street) -> Log:
    """The log of an order that the Authority relayed."""
    async with lying_node(street.chain.url, honest, street.answers) as node:
        for log in await node.logs(0, await node.block_number(), [street.book.addresses["EnergyAuction"]]):
            transaction = await node.transaction(log.transaction_hash)
            assert transaction is not None
            if transaction.to == street.book.addresses["Authority"] and isinstance(decode_log(log), Placed):
                return log
    raise AssertionError("nobody relayed an order")


async def test_audit__given_relayed_orders__counts_what_the_contract_alone_checked(day: Street) -> None:
    report = await audit(day.node, day.book)
    assert report.counts[Checked.BY_CONTRACT_ONLY] >= 2


async def test_audit__when_a_relayed_order_is_altered__names_it(day: Street) -> None:
    log = await wrapped_order(day)
    event = decode_log(log)
    assert isinstance(event, Placed)
    report = await audit_with(day, on(log, lambda entry: [altered(entry, "bytes32", "data", 0)]))
    named = [found for found in report.differences if found.subject.event == "Placed"]
    assert named
    assert named[0].subject.meter == event.meter
    assert named[0].place.block == log.block_number


async def test_audit__when_a_relayed_order_is_dropped__names_its_collateral(day: Street) -> None:
    log = await wrapped_order(day)
    event = decode_log(log)
    assert isinstance(event, Placed)
    report = await audit_with(day, on(log, lambda entry: []))
    found = report.differences[0]
    assert (found.kind, found.subject.event) == (Kind.UNEXPECTED_EVENT, "Locked")
    assert found.subject.meter == event.meter
    assert found.place.transaction == "0x" + log.transaction_hash.hex()
