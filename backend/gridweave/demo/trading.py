"""Orders of a day: sent slot by slot or as schedules, thought over again, refused where money is missing."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass

from gridweave.client import Offer
from gridweave.demo import moments as told
from gridweave.demo.founding import House
from gridweave.demo.life import Life
from gridweave.demo.strategy import Quote
from gridweave.domain.orders import Cancel, Order, Side

__all__ = ["Trading"]

_PAY_LIFE_S = 600
_ARREAR = "InArrears"
_NO_MONEY = frozenset({_ARREAR, "AvailableTooSmall"})


@dataclass
class Trading:
    """Every home's orders. All methods give ids by which to see that what was sent is on chain."""

    life: Life
    _pays_in: int | None = None

    def schedule(self) -> list[str]:
        """Homes that sign their day at once: one signature and one transaction each."""
        sent = []
        for house in self.life.place.houses:
            if not house.plan.is_scheduled:
                continue
            offers = [
                self._offer(house, slot, quote) for slot in range(self.life.slots) if (quote := self._wish(house, slot))
            ]
            sent.append(house.person.schedule(offers, self.life.deadline(self.life.first)).item.id)
            self.life.lived["schedules signed"] += 1
            self.life.lived["orders in schedules"] += len(offers)
        if sent:
            lines = self.life.lived["orders in schedules"]
            self.life.diary.tell(0, "schedule", told.at_once(len(sent), lines))
        return sent

    def trade(self, slot_of_day: int) -> list[str]:
        """The other homes' orders for the slot, relayed together. Ids by which to see that all is on chain."""
        wishes = [
            (house, self._wish(house, slot_of_day)) for house in self.life.place.houses if not house.plan.is_scheduled
        ]
        placed = [(house, quote, self._order(house, slot_of_day, quote)) for house, quote in wishes if quote]
        acts = [(house, act) for house, quote, _ in placed if (act := self._second_thought(house, slot_of_day, quote))]
        replaced = [(house, act) for house, act in acts if isinstance(act, Order)]
        cancelled = [(house, act) for house, act in acts if isinstance(act, Cancel)]
        self._overreach(slot_of_day)
        return [
            *self._send_orders("orders placed", slot_of_day, [(house, order) for house, _, order in placed]),
            *self._send_orders("orders replaced", slot_of_day, replaced),
            *self._send_cancels(cancelled),
        ]

    def _send_orders(self, name: str, slot_of_day: int, orders: Sequence[tuple[House, Order]]) -> list[str]:
        if not orders:
            return []
        signed = [house.trader.sign_order(order) for house, order in orders]
        items = self.life.waiter.client.post_orders(signed)
        for (house, _), item in zip(orders, items, strict=True):
            if item.error:
                house.resident.withdraw(slot_of_day)
                self._refused(house, slot_of_day, item.error.name)
            elif house.trader is not house.person:
                self.life.lived["orders signed by the aggregator"] += 1
                self.life.diary.tell_once(slot_of_day, "delegate", "", told.delegated(house.name))
        return self.life.taken(name, items)

    def _send_cancels(self, cancels: Sequence[tuple[House, Cancel]]) -> list[str]:
        signed = [house.trader.sign_cancel(cancel) for house, cancel in cancels]
        return self.life.taken("orders cancelled", self.life.waiter.client.post_cancels(signed) if signed else [])

    def _overreach(self, slot_of_day: int) -> None:
        """Once, the aggregator's key bids more than its delegation allows."""
        delegated = [house for house in self.life.place.houses if house.trader is not house.person]
        if slot_of_day != self.life.mishaps.overreached or not delegated:
            return
        house, terms = delegated[0], self.life.place.terms
        order = self._order(house, slot_of_day, Quote(Side.BID, terms.min_energy_wh, terms.retail_price))
        items = self.life.waiter.client.post_orders([house.trader.sign_order(order)])
        self.life.taken("orders beyond a delegation", items)
        for item in items:
            if item.error:
                self.life.diary.tell(slot_of_day, "refused", told.overreached(house.name, item.error.name))

    def _wish(self, house: House, slot_of_day: int) -> Quote | None:
        return house.resident.quote(slot_of_day, self.life.place.terms)

    def _offer(self, house: House, slot_of_day: int, quote: Quote) -> Offer:
        return Offer(house.meter, self.life.first + slot_of_day, quote.side, quote.energy_wh, quote.limit_price)

    def _order(self, house: House, slot_of_day: int, quote: Quote) -> Order:
        offer = self._offer(house, slot_of_day, quote)
        return house.trader.next_order(offer, self.life.deadline(offer.slot))

    def _second_thought(self, house: House, slot_of_day: int, quote: Quote) -> Order | Cancel | None:
        """Some homes replace their order with a later forecast, some take it back."""
        draw = random.Random(f"{self.life.seed}:again:{house.name}:{slot_of_day}").randrange(100)
        if draw < self.life.mishaps.cancel_percent:
            slot = self.life.first + slot_of_day
            house.resident.withdraw(slot_of_day)
            return house.trader.next_cancel(house.meter, slot, self.life.deadline(slot))
        if draw >= self.life.mishaps.cancel_percent + self.life.mishaps.replace_percent:
            return None
        return self._order(house, slot_of_day, house.resident.again(slot_of_day, quote, self.life.place.terms))

    def _refused(self, house: House, slot_of_day: int, error: str) -> None:
        """An order was refused; where money is missing, its owner hears of the arrear and pays in some slots later."""
        if error in _NO_MONEY:
            self.life.diary.tell_once(slot_of_day, "arrear", error, told.no_money(house.name, error))
        if error == _ARREAR and self._pays_in is None:
            self._pays_in = slot_of_day + self.life.mishaps.pays_after

    def pay_in(self, slot_of_day: int) -> list[str]:
        if self.life.mishaps.poor is None or slot_of_day != self._pays_in:
            return []
        house = self.life.place.houses[self.life.mishaps.poor]
        owed = int(self.life.waiter.client.account(house.person.address)["arrearMicro"])
        item = house.person.deposit(house.plan.reserve_micro, self.life.waiter.clock.now() + _PAY_LIFE_S)
        self.life.lived["arrears paid"] += owed > 0
        self.life.diary.tell(slot_of_day, "paid", told.paid_in(house.name, owed, house.plan.reserve_micro))
        return [item.id]
