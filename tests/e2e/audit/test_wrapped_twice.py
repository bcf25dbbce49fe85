"""What one transaction asked through another contract, one call after another, is no single batch."""

from __future__ import annotations

from pathlib import Path

import pytest

from gridweave.audit import audit
from gridweave.chain import Call
from gridweave.localnet import Clock, localnet

from .conftest import GENESIS
from .street import SLOT, Street, open_street

pytestmark = pytest.mark.chain


def relayed(street: Street, *datas: bytes) -> Call:
    """One transaction in which the Authority calls the auction several times: anyone may send it."""
    authority, auction = street.contracts.authority, street.contracts.auction
    return authority.call("multicall", [authority.call("execute", auction.address, data).data for data in datas])


async def test_audit__when_one_transaction_relays_an_order_and_its_replacement__is_clean(tmp_path: Path) -> None:
    async with localnet(tmp_path / "c", clock=Clock.MANUAL, genesis_time=GENESIS, snapshot_seconds=3600) as chain:
        street = await open_street(chain)
        one, auction = street.homes[0], street.contracts.auction
        slot = street.time // SLOT + 3
        first, second = street.ask(one, slot, 500, 120_000), street.ask(one, slot, 600, 120_000)
        await street.send(relayed(street, auction.place([first]).data, auction.place([second]).data))
        report = await audit(street.node, street.book)
        assert report.clean, report.differences


async def test_audit__when_a_relayed_batch_holds_two_versions_of_a_reading__is_clean(tmp_path: Path) -> None:
    async with localnet(tmp_path / "c", clock=Clock.MANUAL, genesis_time=GENESIS, snapshot_seconds=3600) as chain:
        street = await open_street(chain)
        one, auction = street.homes[0], street.contracts.auction
        slot = street.time // SLOT + 1
        batch = [street.reading(one, slot, 0, 300), street.reading(one, slot, 0, 500, version=2)]
        call = auction.settle(street.market, slot, batch)
        await street.send(
            street.contracts.authority.call("execute", auction.address, call.data), street.admin, at=(slot + 1) * SLOT
        )
        report = await audit(street.node, street.book)
        assert report.clean, report.differences


async def test_audit__when_one_transaction_relays_two_settlements__is_clean(tmp_path: Path) -> None:
    async with localnet(tmp_path / "c", clock=Clock.MANUAL, genesis_time=GENESIS, snapshot_seconds=3600) as chain:
        street = await open_street(chain)
        one, two, auction = street.homes[0], street.homes[1], street.contracts.auction
        slot = street.time // SLOT + 1
        calls = [
            auction.settle(street.market, slot, [street.reading(one, slot, 0, 300)]).data,
            auction.settle(street.market, slot, [street.reading(two, slot, 0, 500)]).data,
        ]
        await street.send(relayed(street, *calls), street.admin, at=(slot + 1) * SLOT)
        report = await audit(street.node, street.book)
        assert report.clean, report.differences
