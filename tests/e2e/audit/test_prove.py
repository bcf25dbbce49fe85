"""A payment found by any of its names, and proved from node and addresses alone."""

from __future__ import annotations

import json

import pytest
from typer.testing import CliRunner

from gridweave.audit import NothingPaid, PaymentUnclear, find_payment
from gridweave.audit.lookup import Lookup
from gridweave.chain import events as chain
from gridweave.chain import to_hex
from gridweave.chain.events import Event
from gridweave.cli import app

from .street import Street
from .test_walk import STATIONS

pytestmark = [pytest.mark.chain, pytest.mark.asyncio(loop_scope="session")]

VAULT, AUCTION, LEDGER = "Vault", "EnergyAuction", "MeterLedger"


async def first(day: Street, contract: str, kind: type[Event]) -> Event:
    head = await day.node.block_number()
    return (await Lookup(day.node, day.book, head).events(contract, kind))[0]


async def run(day: Street, *arguments: str) -> tuple[int, str]:
    import asyncio

    where = ["--rpc", day.chain.url, "--deployment", str(day.chain.home.deployment_file)]
    done = await asyncio.to_thread(CliRunner().invoke, app, ["prove", "payment", *arguments, *where])
    return done.exit_code, done.output


@pytest.mark.parametrize(("contract", "kind"), [(AUCTION, chain.Settled), (LEDGER, chain.ReadingRecorded)])
async def test_find_payment__by_transaction_and_log__is_that_meter_and_slot(
    day: Street, contract: str, kind: type[Event]
) -> None:
    event = await first(day, contract, kind)
    found = await find_payment(day.node, day.book, f"{to_hex(event.transaction_hash)}:{event.log_index}")
    assert found == (event.meter, event.slot)  # type: ignore[attr-defined]


async def test_find_payment__by_the_vault_s_log_or_an_order__is_the_same(day: Street) -> None:
    paid = await first(day, VAULT, chain.Paid)
    meter, slot = await find_payment(day.node, day.book, f"{to_hex(paid.transaction_hash)}:{paid.log_index}")
    settled = await first(day, AUCTION, chain.Settled)
    assert (meter, slot) == (settled.meter, settled.slot)  # type: ignore[attr-defined]
    placed = await first(day, AUCTION, chain.Placed)
    found = await find_payment(day.node, day.book, to_hex(placed.digest))  # type: ignore[attr-defined]
    assert found == (placed.meter, placed.slot)  # type: ignore[attr-defined]
    assert await find_payment(day.node, day.book, f"{meter}:{slot}") == (meter, slot)


async def test_find_payment__what_pays_nobody__is_refused(day: Street) -> None:
    cleared = await first(day, AUCTION, chain.Cleared)
    for unclear in ("yes", "3", "3:", "0x12:3", f"{to_hex(cleared.transaction_hash)}:{cleared.log_index}"):
        with pytest.raises(PaymentUnclear):
            await find_payment(day.node, day.book, unclear)
    for unknown in (f"0x{'11' * 32}:0", f"0x{'11' * 32}"):
        with pytest.raises(NothingPaid):
            await find_payment(day.node, day.book, unknown)


async def test_prove__a_payment__tells_every_step_and_how_to_check_it(day: Street) -> None:
    named = f"{day.homes[0].meter}:{day.first}"
    code, said = await run(day, named)
    assert code == 0, said
    assert all(station in said for station in STATIONS)
    assert said.count("to check: ") == len(STATIONS)
    code, told = await run(day, named, "--json")
    walked = json.loads(told)
    assert (code, walked["holds"]) == (0, True)
    assert [step["title"] for step in walked["steps"]] == STATIONS
    assert all(step["check"] for step in walked["steps"])


async def test_prove__nothing_or_no_payment__exits_2_and_says_why(day: Street) -> None:
    code, said = await run(day, "9999:1")
    assert (code, "NothingPaid" in said) == (2, True)
    code, said = await run(day, "yes")
    assert (code, "PaymentUnclear" in said) == (2, True)
