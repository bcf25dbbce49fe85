"""The market replayed: calls on the auction through the domain's own book, and the events that each must leave."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Hashable, Sequence
from contextlib import suppress
from dataclasses import replace

from gridweave.audit.calls import (
    Cancelling,
    ChangingMarket,
    ClearingSlot,
    Collecting,
    CreatingMarket,
    Defaulting,
    Delegating,
    Placing,
    Releasing,
    Settling,
)
from gridweave.audit.consent import Consent
from gridweave.audit.findings import Findings
from gridweave.audit.matching import Expected
from gridweave.audit.memory import BoundedLedger, RingedMarket
from gridweave.audit.money import Money
from gridweave.audit.proofs import Proofs
from gridweave.audit.report import Checked
from gridweave.audit.signed import SharedConsent
from gridweave.audit.wording import Wording
from gridweave.audit.words import CANCEL_BYTES, SIDE_AT, cancel_of, order_of, reading_of
from gridweave.chain import events as chain
from gridweave.chain.events import Event
from gridweave.domain import outcomes as made
from gridweave.domain.errors import CancelMalformed, DomainError, EnergyTooSmall, OrderMeterUnknown, SideNotAllowed
from gridweave.domain.orders import Cancel, CancelSchedule, Order, Schedule, Side
from gridweave.domain.outcomes import Outcome, Reason
from gridweave.domain.slots import SlotClock

__all__ = ["Trade"]

Judge = Callable[[Order | Cancel, bytes | None, Event | None], bool]
"""Whether an item with that signature, which ended in that event, is its account's."""


class Trade:
    """Replays one EnergyAuction and its MeterLedger on the money of one Vault. Raises what the rules raise."""

    def __init__(
        self,
        clock: SlotClock,
        money: Money,
        addresses: dict[str, str],
        proofs: Proofs,
        consent: Consent,
        findings: Findings,
    ) -> None:
        self.book = RingedMarket(clock, money, addresses["EnergyAuction"])
        self.readings = BoundedLedger(clock)
        self.book.ledger = self.readings
        self._money, self._consent, self._findings = money, consent, findings
        self._proofs = proofs
        self._wording = Wording(addresses["EnergyAuction"], addresses["MeterLedger"], proofs.order_digest)
        self._auction = addresses["EnergyAuction"]

    # markets

    def create_market(self, call: CreatingMarket, now: int) -> list[Expected]:
        """Opens a market."""
        market = self.book.create_market(call.terms, now)
        terms = replace(call.terms, from_slot=self.book.clock.slot_at(now))
        return [Expected(chain.MarketCreated, self._auction, {"market": market, "version": 1, "terms": terms})]

    def change_market(self, call: ChangingMarket, now: int) -> list[Expected]:
        """Changes a market's terms."""
        version = self.book.change_market(call.market, call.terms, now)
        said = {"market": call.market, "version": version, "terms": call.terms}
        return [Expected(chain.MarketChanged, self._auction, said)]

    def delegate(self, call: Delegating) -> list[Expected]:
        """Takes what an account lets a delegate say."""
        self.book.delegations.set(call.account, call.delegate, call.meters, call.scope)
        said = {"account": call.account, "delegate": call.delegate, "meters": call.meters, **vars(call.scope)}
        return [Expected(chain.DelegationSet, self._auction, said)]

    # orders

    def place(self, call: Placing, now: int, said: Sequence[Event]) -> list[Expected]:
        """Places a batch, each order judged with its signature or that of its schedule."""
        endings = _Endings(said)
        judge = self._judge_each(now)
        if call.shared:
            orders_of = Schedule(call.shared.account, tuple(order_of(item.word) for item in call.items))
            judge = self._judge_lines(orders_of, call.shared, now)
        orders: list[Order] = []
        signed: list[bool] = []
        outcomes: list[Outcome] = []
        for item in call.items:
            order = order_of(item.word)
            if item.word[SIDE_AT] in (Side.BID, Side.ASK):
                orders.append(order)
                signed.append(judge(order, item.signature, endings.next(self._proofs.order_digest(order))))
            else:
                outcomes.append(self._refuse_side(order, now))
        self._count_replacements(orders)
        outcomes += self.book.place(orders, now, signed)
        return self._say(outcomes)

    def _refuse_side(self, order: Order, now: int) -> Outcome:
        """An order of no side is refused for its slot, if that takes none, before it is for its side."""
        (refused,) = self.book.place([replace(order, side=Side.BID, energy_wh=0)], now)
        return made.OrderRefused(order, _earlier(refused, EnergyTooSmall) or SideNotAllowed)

    def _refuse_bits(self, cancel: Cancel, now: int) -> Outcome:
        """A cancel with bits that nobody signs is refused for its slot or its time, if those refuse it, before that."""
        (refused,) = self.book.cancel([replace(cancel, meter=0)], now)
        return made.OrderRefused(cancel, _earlier(refused, OrderMeterUnknown) or CancelMalformed)

    def _count_replacements(self, orders: Sequence[Order]) -> None:
        for order in orders:
            with suppress(DomainError):
                if self.book.slot_book(order.market, order.slot).line(order.meter).energy_wh:
                    self._findings.count(Checked.REPLACEMENTS)

    def cancel(self, call: Cancelling, now: int, said: Sequence[Event]) -> list[Expected]:
        """Cancels a batch, each judged likewise."""
        endings = _Endings(said)
        judge = self._judge_each(now)
        if call.shared:
            cancels_of = CancelSchedule(call.shared.account, tuple(cancel_of(item.word) for item in call.items))
            judge = self._judge_lines(cancels_of, call.shared, now)
        cancels: list[Cancel] = []
        signed: list[bool] = []
        outcomes: list[Outcome] = []
        for item in call.items:
            cancel = cancel_of(item.word)
            if any(item.word[CANCEL_BYTES:]):
                outcomes.append(self._refuse_bits(cancel, now))
                continue
            cancels.append(cancel)
            signed.append(judge(cancel, item.signature, endings.next(self._proofs.order_digest(cancel))))
        return self._say(outcomes + self.book.cancel(cancels, now, signed))

    def _judge_each(self, now: int) -> Judge:
        """Of items with signatures of their own."""
        return lambda item, signature, ending: self._consent.is_signed(item, signature, ending, now)

    def _judge_lines(self, schedule: Schedule | CancelSchedule, shared: SharedConsent, now: int) -> Judge:
        """Of the lines of a schedule."""
        signer = self._consent.signer_of(schedule, shared)
        return lambda item, _, ending: self._consent.is_line(item, shared, signer, ending, now)

    # clearing and settlement

    def clear(self, call: ClearingSlot, now: int) -> list[Expected]:
        """Finds a slot's price."""
        return self._say(self.book.clear(call.market, call.slot, now))

    def settle(self, call: Settling, now: int, said: Sequence[Event]) -> list[Expected]:
        """Records and pays readings, each with its device's signature."""
        as_of = self.book.terms_of(call.market, call.slot).gate(call.slot, self.book.clock) - 1
        endings = _Endings(said)
        readings = [reading_of(item.word) for item in call.items]
        faults = [
            self._consent.fault_of(reading, item.signature, as_of, endings.next((reading.meter, reading.version)))
            for reading, item in zip(readings, call.items, strict=True)
        ]
        return self._say(self.book.settle(call.market, call.slot, readings, now, faults))

    def settle_by_default(self, call: Defaulting, now: int) -> list[Expected]:
        """Settles silent meters."""
        return self._say(self.book.settle_by_default(call.market, call.slot, call.meters, now))

    def release(self, call: Releasing, now: int) -> list[Expected]:
        """Frees what was not filled."""
        return self._say(self.book.release(call.market, call.slot, call.meters, now))

    def collect(self, call: Collecting, now: int) -> list[Expected]:
        """Pays a due."""
        if call.market is not None:
            self.book.collect(call.market, call.creditor, now)
        elif call.debtor is not None:
            self._money.collect(call.debtor, call.creditor, now)
        return self._say([])

    # words

    def _say(self, outcomes: Sequence[Outcome]) -> list[Expected]:
        """Everything due: the auction's and ledger's events, and the Vault's."""
        return [self._wording.event(outcome) for outcome in outcomes] + self._money.take()


def _earlier(refused: Outcome, own: Reason) -> Reason | None:
    """Why it was refused, if not for the fault of its `own` that it was given."""
    reason = refused.reason if isinstance(refused, made.OrderRefused) else own
    return None if reason is own else reason


class _Endings:
    """How the items of one batch ended, each by the next event of its digest, or of its reading's meter and version.

    One order may stand in a batch twice, once forged: the contract tells of both, in their order.
    """

    def __init__(self, said: Sequence[Event]) -> None:
        self._waiting: dict[Hashable, list[Event]] = defaultdict(list)
        for event in said:
            match event:
                case chain.Placed() | chain.Cancelled() | chain.OrderRefused():
                    self._waiting[event.digest].append(event)
                case chain.ReadingRefused():
                    self._waiting[event.meter, event.version].append(event)
                case chain.ReadingRecorded():
                    reading = reading_of(event.reading)
                    self._waiting[reading.meter, reading.version].append(event)
                case _:
                    pass

    def next(self, key: Hashable) -> Event | None:
        """The ending of the next item of that key; None if the node shows none."""
        waiting = self._waiting[key]
        return waiting.pop(0) if waiting else None
