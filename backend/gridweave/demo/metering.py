"""Readings of a day: signed as the meter counts, sent when it is online, corrected where it had read wrongly."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from gridweave.client import send_together
from gridweave.demo import moments as told
from gridweave.demo.founding import House
from gridweave.demo.life import Life

__all__ = ["Metering"]


@dataclass
class Metering:
    """Every home's meter."""

    life: Life

    def measure(self, slot_of_day: int) -> list[str]:
        """Meters report the slot that has just ended, and what else they have to send."""
        for place, house in enumerate(self.life.place.houses):
            if 0 <= slot_of_day < self.life.slots:
                self._sign(place, house, slot_of_day)
            self._correct(place, house, slot_of_day - self.life.mishaps.noticed_after_slots)
        houses = self.life.place.houses
        online = [house.agent for place, house in enumerate(houses) if self._is_online(place, slot_of_day)]
        sent = send_together(self.life.waiter.client, online)
        late = [reading for reading in sent if self._is_late(reading.slot)]
        self.life.lived["readings sent"] += len(sent)
        self.life.lived["readings late"] += len(late)
        if late:
            name = houses[self.life.mishaps.cut_off].name
            self.life.diary.tell(slot_of_day, "late", told.late(name, len(late)))
        digests = [reading.digest for reading in sent]
        self.life.acknowledged += digests
        return digests[-1:]

    def _sign(self, place: int, house: House, slot_of_day: int) -> None:
        drawn, given = house.resident.live(slot_of_day, self.life.prices.get(slot_of_day), self.life.place.terms)
        house.metered[slot_of_day] = drawn, given
        if place == self.life.mishaps.silent and slot_of_day in self.life.mishaps.silent_slots:
            self.life.lived["readings never sent"] += 1
            self.life.diary.tell_once(slot_of_day, "silent", house.name, told.silent(house.name))
            return
        if (place, slot_of_day) in self.life.mishaps.misread:
            drawn, given = drawn * 9 // 10, given * 9 // 10
        house.agent.record(self.life.first + slot_of_day, drawn, given)

    def _correct(self, place: int, house: House, slot_of_day: int) -> None:
        if (place, slot_of_day) not in self.life.mishaps.misread or slot_of_day not in house.metered:
            return
        drawn, given = house.metered[slot_of_day]
        versions = [(drawn, given)]
        if (place, slot_of_day) in self.life.mishaps.misread_twice:
            versions.insert(0, (drawn + 10, given))
        for version in versions:
            house.agent.correct(self.life.first + slot_of_day, *version)
        self.life.lived["readings corrected"] += len(versions)
        self.life.diary.tell(
            slot_of_day + self.life.mishaps.noticed_after_slots, "correction", told.corrected(house.name, len(versions))
        )

    def _is_online(self, place: int, slot_of_day: int) -> bool:
        return place != self.life.mishaps.cut_off or slot_of_day not in self.life.mishaps.cut_off_slots

    def _is_late(self, slot: int) -> bool:
        return self.life.waiter.clock.now() >= self.life.place.terms.reading_deadline(slot, self.life.clock)

    def settle_devices(self, tell: Callable[[int, int], None]) -> None:
        """Has every device ask what became of its readings, and counts those that are final.

        `tell` is told (devices done, devices in all).
        """
        houses, not_final = self.life.place.houses, 0
        for done, house in enumerate(houses, start=1):
            not_final += house.agent.follow()
            tell(done, len(houses))
        self.life.lived["readings refused"] = sum(len(house.agent.rejected()) for house in houses)
        self.life.lived["readings final"] = (
            self.life.lived["readings sent"] - not_final - self.life.lived["readings refused"]
        )
        for house in houses:
            house.agent.close()
