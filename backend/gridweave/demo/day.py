"""A day, quarter hour by quarter hour.

At each step chain time stands a minute into slot s - 2. Then, for slot s, whose gate closes when s - 1 begins:

    s - 3 has ended        its meters sign and send their readings, and are paid in the same transaction
    s - 1 passed its gate  anyone may clear it; here the service's keeper does
    s is open              homes sign orders; some think again and replace or cancel theirs

Every home signs for itself or lets an aggregator's key; a gateway relays what they signed, all homes in one request.
Not everything goes well: one meter is cut off for hours and sends what it kept when it is back, one never reports a
few slots, some readings are corrected, an account runs empty, the chain throws out blocks. The market's rules answer
each of these without anybody's judgement.
"""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from gridweave.client import Item, Offer, send_together
from gridweave.demo import moments as told
from gridweave.demo.founding import House, Place
from gridweave.demo.mishaps import Mishaps
from gridweave.demo.moments import Diary
from gridweave.demo.profiles import SLOTS
from gridweave.demo.strategy import Quote
from gridweave.demo.waiter import Waiter
from gridweave.domain.orders import Cancel, Order
from gridweave.domain.slots import SlotClock

__all__ = ["Day", "Step"]

_INTO_SLOT_S = 60
_LAST_LOOK_S = 60
_PATIENT_STEPS = 400
_PAY_LIFE_S = 600
_NO_MONEY = frozenset({"InArrears", "AvailableTooSmall"})

Step = Callable[[int, int, int | None], None]
"""Told after each step: steps done, steps in all, the newest price in micro per kWh or None."""


@dataclass
class Day:
    """Lives a place's day. `lived` counts how often each path was taken, `diary` tells what was out of the ordinary."""

    place: Place
    waiter: Waiter
    clock: SlotClock
    seed: int
    mishaps: Mishaps = field(default_factory=Mishaps)
    slots: int = SLOTS
    lived: Counter[str] = field(default_factory=Counter)
    diary: Diary = field(default_factory=Diary)
    _prices: dict[int, int | None] = field(default_factory=dict)
    _pays_in: int | None = None

    @property
    def first(self) -> int:
        """The day's first slot."""
        return self.clock.slot_at(self.place.day.starts_at)

    @property
    def last(self) -> int:
        return self.first + self.slots - 1

    def live(self, tell: Step) -> None:
        """The whole day and its aftermath, until every slot is closed. Raises ServiceError, TimeoutError."""
        aftermath = 3 + self.place.terms.reading_window // self.clock.length + 1
        total = self.slots + aftermath
        for step in range(total):
            began = self.clock.start(self.first + step - 2) + _INTO_SLOT_S
            self.waiter.advance_to(began)
            self._look_at_prices(step)
            under_way = self._measure(step - 3)
            if step == 0:
                under_way += self._schedule()
            if step < self.slots:
                under_way += self._trade(step) + self._pay_in(step)
            self.waiter.until_mined(under_way)
            if step == self.mishaps.reorganised_after:
                self._reorganise(step, began, under_way)
            tell(step + 1, total, self._prices.get(step - 2))
        self._close()

    def settle_devices(self, tell: Callable[[int, int], None]) -> None:
        """Has every device ask what became of its readings, and counts those that are final.

        `tell` is told (devices done, devices in all).
        """
        houses, not_final = self.place.houses, 0
        for done, house in enumerate(houses, start=1):
            not_final += house.agent.follow()
            tell(done, len(houses))
        self.lived["readings refused"] = sum(len(house.agent.rejected()) for house in houses)
        self.lived["readings final"] = self.lived["readings sent"] - not_final - self.lived["readings refused"]
        for house in houses:
            house.agent.close()

    # trading

    def _schedule(self) -> list[str]:
        """Homes that sign their day at once: one signature and one transaction each."""
        sent = []
        for house in self.place.houses:
            if not house.plan.is_scheduled:
                continue
            offers = [
                self._offer(house, slot, quote) for slot in range(self.slots) if (quote := self._wish(house, slot))
            ]
            sent.append(house.person.schedule(offers, self._deadline(self.first)).item.id)
            self.lived["schedules signed"] += 1
            self.lived["orders in schedules"] += len(offers)
        if sent:
            lines = self.lived["orders in schedules"]
            self.diary.tell(
                0,
                "schedule",
                told.at_once(len(sent), lines),
            )
        return sent

    def _trade(self, slot_of_day: int) -> list[str]:
        """The other homes' orders for the slot, relayed together. Ids by which to see that all is on chain."""
        wishes = [(house, self._wish(house, slot_of_day)) for house in self.place.houses if not house.plan.is_scheduled]
        placed = [(house, quote, self._order(house, slot_of_day, quote)) for house, quote in wishes if quote]
        acts = [(house, act) for house, quote, _ in placed if (act := self._second_thought(house, slot_of_day, quote))]
        replaced = [(house, act) for house, act in acts if isinstance(act, Order)]
        cancelled = [(house, act) for house, act in acts if isinstance(act, Cancel)]
        return [
            *self._send_orders("orders placed", slot_of_day, [(house, order) for house, _, order in placed]),
            *self._send_orders("orders replaced", slot_of_day, replaced),
            *self._send_cancels(cancelled),
        ]

    def _send_orders(self, name: str, slot_of_day: int, orders: Sequence[tuple[House, Order]]) -> list[str]:
        if not orders:
            return []
        signed = [house.trader.sign_order(order) for house, order in orders]
        items = self.waiter.client.post_orders(signed)
        for (house, _), item in zip(orders, items, strict=True):
            if item.error:
                house.resident.withdraw(slot_of_day)
                self._refused(house, slot_of_day, item.error.name)
            elif house.trader is not house.person:
                self.lived["orders signed by the aggregator"] += 1
                self.diary.tell_once(
                    slot_of_day,
                    "delegate",
                    "",
                    told.delegated(house.name),
                )
        return self._taken(name, items)

    def _send_cancels(self, cancels: Sequence[tuple[House, Cancel]]) -> list[str]:
        signed = [house.trader.sign_cancel(cancel) for house, cancel in cancels]
        return self._taken("orders cancelled", self.waiter.client.post_cancels(signed) if signed else [])

    def _wish(self, house: House, slot_of_day: int) -> Quote | None:
        return house.resident.quote(slot_of_day, self.place.terms)

    def _offer(self, house: House, slot_of_day: int, quote: Quote) -> Offer:
        return Offer(house.meter, self.first + slot_of_day, quote.side, quote.energy_wh, quote.limit_price)

    def _order(self, house: House, slot_of_day: int, quote: Quote) -> Order:
        offer = self._offer(house, slot_of_day, quote)
        return house.trader.next_order(offer, self._deadline(offer.slot))

    def _second_thought(self, house: House, slot_of_day: int, quote: Quote) -> Order | Cancel | None:
        """Some homes replace their order with a later forecast, some take it back."""
        draw = random.Random(f"{self.seed}:again:{house.name}:{slot_of_day}").randrange(100)
        if draw < self.mishaps.cancel_percent:
            slot = self.first + slot_of_day
            house.resident.withdraw(slot_of_day)
            return house.trader.next_cancel(house.meter, slot, self._deadline(slot))
        if draw >= self.mishaps.cancel_percent + self.mishaps.replace_percent:
            return None
        return self._order(house, slot_of_day, house.resident.again(slot_of_day, quote, self.place.terms))

    def _deadline(self, slot: int) -> int:
        """The gate, less a little: a later order could not be placed anyway."""
        return self.place.terms.gate(slot, self.clock) - _LAST_LOOK_S

    def _taken(self, name: str, items: Sequence[Item]) -> list[str]:
        """Counts answers; the last accepted id, for what was sent together is committed together."""
        for item in items:
            self.lived[f"refused: {item.error.name}" if item.error else name] += 1
        return [item.id for item in items if not item.error][-1:]

    # money that runs out

    def _refused(self, house: House, slot_of_day: int, error: str) -> None:
        """An order was refused; where money is missing, its owner hears of it and pays in some slots later."""
        if error in _NO_MONEY:
            self.diary.tell_once(slot_of_day, "arrear", error, told.no_money(house.name, error))
            if self._pays_in is None:
                self._pays_in = slot_of_day + self.mishaps.pays_after

    def _pay_in(self, slot_of_day: int) -> list[str]:
        if self.mishaps.poor is None or slot_of_day != self._pays_in:
            return []
        house = self.place.houses[self.mishaps.poor]
        owed = int(self.waiter.client.account(house.person.address)["arrearMicro"])
        item = house.person.deposit(house.plan.reserve_micro, self.waiter.clock.now() + _PAY_LIFE_S)
        self.lived["arrears paid"] += owed > 0
        self.diary.tell(
            slot_of_day,
            "paid",
            told.paid_in(house.name, owed, house.plan.reserve_micro),
        )
        return [item.id]

    # measuring

    def _measure(self, slot_of_day: int) -> list[str]:
        """Meters report the slot that has just ended, and what else they have to send."""
        for place, house in enumerate(self.place.houses):
            if 0 <= slot_of_day < self.slots:
                self._sign(place, house, slot_of_day)
            self._correct(place, house, slot_of_day - self.mishaps.noticed_after_slots)
        houses = self.place.houses
        online = [house.agent for place, house in enumerate(houses) if self._is_online(place, slot_of_day)]
        sent = send_together(self.waiter.client, online)
        late = [reading for reading in sent if self._is_late(reading.slot)]
        self.lived["readings sent"] += len(sent)
        self.lived["readings late"] += len(late)
        if late:
            name = houses[self.mishaps.cut_off].name
            self.diary.tell(
                slot_of_day,
                "late",
                told.late(name, len(late)),
            )
        return [reading.digest for reading in sent][-1:]

    def _sign(self, place: int, house: House, slot_of_day: int) -> None:
        drawn, given = house.resident.live(slot_of_day, self._prices.get(slot_of_day), self.place.terms)
        house.metered[slot_of_day] = drawn, given
        if place == self.mishaps.silent and slot_of_day in self.mishaps.silent_slots:
            self.lived["readings never sent"] += 1
            self.diary.tell_once(
                slot_of_day,
                "silent",
                house.name,
                told.silent(house.name),
            )
            return
        if (place, slot_of_day) in self.mishaps.misread:
            drawn, given = drawn * 9 // 10, given * 9 // 10
        house.agent.record(self.first + slot_of_day, drawn, given)

    def _correct(self, place: int, house: House, slot_of_day: int) -> None:
        if (place, slot_of_day) not in self.mishaps.misread or slot_of_day not in house.metered:
            return
        drawn, given = house.metered[slot_of_day]
        versions = [(drawn, given)]
        if (place, slot_of_day) in self.mishaps.misread_twice:
            versions.insert(0, (drawn + 10, given))
        for version in versions:
            house.agent.correct(self.first + slot_of_day, *version)
        self.lived["readings corrected"] += len(versions)
        self.diary.tell(
            slot_of_day + self.mishaps.noticed_after_slots,
            "correction",
            told.corrected(house.name, len(versions)),
        )

    def _is_online(self, place: int, slot_of_day: int) -> bool:
        return place != self.mishaps.cut_off or slot_of_day not in self.mishaps.cut_off_slots

    def _is_late(self, slot: int) -> bool:
        return self.waiter.clock.now() >= self.place.terms.reading_deadline(slot, self.clock)

    # a chain that changes its mind

    def _reorganise(self, slot_of_day: int, since: int, taken: Sequence[str]) -> None:
        """Throws out all blocks of this step, and waits until what was acknowledged is on chain again by itself."""
        blocks = self.waiter.clock.reorganise(since)
        self.lived["blocks thrown out"] += blocks
        again = self.waiter.until_mined(taken)
        self.diary.tell(
            slot_of_day,
            "reorg",
            told.reorganised(blocks, len(again)),
        )

    # the end of each slot

    def _look_at_prices(self, step: int) -> None:
        """Remembers the price of the slot whose gate has passed, and of the one before, which may have come late."""
        newest = min(step, self.slots) - 1
        if newest < 0 or step > self.slots + 1:
            return
        oldest = max(newest - 2, 0)
        for line in self.waiter.client.prices(self.place.market, self.first + oldest, self.first + newest):
            price = line.get("priceMicroPerKwh")
            self._prices[int(line["slot"]) - self.first] = None if price is None else int(price)

    def _close(self) -> None:
        """Lets time pass until the keeper has settled what was silent and every slot is closed."""
        slots = range(self.first, self.last + 1)
        for _ in range(_PATIENT_STEPS):
            open_slot = next((slot for slot in slots if not self._is_closed(slot)), None)
            if open_slot is None:
                return
            slots = range(open_slot, self.last + 1)
            self.waiter.pass_time()
        raise TimeoutError(f"slot {slots[0]} does not close")

    def _is_closed(self, slot: int) -> bool:
        return bool(self.waiter.client.slot(self.place.market, slot)["status"] == "closed")
