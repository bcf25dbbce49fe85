"""Demand response on the street: what it moves is carried through the audit's Vault without a difference."""

from __future__ import annotations

from dataclasses import fields
from typing import Any

import pytest

from gridweave.audit import audit
from gridweave.chain.contracts import signed_word
from gridweave.domain.eip712 import digest
from gridweave.domain.flexibility.acts import (
    AssetEnrolment,
    BaselineAgreement,
    ProgrammeOpening,
    ResponseCall,
)
from gridweave.domain.flexibility.day_acts import CalendarOpening, DayPublication
from gridweave.domain.flexibility.terms import ProgrammeTerms
from gridweave.domain.readings import Reading
from gridweave.localnet import Clock, localnet

from .conftest import GENESIS
from .street import EUR, FAR, SLOT, Street, open_street

pytestmark = [pytest.mark.chain, pytest.mark.asyncio(loop_scope="session")]

CONTRACT = "DemandResponse"
FINAL = 64 * SLOT
BASELINE_WH, POWER_W, DELIVERED_WH = 1_000, 2_000, 500
NUMBER = 1 << 16 | 1


def _terms(street: Street, first: int) -> ProgrammeTerms:
    zeros: dict[str, Any] = {field.name: 0 for field in fields(ProgrammeTerms)}
    flags = {"up": False, "firm": True, "kept_by_operator": False, "adjusted": False}
    whom = {"market": street.market, "feeder": 1, "calendar": 1, "payer": street.operator.address}
    shares = {"floor_bps": 10_000, "late_bps": 5_000, "draw_bps": 10_000, "max_events": 2}
    prices = {"min_price": 100_000, "tick_size": 10_000, "tick_count": 8, "shortfall_rate": 300_000}
    caps = {"max_event_slots": 4, "max_day_slots": 8, "max_season_slots": 8, "first_slot": first}
    times = {"notice_lead": 3_600, "opt_out_lead": 900, "reading_window": 3_600, "final_after": FINAL}
    return ProgrammeTerms(**{**zeros, **flags, **whom, **shares, **prices, **caps, **times, "until_slot": first + 96})


async def _prepare(street: Street, first: int) -> None:
    """The operator's money, its calendar, its programme and home 1's enrolment."""
    operator, money = street.operator, street.contracts.currency
    await street.send(money.mint(operator.address, 50 * EUR), street.admin)
    await street.send(money.approve(street.contracts.vault.address, 50 * EUR), operator)
    await street.send(street.contracts.vault.deposit(operator.address, 50 * EUR), operator)
    opening = CalendarOpening("UTC", 0, first - 96, street.nonce(), FAR)
    act = street.act("DayCalendar", opening, operator.secret, operator.address)
    await street.send(street.contracts.calendars.open_calendar(opening, act))
    days = DayPublication(1, 0, bytes([0, 96, 1]) * 4, street.nonce(), FAR)
    act = street.act("DayCalendar", days, operator.secret, operator.address)
    await street.send(street.contracts.calendars.publish_days(days, act))
    programme = ProgrammeOpening(_terms(street, first), street.nonce(), FAR)
    act = street.act(CONTRACT, programme, operator.secret, operator.address)
    await street.send(street.contracts.responses.open_programme(programme, act))
    offer = AssetEnrolment(1, 1, POWER_W, 120_000, BASELINE_WH, 0, 0, 0, 4, 1, FAR)
    home = street.homes[0]
    owner = street.act(CONTRACT, offer, home.party.secret, home.account)
    agreed = BaselineAgreement(1, 1, BASELINE_WH, street.nonce(), FAR)
    agreement = street.act(CONTRACT, agreed, operator.secret, operator.address)
    await street.send(street.contracts.responses.enrol(offer, owner, agreement))


async def _read(street: Street, slot: int, version: int, net_wh: int) -> None:
    home = street.homes[0]
    reading = Reading(home.meter, slot, version, net_wh, 0)
    signature = home.key.sign(digest(street.domain("MeterLedger"), reading))
    word = signed_word(reading.pack(), signature)
    await street.send(street.contracts.auction.settle(street.market, slot, [word]))


async def _live(street: Street) -> None:
    """An event of four slots, settled twice and closed."""
    first = street.time // SLOT + 1
    await _prepare(street, first)
    responses, slot = street.contracts.responses, first + 8
    called = ResponseCall(1, slot, 4, POWER_W, street.nonce(), FAR)
    act = street.act(CONTRACT, called, street.operator.secret, street.operator.address)
    await street.send(responses.announce(called, act))
    await street.send(responses.call_assets(NUMBER, [1]))
    await street.send(responses.dispatch(NUMBER, 1), at=slot * SLOT - 600)
    street.time = (slot + 4) * SLOT
    for each in range(slot, slot + 4):
        await _read(street, each, 1, BASELINE_WH - DELIVERED_WH)
    await street.send(responses.settle(NUMBER, [0]))
    await _read(street, slot, 2, BASELINE_WH)
    await street.send(responses.settle(NUMBER, [0]))
    await street.send(responses.close(NUMBER), at=(slot + 4) * SLOT + FINAL)


async def test_audit__of_an_event__carries_its_money_and_finds_no_difference(tmp_path: Any) -> None:
    async with localnet(tmp_path, clock=Clock.MANUAL, genesis_time=GENESIS, snapshot_seconds=3600) as chain:
        street = await open_street(chain)
        street.time = max(street.time, (await chain.node.block(await chain.node.block_number())).timestamp + 1)
        await _live(street)
        outcome = await street.contracts.responses.commitment_of(NUMBER, 0)
        assert outcome.net_micro == 3 * 60_000 - 150_000
        word = await street.contracts.responses.response_of(NUMBER)
        assert word is not None
        assert word.closed
        enrolment = await street.contracts.responses.enrolment_of(1, 1)
        assert await street.contracts.vault.pot_of(street.book.addresses[CONTRACT]) == enrolment.bond == 4 * 150_000
        report = await audit(chain.node, street.book)
        assert not report.differences, report.differences[:3]
