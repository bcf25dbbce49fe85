"""Calendars, readings and the gauge on the real contracts, and the same in the domain.

Acts are sent and signed; readings are put into the ledger's storage as the ledger lays them out, for a signature each
would take the day.
"""

from __future__ import annotations

import random
from dataclasses import astuple, dataclass
from itertools import count
from typing import Any

from gridweave import artifacts
from gridweave.chain import Authority
from gridweave.chain.abi import abi_of
from gridweave.chain.contracts.authority import Role
from gridweave.chain.contracts.day_calendar import DayCalendar
from gridweave.chain.types import Call
from gridweave.deployment.roles import FUNCTION_ROLES
from gridweave.domain.addresses import checksum_address
from gridweave.domain.eip712 import Domain
from gridweave.domain.flexibility.baselines import Called, Gauge, Measured, Measuring, Method
from gridweave.domain.flexibility.day_acts import CalendarOpening, DayPublication
from gridweave.domain.flexibility.days import CalendarBook
from gridweave.domain.hashing import keccak
from gridweave.domain.meters import SCALES_WH, Meter
from gridweave.domain.slots import SlotClock
from tests.e2e.differential.chain import Chain
from tests.e2e.differential.town import FAR, Person

SLOT_LENGTH = 900
CLOCK = SlotClock(SLOT_LENGTH)
NOBODY = "0x" + "00" * 20
_USUAL, _SHORT, _LONG = 96, 92, 100


@dataclass(frozen=True)
class Question:
    """What the gauge is asked."""

    measuring: Measuring
    meter: int
    called: Called
    event_days: int

    def call(self, gauge: str) -> Call:
        arguments = astuple(self.measuring), self.meter, astuple(self.called), self.event_days
        return Call(gauge, abi_of("ResponseGauge").functions["measure"].encode(*arguments))


class GaugeHouse:
    """What measures on `chain`, and its double."""

    def __init__(self, chain: Chain, rng: random.Random) -> None:
        self.chain, self.rng = chain, rng
        self.operator, self.nonces = Person(rng), count(1)
        self.at = self._deploy()
        nobody: Any = None
        self.calendar = DayCalendar(nobody, self.at["DayCalendar"])
        self.book = CalendarBook(CLOCK)
        self.net: dict[tuple[int, int], int] = {}
        self.gauge = Gauge(CLOCK, self.book, lambda meter, slot: self.net.get((meter, slot)))
        self._meters = 0
        self._grant()

    def domain(self) -> Domain:
        return Domain.of("DayCalendar", self.chain.chain_id, self.at["DayCalendar"])

    def open(self, first_slot: int) -> int:
        """A new calendar's number."""
        said = CalendarOpening("Europe/Berlin", CLOCK.start(first_slot) // 86_400, first_slot, next(self.nonces), FAR)
        self.chain.must([self.calendar.open_calendar(said, self.operator.consent(self.domain(), said))])
        return self.book.open(self.operator.address, said.time_zone, said.first_date, first_slot)

    def publish(self, calendar: int, days: bytes) -> None:
        first = len(self.book.calendar(calendar).days)
        said = DayPublication(calendar, first, days, next(self.nonces), FAR)
        self.chain.must([self.calendar.publish_days(said, self.operator.consent(self.domain(), said))])
        self.book.publish(calendar, first, days, self.chain.now)

    def random_days(self, number: int) -> bytes:
        """Mostly working days of 24 hours."""
        slots = self.rng.choices((_USUAL, _SHORT, _LONG), (20, 1, 1), k=number)
        kinds = self.rng.choices((1, 2, 3), (6, 1, 1), k=number)
        return b"".join(n.to_bytes(2) + bytes([kind]) for n, kind in zip(slots, kinds, strict=True))

    def meter(self, calendar: int, gaps: float) -> int:
        """A meter with readings in every slot of the calendar but for gaps; some days are empty."""
        self._meters += 1
        meter, scale = self._meters, self.rng.choice(SCALES_WH)
        word = Meter(NOBODY[:-1] + "1", 1, 20_000, 20_000, scale, False, False).pack()
        planted = [(self.at["DERRegistry"], _place("DERRegistry", "_meterings", meter), int.from_bytes(word))]
        words: dict[int, int] = {}
        level = self.rng.choice((-600, 0, 800))
        for day in self.book.calendar(calendar).days:
            if self.rng.random() < gaps:
                continue
            for slot in range(day.first, day.first + day.slots):
                if self.rng.random() >= gaps / 50:
                    lane, net = self._reading(level, scale)
                    words[slot >> 3] = words.get(slot >> 3, 0) | lane << (slot & 7) * 32
                    self.net[meter, slot] = net
        ledger = self.at["MeterLedger"]
        for group, held in words.items():
            planted.append((ledger, _place("MeterLedger", "_words", meter << 32 | group), held))
        self.chain.batch(
            [("anvil_setStorageAt", [at, f"0x{place:064x}", f"0x{value:064x}"]) for at, place, value in planted]
        )
        return meter

    def question(self, calendar: int, meter: int) -> Question:
        """Any event of the second half of the calendar, whatever its programme."""
        rng, days = self.rng, self.book.calendar(calendar).days
        day = days[rng.randrange(len(days) // 3, len(days))]
        offset = rng.randrange(day.slots)
        slots = rng.randint(1, min(12, day.slots - offset))
        first = day.first + offset
        notice = CLOCK.start(first) - rng.choice((1, 900, 3_600, 14_400, 40_000, 90_000))
        measuring = Measuring(
            method=rng.choice(tuple(Method)),
            up=rng.random() < 0.3,
            adjusted=rng.random() < 0.7,
            calendar=calendar,
            window_slots=rng.choice((1, 4, 8, 12)),
            window_gap=rng.choice((0, 1, 4)),
            final_after=rng.choice((0, 900, 86_400, 7 * 86_400)),
        )
        event_days = rng.getrandbits(64) & rng.getrandbits(64) & rng.getrandbits(64)
        return Question(measuring, meter, Called(first, slots, notice), event_days)

    def measured(self, question: Question) -> Measured:
        return self.gauge.measure(question.measuring, question.meter, question.called, question.event_days)

    def _reading(self, level: int, scale: int) -> tuple[int, int]:
        """A lane of the ledger and its net import in Wh; now and then the largest there is."""
        limit = (1 << 15) - 1
        net = self.rng.randint(-limit, limit) if self.rng.random() < 0.02 else level + self.rng.randint(-300, 300)
        imported, exported = max(net, 0), max(-net, 0)
        version = self.rng.choice((1, 1, 1, 2, 3))
        return version << 30 | imported << 15 | exported, net * scale

    def _deploy(self) -> dict[str, str]:
        at: dict[str, str] = {}
        for name, arguments in (
            ("Authority", lambda: (self.chain.sender,)),
            ("DeviceRegistry", lambda: (at["Authority"],)),
            ("DERRegistry", lambda: (at["Authority"], at["DeviceRegistry"], SLOT_LENGTH)),
            ("MeterLedger", lambda: (at["Authority"], at["DERRegistry"], at["DeviceRegistry"])),
            ("DayCalendar", lambda: (at["Authority"], SLOT_LENGTH)),
            ("ResponseGauge", lambda: (at["DayCalendar"], at["MeterLedger"])),
        ):
            code = artifacts.load(name).bytecode + abi_of(name).creation_arguments(*arguments())
            at[name] = checksum_address(self.chain.create(code))
        return at

    def _grant(self) -> None:
        nobody: Any = None
        authority = Authority(nobody, self.at["Authority"])
        functions = [abi_of("DayCalendar").selector(name) for name in FUNCTION_ROLES["DayCalendar"][Role.OPERATOR]]
        self.chain.must(
            [
                authority.set_function_role(self.at["DayCalendar"], functions, Role.OPERATOR),
                authority.grant_role(Role.OPERATOR, self.operator.address),
            ]
        )


def _place(contract: str, label: str, key: int) -> int:
    """Where the mapping keeps what belongs to the key."""
    layout = artifacts.load(contract).storage_layout["storage"]
    (slot,) = [row["slot"] for row in layout if row["label"] == label]
    return int.from_bytes(keccak(key.to_bytes(32) + slot.to_bytes(32)))
