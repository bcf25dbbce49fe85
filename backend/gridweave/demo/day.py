"""The day itself, quarter hour by quarter hour.

At each step chain time stands a minute into slot s - 2. Then, for slot s, whose gate closes when s - 1 begins:

    s - 3 has ended        its meters sign and send their readings, and are paid in the same transaction
    s - 1 passed its gate  anyone may clear it; here the service's keeper does
    s is open              homes sign orders; some think again and replace or cancel theirs

Every home signs for itself; the street's gateway relays what they signed, all homes in one request. Not everything
goes well: one meter is cut off for hours and sends what it kept when it is back, one never reports a few slots, some
readings are corrected. The market's rules answer each of these without anybody's judgement.
"""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from gridweave.client import Item, Offer, send_together
from gridweave.demo.profiles import SLOTS
from gridweave.demo.strategy import Quote, improved
from gridweave.demo.street import House, Street, Waiter
from gridweave.domain.orders import Cancel, Order
from gridweave.domain.slots import SlotClock

__all__ = ["Day", "Mishaps", "Step"]

_INTO_SLOT_S = 60
_LAST_LOOK_S = 60
_PATIENT_STEPS = 400
_STEPS_PER_PRICE = 2

Step = Callable[[int, int, int | None], None]
"""Told after each step: steps done, steps in all, the newest price in micro per kWh or None."""


@dataclass(frozen=True)
class Mishaps:
    """What goes wrong, by place of the home on the street and slot of the day: the same every day."""

    cut_off: int = 5
    cut_off_slots: range = range(38, 52)
    silent: int = 3
    silent_slots: range = range(56, 59)
    misread: frozenset[tuple[int, int]] = frozenset({(0, 30), (4, 41), (8, 47), (9, 62), (11, 70)})
    misread_twice: frozenset[tuple[int, int]] = frozenset({(9, 62)})
    noticed_after_slots: int = 6
    replace_percent: int = 18
    cancel_percent: int = 4


@dataclass
class Day:
    """Lives `street`'s day. `lived` counts how often each path was taken."""

    street: Street
    waiter: Waiter
    clock: SlotClock
    seed: int
    mishaps: Mishaps = field(default_factory=Mishaps)
    lived: Counter[str] = field(default_factory=Counter)

    @property
    def first(self) -> int:
        """The day's first slot."""
        return self.clock.slot_at(self.street.day.starts_at)

    def live(self, told: Step) -> None:
        """The whole day and its aftermath, until every slot is closed. Raises ServiceError, TimeoutError."""
        aftermath = 3 + self.street.terms.reading_window // self.clock.length + 1
        total = SLOTS + aftermath
        price: int | None = None
        for step in range(total):
            self.waiter.advance_to(self.clock.start(self.first + step - 2) + _INTO_SLOT_S)
            under_way = self._measure(step - 3)
            if step < SLOTS:
                under_way += self._trade(step)
            self.waiter.until_mined(under_way)
            if step % _STEPS_PER_PRICE == 0:
                price = self._newest_price(step)
            told(step + 1, total, price)
        self._close()

    def settle_devices(self, tell: Callable[[int, int], None]) -> None:
        """Has every device ask what became of its readings, and counts those that are final.

        `tell` is told (devices done, devices in all).
        """
        not_final = 0
        for done, house in enumerate(self.street.houses, start=1):
            not_final += house.agent.follow()
            tell(done, len(self.street.houses))
        self.lived["readings refused"] = sum(len(house.agent.rejected()) for house in self.street.houses)
        self.lived["readings final"] = self.lived["readings sent"] - not_final - self.lived["readings refused"]
        for house in self.street.houses:
            house.agent.close()

    # trading

    def _trade(self, slot_of_day: int) -> list[str]:
        """Every home's orders for the slot, relayed together. Ids by which to see that all is on chain."""
        wishes = [(house, self._wish(house, slot_of_day)) for house in self.street.houses]
        placed = [(house, quote, self._order(house, slot_of_day, quote)) for house, quote in wishes if quote]
        acts = [(house, act) for house, quote, _ in placed if (act := self._second_thought(house, slot_of_day, quote))]
        replaced = [(house, act) for house, act in acts if isinstance(act, Order)]
        cancelled = [(house, act) for house, act in acts if isinstance(act, Cancel)]
        client = self.waiter.client
        orders = [house.person.sign_order(order) for house, _, order in placed]
        again = [house.person.sign_order(order) for house, order in replaced]
        cancels = [house.person.sign_cancel(cancel) for house, cancel in cancelled]
        return [
            *self._taken("orders placed", client.post_orders(orders) if orders else []),
            *self._taken("orders replaced", client.post_orders(again) if again else []),
            *self._taken("orders cancelled", client.post_cancels(cancels) if cancels else []),
        ]

    def _wish(self, house: House, slot_of_day: int) -> Quote | None:
        return house.trader.quote(slot_of_day, house.expected.net_wh(slot_of_day), self.street.terms)

    def _order(self, house: House, slot_of_day: int, quote: Quote) -> Order:
        slot = self.first + slot_of_day
        offer = Offer(house.meter, slot, quote.side, quote.energy_wh, quote.limit_price)
        return house.person.next_order(offer, self._deadline(slot))

    def _second_thought(self, house: House, slot_of_day: int, quote: Quote) -> Order | Cancel | None:
        """Some homes replace their order with a later forecast, some take it back."""
        draw = random.Random(f"{self.seed}:again:{house.name}:{slot_of_day}").randrange(100)
        if draw < self.mishaps.cancel_percent:
            slot = self.first + slot_of_day
            return house.person.next_cancel(house.meter, slot, self._deadline(slot))
        if draw >= self.mishaps.cancel_percent + self.mishaps.replace_percent:
            return None
        later_wh = (abs(house.home.net_wh(slot_of_day)) + quote.energy_wh) // 2
        better = improved(quote, max(later_wh, self.street.terms.min_energy_wh), self.street.terms)
        return self._order(house, slot_of_day, better)

    def _deadline(self, slot: int) -> int:
        """The gate, less a little: a later order could not be placed anyway."""
        return self.street.terms.gate(slot, self.clock) - _LAST_LOOK_S

    def _taken(self, name: str, items: Sequence[Item]) -> list[str]:
        """Counts answers; the last accepted id, for what was sent together is committed together."""
        for item in items:
            self.lived[f"refused: {item.error.name}" if item.error else name] += 1
        return [item.id for item in items if not item.error][-1:]

    # measuring

    def _measure(self, slot_of_day: int) -> list[str]:
        """Meters report the slot that has just ended, and what else they have to send."""
        for place, house in enumerate(self.street.houses):
            if 0 <= slot_of_day < SLOTS:
                self._sign(place, house, slot_of_day)
            self._correct(place, house, slot_of_day - self.mishaps.noticed_after_slots)
        online = [house.agent for place, house in enumerate(self.street.houses) if self._is_online(place, slot_of_day)]
        sent = send_together(self.waiter.client, online)
        self.lived["readings sent"] += len(sent)
        self.lived["readings late"] += sum(1 for reading in sent if self._is_late(reading.slot))
        return [reading.digest for reading in sent][-1:]

    def _sign(self, place: int, house: House, slot_of_day: int) -> None:
        if place == self.mishaps.silent and slot_of_day in self.mishaps.silent_slots:
            self.lived["readings never sent"] += 1
            return
        drawn, given = house.home.import_wh(slot_of_day), house.home.export_wh(slot_of_day)
        if (place, slot_of_day) in self.mishaps.misread:
            drawn, given = drawn * 9 // 10, given * 9 // 10
        house.agent.record(self.first + slot_of_day, drawn, given)

    def _correct(self, place: int, house: House, slot_of_day: int) -> None:
        if (place, slot_of_day) not in self.mishaps.misread:
            return
        drawn, given = house.home.import_wh(slot_of_day), house.home.export_wh(slot_of_day)
        if (place, slot_of_day) in self.mishaps.misread_twice:
            house.agent.correct(self.first + slot_of_day, drawn + 10, given)
            self.lived["readings corrected"] += 1
        house.agent.correct(self.first + slot_of_day, drawn, given)
        self.lived["readings corrected"] += 1

    def _is_online(self, place: int, slot_of_day: int) -> bool:
        return place != self.mishaps.cut_off or slot_of_day not in self.mishaps.cut_off_slots

    def _is_late(self, slot: int) -> bool:
        return self.waiter.clock.now() >= self.street.terms.reading_deadline(slot, self.clock)

    # the end of each slot

    def _newest_price(self, step: int) -> int | None:
        newest = self.first + min(step, SLOTS) - 1
        found = self.waiter.client.prices(self.street.market, max(newest - 1, self.first), newest) if step else []
        price = found[-1].get("priceMicroPerKwh") if found else None
        return None if price is None else int(price)

    def _close(self) -> None:
        """Lets time pass until the keeper has settled what was silent and every slot is closed."""
        slots = range(self.first, self.first + SLOTS)
        for _ in range(_PATIENT_STEPS):
            open_slot = next((slot for slot in slots if not self._is_closed(slot)), None)
            if open_slot is None:
                return
            slots = range(open_slot, self.first + SLOTS)
            self.waiter.pass_time()
        raise TimeoutError(f"slot {slots[0]} does not close")

    def _is_closed(self, slot: int) -> bool:
        return bool(self.waiter.client.slot(self.street.market, slot)["status"] == "closed")
