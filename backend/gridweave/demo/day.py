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

from collections.abc import Callable

from gridweave.demo import moments as told
from gridweave.demo.life import Life
from gridweave.demo.metering import Metering
from gridweave.demo.trading import Trading

__all__ = ["Day", "Step"]

_INTO_SLOT_S = 60
_PATIENT_STEPS = 400

Step = Callable[[int, int, int | None], None]
"""Told after each step: steps done, steps in all, the newest price in micro per kWh or None."""


class Day:
    """Lives a place's day."""

    def __init__(self, life: Life) -> None:
        self.life = life
        self.metering = Metering(life)
        self._trading = Trading(life)

    def live(self, tell: Step) -> None:
        """The whole day and its aftermath, until every slot is closed. Raises ServiceError, TimeoutError."""
        aftermath = 3 + self.life.place.terms.reading_window // self.life.clock.length + 1
        total = self.life.slots + aftermath
        for step in range(total):
            began = self.life.clock.start(self.life.first + step - 2) + _INTO_SLOT_S
            self.life.waiter.advance_to(began)
            self._look_at_prices(step)
            self.life.acknowledged.clear()
            under_way = self.metering.measure(step - 3)
            if step == 0:
                under_way += self._trading.schedule()
            if step < self.life.slots:
                under_way += self._trading.trade(step) + self._trading.pay_in(step)
            self.life.waiter.until_mined(under_way)
            if step == self.life.mishaps.reorganised_after:
                self._reorganise(step, began)
            tell(step + 1, total, self.life.prices.get(step - 2))
        self._close()

    def _reorganise(self, slot_of_day: int, since: int) -> None:
        """Throws out all blocks of this step, and waits until all that was acknowledged is on chain again by itself."""
        waiter, acknowledged = self.life.waiter, self.life.acknowledged
        blocks = waiter.clock.reorganise(since)
        waiter.advance_to(waiter.clock.now() + 1)
        lost = waiter.until_mined(acknowledged)
        self.life.lived["blocks thrown out"] += blocks
        self.life.diary.tell(slot_of_day, "reorg", told.reorganised(blocks, len(acknowledged), len(lost)))

    def _look_at_prices(self, step: int) -> None:
        """Remembers the price of the slot whose gate has passed, and of the one before, which may have come late."""
        newest = min(step, self.life.slots) - 1
        if newest < 0 or step > self.life.slots + 1:
            return
        first, oldest = self.life.first, max(newest - 2, 0)
        for line in self.life.waiter.client.prices(self.life.place.market, first + oldest, first + newest):
            price = line.get("priceMicroPerKwh")
            self.life.prices[int(line["slot"]) - first] = None if price is None else int(price)

    def _close(self) -> None:
        """Lets time pass until the keeper has settled what was silent and every slot is closed."""
        slots = range(self.life.first, self.life.last + 1)
        for _ in range(_PATIENT_STEPS):
            open_slot = next((slot for slot in slots if not self._is_closed(slot)), None)
            if open_slot is None:
                return
            slots = range(open_slot, self.life.last + 1)
            self.life.waiter.pass_time()
        raise TimeoutError(f"slot {slots[0]} does not close")

    def _is_closed(self, slot: int) -> bool:
        return bool(self.life.waiter.client.slot(self.life.place.market, slot)["status"] == "closed")
