"""Calls that another contract made: the audit sees what they left, not what they were given.

What the events say is taken as what was asked for. Every rule is applied to it as to a direct call, but signatures were
in the input of a call inside the transaction, where no node shows them: the contract alone checked those.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

from gridweave.audit.calls import (
    Call,
    Cancelling,
    ChangingMarket,
    Claiming,
    ClearingSlot,
    Collecting,
    CreatingMarket,
    Defaulting,
    Delegating,
    Depositing,
    EndingMeter,
    MovingMeter,
    NotingRefusal,
    Placing,
    PostingBond,
    Promise,
    Redeeming,
    RegisteringAsset,
    RegisteringMeter,
    Releasing,
    ReportingStates,
    Settling,
    SignedReport,
    Skimming,
    Unbonding,
    Withdrawing,
)
from gridweave.audit.device_inference import infer_device_calls
from gridweave.audit.firmware_inference import infer_firmware_calls
from gridweave.audit.signed import SignedAct, SignedWord
from gridweave.audit.stream_inference import infer_stream_calls
from gridweave.chain import events as chain
from gridweave.chain.events import Event
from gridweave.domain.acts import AssetKind, AssetStateReport
from gridweave.domain.delegations import Scope
from gridweave.domain.device_outcomes import FOREVER
from gridweave.domain.meters import Meter
from gridweave.domain.readings import Reading

__all__ = ["infer"]


class _Reader:
    """Turns one transaction's events into calls, in the order in which they must have been made."""

    def __init__(self, market_of: Callable[[int], int]) -> None:
        self.calls: list[Call] = []
        self._market_of = market_of
        self._found: dict[int, Call] = {}
        self._readings: dict[tuple[int, int, int], bytes] = {}
        self._same_call = False
        self._begun: dict[int, chain.MeterMoved] = {}
        self._ended: set[int] = set()

    def read(self, events: Sequence[Event]) -> None:
        """Reads all events of a transaction."""
        self._found = {**infer_device_calls(events), **infer_stream_calls(events), **infer_firmware_calls(events)}
        moves = [event for event in events if isinstance(event, chain.MeterMoved)]
        self._begun = {move.begun: move for move in moves}
        self._ended = {move.ended for move in moves}
        for event in events:
            if isinstance(event, chain.ReadingRecorded):
                self._readings[event.meter, event.slot, Reading.unpack(event.reading).version] = event.reading
            elif isinstance(event, chain.Locked | chain.Paid | chain.Balanced):
                self._same_call = False  # the Vault is asked before or after all items of a call
            elif isinstance(event, chain.Settled | chain.Released):
                self._read_settlement(event)
            else:
                self._read_single(event)
        if not any(isinstance(event, _MOVES) for event in events):
            paid = (event for event in events if isinstance(event, chain.DebtPaid))
            self.calls += [Collecting(None, event.creditor, event.debtor) for event in paid]

    def _read_settlement(self, event: chain.Settled | chain.Released) -> None:
        market, slot, meter = self._market_of(event.meter), event.slot, event.meter
        if isinstance(event, chain.Released):
            self._extend(Releasing(market, slot, (meter,)), "meters")
        elif event.reading_version == 0:
            self._extend(Defaulting(market, slot, (meter,)), "meters")
        else:
            unseen = Reading(meter, slot, event.reading_version, 0, 0).pack()
            word = self._readings.pop((meter, slot, event.reading_version), unseen)
            self._extend(Settling(market, slot, (SignedWord(word, None),)), "items")

    def _read_single(self, event: Event) -> None:
        match event:
            case chain.Placed():
                self._extend(Placing((SignedWord(event.order, None),)), "items")
            case chain.Cancelled():
                self._extend(Cancelling((SignedWord(event.cancel, None),)), "items")
            case chain.Cleared():
                self.calls.append(ClearingSlot(event.market, event.slot))
            case chain.MarketCreated():
                self.calls.append(CreatingMarket(event.terms, _UNSEEN, _UNSEEN))
            case chain.MarketChanged():
                self.calls.append(ChangingMarket(event.market, event.terms, _UNSEEN, _UNSEEN))
            case chain.DelegationSet():
                scope = Scope(event.market, event.max_energy_wh, event.lowest_ask, event.highest_bid, event.until)
                act = SignedAct(event.account, 0, 0, None)
                self.calls.append(Delegating(event.account, event.delegate, tuple(event.meters), scope, act))
            case chain.Deposited():
                self.calls.append(Depositing(event.account, event.amount, event.payer))
            case chain.Withdrawn():
                act = SignedAct(event.account, 0, 0, None)
                self.calls.append(Withdrawing(event.to, event.amount, act))
            case chain.Skimmed():
                self.calls.append(Skimming(event.to))
            case _:
                self._read_identity(event)

    def _read_identity(self, event: Event) -> None:
        call = self._found.get(id(event))
        if call is not None:
            self.calls.append(call)
            return
        match event:
            case chain.MeterRegistered():
                moved = self._begun.get(event.meter)
                registration = _registration(event)
                self.calls.append(MovingMeter(registration, moved.from_slot) if moved else registration)
            case chain.MeterEnded() if event.meter not in self._ended:
                self.calls.append(EndingMeter(event.meter, event.until_slot, _UNSEEN))
            case chain.AssetRegistered():
                kind_of = AssetKind(event.kind)
                figures = (event.nameplate_w, event.storage_wh, event.feeder)
                self.calls.append(RegisteringAsset(event.meter, kind_of, *figures, _UNSEEN))
            case chain.AssetStateChanged():
                report = AssetStateReport(event.asset, event.state, event.since, FOREVER)
                self.calls.append(ReportingStates((SignedReport(report, None),), in_batch=False))
            case _:
                self._read_bond(event)

    def _read_bond(self, event: Event) -> None:
        match event:
            case chain.BondPosted():
                self.calls.append(PostingBond(event.relayer, event.amount, SignedAct(event.sponsor, 0, 0, None)))
            case chain.BondLeaving():
                act = SignedAct(event.sponsor, 0, 0, None)
                self.calls.append(Unbonding(event.relayer, None, act, event.leaving))
            case chain.BondRedeemed():
                self.calls.append(Redeeming(event.sponsor, event.relayer))
            case chain.Compensated():
                unseen = Promise(event.relayer, event.sponsor, bytes(32), 0, None)
                self.calls.append(Claiming(event.order, unseen))
            case chain.RefusalProved():
                what = event.digest, event.meter, event.slot
                self.calls.append(NotingRefusal(*what, event.request, event.signature_hash))
            case _:
                pass

    def _extend(self, call: Any, items: str) -> None:
        """One more item of the batch before it, if that is of the same kind and slot; else a batch of its own."""
        last: Any = self.calls[-1] if self.calls else None
        alike = type(last) is type(call) and replace(last, **{items: ()}) == replace(call, **{items: ()})
        if self._same_call and alike and not _repeats(last, call):
            self.calls[-1] = replace(last, **{items: getattr(last, items) + getattr(call, items)})
        else:
            self.calls.append(call)
        self._same_call = True


def _repeats(last: Any, call: Any) -> bool:
    """Whether the item is for a meter and slot that the batch has already: two of one call cannot both be taken."""
    if not isinstance(call, Placing | Cancelling):
        return False
    return any(item.word[4:12] == call.items[0].word[4:12] for item in last.items)


def infer(events: Sequence[Event], market_of: Callable[[int], int]) -> list[Call]:
    """The calls that must have left these events of one transaction. `market_of` gives a meter's market.

    Refused items leave nothing but a digest and a reason, so they are not among the calls.
    """
    reader = _Reader(market_of)
    reader.read(events)
    return reader.calls


def _registration(event: chain.MeterRegistered) -> RegisteringMeter:
    word = Meter.unpack(event.terms.to_bytes(32, "big"))
    mandate = SignedAct(event.account, 0, 0, None if word.mandate else b"")
    return RegisteringMeter(
        event.device,
        event.market,
        event.account,
        word.import_capacity_w,
        word.export_capacity_w,
        word.scale_wh,
        word.mandate,
        _UNSEEN,
        mandate,
    )


_UNSEEN = SignedAct("", 0, 0, None)
_MOVES = (chain.Deposited, chain.Locked, chain.Paid, chain.Balanced)
