"""The market as a pure state machine: orders, clearing, settlement, release and close, on a VaultBook.

The same calls with the same inputs give the same accounts, pots, debts and outcomes as EnergyAuction, MeterLedger and
Vault together. A call that raises has changed nothing. `now` is chain time in seconds and never runs backwards.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial

from gridweave.domain.batch import SettlementBatch
from gridweave.domain.clearing import NO_TICK
from gridweave.domain.delegations import DelegationBook
from gridweave.domain.errors import (
    AlreadyCleared,
    AlreadySettled,
    BatchTooLarge,
    BeyondHorizon,
    DomainError,
    EnergyAboveCapacity,
    EnergyTooLarge,
    EnergyTooSmall,
    GateClosed,
    GateNotClosed,
    MarketUnknown,
    NotCleared,
    NothingToRelease,
    OrderExpired,
    OrderRefusal,
    ReadingDeadlineNotPassed,
    ReadingTooEarly,
    ReadingTooLate,
    RingBusy,
    SlotForgotten,
    UnknownMarket,
    UtilityInArrears,
    WrongSigner,
)
from gridweave.domain.ladder import LEAF_LIMIT_WH
from gridweave.domain.ledger import LedgerBook, Stored
from gridweave.domain.orders import Cancel, Order, position_reference
from gridweave.domain.outcomes import (
    NO_PRICE,
    Cancelled,
    Cleared,
    OrderRefused,
    Outcome,
    Placed,
    ReadingRecorded,
    ReadingRefused,
    Reason,
    Released,
    SettlementRefused,
    SlotClosed,
)
from gridweave.domain.readings import Reading
from gridweave.domain.registry import MeterBook
from gridweave.domain.slotbook import NO_LINE, SlotBook
from gridweave.domain.slots import HORIZON, SlotClock, ring_index
from gridweave.domain.terms import MarketTerms
from gridweave.domain.vault import VaultBook
from gridweave.domain.versions import MarketVersions

MAX_BATCH = 256
"""Items of one call."""


class MarketBook:
    """All markets of one auction, whose pot in the vault is `module`'s."""

    def __init__(self, clock: SlotClock, vault: VaultBook, module: str) -> None:
        self.clock = clock
        self.vault = vault
        self.module = module
        self.meters = MeterBook(clock)
        self.ledger = LedgerBook(clock)
        self.delegations = DelegationBook()
        self._versions = MarketVersions(clock, vault.hold_length)
        self._slots: dict[tuple[int, int], SlotBook] = {}

    # markets

    @property
    def market_count(self) -> int:
        """Markets are numbered from 1 up to this."""
        return self._versions.count

    def create_market(self, terms: MarketTerms, now: int) -> int:
        """Opens the next market, in force from the current slot on; returns its number. Raises TermsNotAllowed."""
        return self._versions.create(terms, now)

    def change_market(self, market: int, terms: MarketTerms, now: int) -> int:
        """Changes a market from `terms.from_slot` on; returns the version. Raises TermsNotAllowed, UnknownMarket."""
        return self._versions.change(market, terms, now)

    def terms_of(self, market: int, slot: int) -> MarketTerms:
        """The terms in force in the slot. Raises UnknownMarket."""
        return self._versions.at(market, slot)

    def slot_book(self, market: int, slot: int) -> SlotBook:
        """A slot's books, new ones for a slot without any. Raises UnknownMarket, SlotForgotten, RingBusy."""
        terms = self.terms_of(market, slot)
        found = self._slots.get((market, ring_index(slot)))
        if found and found.slot == slot:
            return found
        if found and found.slot > slot:
            raise SlotForgotten
        if found and found.live:
            raise RingBusy
        return SlotBook(slot, terms)

    def last_version_of(self, meter: int, slot: int) -> tuple[int, int]:
        """(version, when it was taken) of the newest order or cancel there; zeros for none, or none any more."""
        registered = self.meters.get(meter)
        found = self._slots.get((registered[0].market, ring_index(slot))) if registered else None
        line = found.line(meter) if found and found.slot == slot else NO_LINE
        return line.version, line.taken_at

    # place and cancel

    def place(self, orders: Sequence[Order], now: int, signed: Sequence[bool] | None = None) -> list[Outcome]:
        """Places or replaces orders; each ends in Placed or OrderRefused. Raises BatchTooLarge.

        `signed` says of each whether its signature is its meter's account's; None: of all.
        """
        return self._commit(orders, now, signed)

    def cancel(self, cancels: Sequence[Cancel], now: int, signed: Sequence[bool] | None = None) -> list[Outcome]:
        """Stores each version with energy 0 and frees its collateral; each ends in Cancelled or OrderRefused.

        Raises BatchTooLarge. `signed` as in `place`.
        """
        return self._commit(cancels, now, signed)

    def _commit(self, items: Sequence[Order | Cancel], now: int, signed: Sequence[bool] | None) -> list[Outcome]:
        _bounded(items)
        standing = {place: self._slots.get(place) for place in {(i.market, ring_index(i.slot)) for i in items}}
        staged = [
            _reason(partial(self._stage, item, now, consent))
            for item, consent in zip(items, signed or [True] * len(items), strict=True)
        ]
        locks = [None if reason else self._due(item) for item, reason in zip(items, staged, strict=True)]
        reasons = [
            reason if amount is None else _reason(partial(self._lock, item, amount, now))
            for item, reason, amount in zip(items, staged, locks, strict=True)
        ]
        outcomes = [self._finish(*outcome) for outcome in zip(items, reasons, locks, strict=True)]
        for place, before in standing.items():
            self._yield_place(place, before)
        return outcomes

    def _yield_place(self, place: tuple[int, int], before: SlotBook | None) -> None:
        """A slot takes a place of the ring with the first item that counts: one that is refused leaves it as it was."""
        book = self._slots.get(place)
        if book is None or book is before or book.book.lines:
            return
        if before is None:
            del self._slots[place]
        else:
            self._slots[place] = before

    def _stage(self, item: Order | Cancel, now: int, signed: bool) -> None:
        book = self._taking(item, now)
        tick = order_tick(book.terms, item) if isinstance(item, Order) else 0
        fault = self.meters.fault(item.market, item.slot, item.meter)
        if fault:
            raise fault
        if isinstance(item, Order) and not self.meters.meter(item.meter).may_order(item, self.clock.length):
            raise EnergyAboveCapacity
        if not signed:
            raise WrongSigner
        if isinstance(item, Order):
            book.book.stage(item.meter, item.version, item.side, tick, item.energy_wh, now)
        else:
            book.book.stage_cancel(item.meter, item.version, now)

    def _due(self, item: Order | Cancel) -> int:
        """What the item puts down beyond the order that it replaces, micro."""
        book = self.slot_book(item.market, item.slot)
        before = book.line(item.meter)
        freed = book.collateral(before, before.energy_wh)
        if isinstance(item, Cancel):
            return -freed
        return book.terms.collateral(item.side, item.limit_price, item.energy_wh) - freed

    def _lock(self, item: Order | Cancel, amount: int, now: int) -> None:
        account = self.meters.meter(item.meter).account
        self.vault.lock(self.module, account, amount, now, item.position())

    def _finish(self, item: Order | Cancel, reason: Reason | None, amount: int | None) -> Outcome:
        """Ends an item that was staged if `amount` is not None, and is paid for if `reason` is."""
        if amount is None:
            return OrderRefused(item, reason or OrderRefusal)
        book = self.slot_book(item.market, item.slot)
        if reason:
            book.book.revoke(item.meter)
            return OrderRefused(item, reason)
        before = book.line(item.meter)
        if before.side:
            book.open_wh[before.side] -= before.energy_wh
        book.book.confirm(item.meter)
        book.pot += amount
        if isinstance(item, Cancel):
            return Cancelled(item)
        book.open_wh[item.side] += item.energy_wh
        return Placed(item)

    def _taking(self, item: Order | Cancel, now: int) -> SlotBook:
        """The books of a slot that takes orders now, in their place of the ring while the batch lasts."""
        try:
            terms = self.terms_of(item.market, item.slot)
        except UnknownMarket:
            raise MarketUnknown from None
        if now >= terms.gate(item.slot, self.clock):
            raise GateClosed
        if item.slot > self.clock.slot_at(now) + HORIZON:
            raise BeyondHorizon
        book = self.slot_book(item.market, item.slot)
        if isinstance(item, Order) and self.vault.account(terms.utility, now).arrear:
            raise UtilityInArrears
        self._slots[item.market, ring_index(item.slot)] = book
        if now > item.deadline:
            raise OrderExpired
        return book

    # clear

    def clear(self, market: int, slot: int, now: int) -> list[Outcome]:
        """Finds the slot's price. Raises UnknownMarket, SlotForgotten, RingBusy, AlreadyCleared, GateNotClosed."""
        book = self.slot_book(market, slot)
        if book.clearing:
            raise AlreadyCleared(market, slot)
        return self._clear(market, book, now)

    def _clear(self, market: int, book: SlotBook, now: int) -> list[Outcome]:
        terms, slot = book.terms, book.slot
        gate = terms.gate(slot, self.clock)
        if now < gate:
            raise GateNotClosed(slot, gate)
        self._slots[market, ring_index(slot)] = book
        found = book.clear()
        low, high = (
            NO_PRICE if tick == NO_TICK else terms.tick_price(tick) for tick in (found.low_tick, found.high_tick)
        )
        cleared = Cleared(
            market,
            slot,
            found.traded,
            book.price,
            low,
            high,
            found.volume_wh,
            found.long_side,
            found.shared_wh,
            found.long_wh,
        )
        return [cleared, SlotClosed(market, slot, 0, 0, 0)] if book.closed else [cleared]

    # settle

    def settle(
        self,
        market: int,
        slot: int,
        readings: Sequence[Reading],
        now: int,
        inauthentic: Sequence[Reason | None] | None = None,
    ) -> list[Outcome]:
        """Records readings and pays them; clears the slot first if nobody has.

        `inauthentic` says of each reading why its device cannot have signed it; None: of none. Raises BatchTooLarge,
        UnknownMarket, SlotForgotten, RingBusy, ReadingTooEarly, ReadingTooLate.
        """
        _bounded(readings)
        book = self.slot_book(market, slot)
        if now < self.clock.end(slot):
            raise ReadingTooEarly(slot, self.clock.end(slot))
        if now >= book.terms.correction_end(slot, self.clock):
            raise ReadingTooLate(slot, book.terms.correction_end(slot, self.clock))
        outcomes = [] if book.clearing else self._clear(market, book, now)
        recorded: list[tuple[Reading, Stored]] = []
        for reading, reason in zip(readings, inauthentic or [None] * len(readings), strict=True):
            outcomes.append(self._record(market, slot, reading, reason, recorded))
        batch = SettlementBatch(market, book)
        settled = [batch.settle_reading(self.meters.meter(r.meter), r, before) for r, before in recorded]
        return [*outcomes, *settled, *self._conclude(batch, book, now)]

    def _record(
        self,
        market: int,
        slot: int,
        reading: Reading,
        inauthentic: Reason | None,
        recorded: list[tuple[Reading, Stored]],
    ) -> Outcome:
        reason = self.ledger.fault(market, slot, reading, self.meters.get(reading.meter)) or inauthentic
        if reason:
            return ReadingRefused(reading, reason)
        try:
            recorded.append((reading, self.ledger.store(reading)))
        except DomainError as refusal:
            return ReadingRefused(reading, type(refusal))
        return ReadingRecorded(reading)

    def settle_by_default(self, market: int, slot: int, meters: Sequence[int], now: int) -> list[Outcome]:
        """Settles silent meters; each ends in Settled or SettlementRefused.

        Raises BatchTooLarge, UnknownMarket, SlotForgotten, RingBusy, NotCleared, ReadingDeadlineNotPassed.
        """
        _bounded(meters)
        book = self._cleared(market, slot)
        deadline = book.terms.reading_deadline(slot, self.clock)
        if now < deadline:
            raise ReadingDeadlineNotPassed(slot, deadline)
        outcomes: list[Outcome] = []
        batch = SettlementBatch(market, book)
        for meter in meters:
            reason = self.meters.silence_fault(market, slot, meter) or self._settled_fault(book, meter)
            if reason:
                outcomes.append(SettlementRefused(meter, slot, reason))
            else:
                book.defaulted.add(meter)
                outcomes.append(batch.settle_silent(meter, self.meters.meter(meter)))
        return [*outcomes, *self._conclude(batch, book, now)]

    def release(self, market: int, slot: int, meters: Sequence[int], now: int) -> list[Outcome]:
        """Frees the collateral of what was not filled; each ends in Released or SettlementRefused.

        Raises BatchTooLarge, UnknownMarket, SlotForgotten, RingBusy, NotCleared.
        """
        _bounded(meters)
        book = self._cleared(market, slot)
        outcomes: list[Outcome] = []
        freed: list[tuple[int, int]] = []
        batch = SettlementBatch(market, book)
        for meter in meters:
            reason = self.meters.fault(market, slot, meter) or self._release_fault(book, meter)
            if reason:
                outcomes.append(SettlementRefused(meter, slot, reason))
                continue
            from_pot, advance = book.release(meter)
            batch.advance(meter, self.meters.meter(meter), advance)
            freed.append((meter, from_pot))
            outcomes.append(Released(meter, slot, from_pot + advance))
        for meter, amount in freed:
            ref = position_reference(market, slot, meter, book.line(meter).version)
            self.vault.lock(self.module, self.meters.meter(meter).account, -amount, now, ref)
        return [*outcomes, *self._conclude(batch, book, now)]

    def collect(self, market: int, creditor: str, now: int) -> int:
        """Pays `creditor` what the market's utility owes it, as far as it can; returns that. Raises UnknownMarket."""
        return self.vault.collect(self.terms_of(market, self.clock.slot_at(now)).utility, creditor, now)

    def _conclude(self, batch: SettlementBatch, book: SlotBook, now: int) -> list[Outcome]:
        settlement, outcomes = batch.conclude(book.terms.correction_end(book.slot, self.clock))
        if settlement:
            self.vault.settle(self.module, settlement, now)
        return outcomes

    def _cleared(self, market: int, slot: int) -> SlotBook:
        book = self.slot_book(market, slot)
        if not book.clearing:
            raise NotCleared(market, slot)
        return book

    def _settled_fault(self, book: SlotBook, meter: int) -> Reason | None:
        settled = meter in book.defaulted or self.ledger.reading(meter, book.slot).version
        return AlreadySettled if settled else None

    def _release_fault(self, book: SlotBook, meter: int) -> Reason | None:
        fault = self._settled_fault(book, meter)
        if fault:
            return fault
        position = book.position(meter)
        done = position.released or position.filled_wh == position.line.energy_wh
        return NothingToRelease if done else None


def _bounded(items: Sequence[object]) -> None:
    if len(items) > MAX_BATCH:
        raise BatchTooLarge(len(items), MAX_BATCH)


def _reason(act: Callable[[], None]) -> Reason | None:
    try:
        act()
    except OrderRefusal as refusal:
        return type(refusal)
    return None


def order_tick(terms: MarketTerms, order: Order) -> int:
    """Where the order stands in its ladder. Raises EnergyTooSmall, EnergyTooLarge, PriceOffGrid."""
    if order.energy_wh < terms.min_energy_wh:
        raise EnergyTooSmall
    if order.energy_wh >= LEAF_LIMIT_WH:
        raise EnergyTooLarge
    return terms.tick(order.side, order.limit_price)
