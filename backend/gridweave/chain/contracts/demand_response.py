"""Demand response: programmes, enrolment, events and their money. Every call may be sent by anyone."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import astuple
from typing import ClassVar

from gridweave.chain.contracts.acts import NO_ACT, Act
from gridweave.chain.contracts.base import Contract
from gridweave.chain.response_words import EnrolmentWord, EventWords, Outcome
from gridweave.chain.types import Call
from gridweave.domain.flexibility.acts import (
    AssetEnrolment,
    ProgrammeOpening,
    ResponseCall,
    ResponseCancellation,
    ResponseOptOut,
    ResponseRuleEnd,
    ResponseRuleOpening,
)
from gridweave.domain.flexibility.meter_calls import MeterCalls

__all__ = ["DemandResponse"]


class DemandResponse(Contract):
    """Programmes and rules are numbered from 1; an event is its programme << 16 | its number there, from 1."""

    NAME: ClassVar[str] = "DemandResponse"

    async def enrolment_of(self, programme: int, asset: int, block: int | None = None) -> EnrolmentWord:
        """All zeros if the asset never enrolled there."""
        return EnrolmentWord.unpack(await self._result("enrolmentOf", programme, asset, block=block))

    async def response_of(self, number: int, block: int | None = None) -> EventWords | None:
        """None if there is no such event."""
        head, book = await self._results("responseOf", number, block=block)
        return EventWords.unpack(head, book)

    async def commitment_of(self, number: int, index: int, block: int | None = None) -> Outcome:
        """All zeros beyond those called."""
        commitment, outcome = await self._results("commitmentOf", number, index, block=block)
        return Outcome.unpack(commitment, outcome)

    async def calls_of(self, meter: int, block: int | None = None) -> MeterCalls:
        return MeterCalls.unpack(await self._result("callsOf", meter, block=block))

    # programmes and rules

    def open_programme(self, said: ProgrammeOpening, operator: Act) -> Call:
        return self.call("openProgramme", astuple(said.terms), operator.abi())

    def open_rule(self, said: ResponseRuleOpening, payer: Act) -> Call:
        return self.call("openRule", astuple(said.terms), payer.abi())

    def end_rule(self, said: ResponseRuleEnd, payer: Act) -> Call:
        return self.call("endRule", said.rule, payer.abi())

    # enrolment

    def enrol(self, said: AssetEnrolment, owner: Act, operator: Act = NO_ACT) -> Call:
        """`operator` agrees to the baseline in programmes with fixed ones."""
        offer = (
            said.programme,
            said.asset,
            said.committed_w,
            said.ask_price,
            said.fixed_wh,
            said.least_soc_percent,
            said.comfort_from,
            said.comfort_until,
            said.max_slots,
        )
        return self.call("enrol", offer, owner.abi(), operator.abi())

    # events

    def announce(self, said: ResponseCall, payer: Act) -> Call:
        return self.call("announce", said.programme, said.first_slot, said.slots, said.target_w, payer.abi())

    def trigger(self, rule: int, last_slot: int) -> Call:
        return self.call("trigger", rule, last_slot)

    def cancel(self, said: ResponseCancellation, payer: Act) -> Call:
        return self.call("cancel", said.number, payer.abi())

    def draw(self, number: int) -> Call:
        return self.call("draw", number)

    def call_assets(self, number: int, assets: Sequence[int]) -> Call:
        """At most 256."""
        return self.call("call", number, list(assets))

    def opt_out(self, said: ResponseOptOut, owner: Act) -> Call:
        return self.call("optOut", said.number, said.index, owner.abi())

    def dispatch(self, number: int, count: int) -> Call:
        """The next `count` assets, at most 256."""
        return self.call("dispatch", number, count)

    # money

    def settle(self, number: int, indices: Sequence[int]) -> Call:
        """At most 64."""
        return self.call("settle", number, list(indices))

    def close(self, number: int) -> Call:
        return self.call("close", number)
