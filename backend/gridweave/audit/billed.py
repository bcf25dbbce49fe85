"""What a bill's JSON says, compared with the lines that the chain gives."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any
from zoneinfo import ZoneInfo

from gridweave.audit.differences import NOWHERE, Difference, Kind, Place, Subject
from gridweave.domain.addresses import checksum_address
from gridweave.domain.bill_span import BillSpan
from gridweave.domain.billing import Sums
from gridweave.domain.calendar import find_zone, period_named
from gridweave.domain.errors import DomainError
from gridweave.domain.slots import SlotClock

__all__ = ["BillUnreadable", "BilledLines", "compare_bill"]

Line = Mapping[str, Any]
_Key = tuple[int, int]


class BillUnreadable(ValueError):
    """The service's answer is no bill."""


@dataclass(frozen=True)
class BilledLines:
    """A bill as the service said it, as of `block`: its lines by slot and meter, and how often each is there."""

    bill: Mapping[str, Any]
    account: str
    zone: ZoneInfo
    block: int
    lines: Mapping[_Key, Line]
    times: Counter[_Key]

    @classmethod
    def read(cls, bill: Mapping[str, Any]) -> BilledLines:
        """Raises BillUnreadable."""
        try:
            period, rows = bill["period"], [*bill["days"], *bill["meters"], bill["totals"]]
            if bill["nextCursor"] is not None or not all(isinstance(row, Mapping) for row in rows):
                raise ValueError("part of it is missing")
            account = checksum_address(bytes.fromhex(bill["account"][2:]))
            lines = {(line["slot"], line["meter"]): line for line in bill["lines"]}
            times = Counter((line["slot"], line["meter"]) for line in bill["lines"])
            return cls(bill, account, find_zone(period["zone"]), int(period["blockNumber"]), lines, times)
        except (KeyError, TypeError, ValueError, AttributeError, DomainError) as fault:
            raise BillUnreadable(f"the service answered with something that is no bill: {fault!r}") from fault

    def span(self, clock: SlotClock) -> BillSpan:
        """What its period's name spans. Raises BillUnreadable."""
        name = str(self.bill["period"].get("name"))
        first, _, last = name.partition("..")
        try:
            if first.isdecimal() and last.isdecimal():
                return BillSpan.of_slots(int(first), int(last), self.zone, clock)
            return BillSpan.of_period(period_named(name, self.zone), clock)
        except (DomainError, OverflowError) as fault:
            raise BillUnreadable(f"the service billed {name!r}, which is no period") from fault


def compare_bill(said: BilledLines, lines: Mapping[_Key, Line], clock: SlotClock, now: int) -> list[Difference]:
    """Whatever the bill says else than these lines, their sums and the calendar, chain time being `now`."""
    return [*_period(said, clock, now), *_lines(said, lines), *_sums(said, lines, clock)]


def _period(said: BilledLines, clock: SlotClock, now: int) -> Iterator[Difference]:
    span, period = said.span(clock), said.bill["period"]
    expected = span.told(clock) | {"chainTime": now, "isOver": now >= span.ends_at}
    yield from _fields("period.", expected, period, Subject())
    slots = {"from": span.slots.start, "to": span.slots.stop - 1}
    yield from _fields("", slots, said.bill, Subject())


def _lines(said: BilledLines, lines: Mapping[_Key, Line]) -> Iterator[Difference]:
    for key, line in lines.items():
        subject, times = Subject(slot=line["slot"], meter=line["meter"]), said.times[key]
        if times == 1:
            yield from _fields("", line, said.lines[key], subject, _place(line))
        else:
            yield Difference(Kind.BILL, subject, "one line", f"{times or 'no'} lines", _place(line))
    for slot, meter in said.lines:
        if (slot, meter) not in lines:
            yield Difference(Kind.BILL, Subject(slot=slot, meter=meter), "no line", "a line", why="nothing was settled")


def _sums(said: BilledLines, lines: Mapping[_Key, Line], clock: SlotClock) -> Iterator[Difference]:
    totals, by_day, by_meter = Sums(), defaultdict[str, Sums](Sums), defaultdict[int, Sums](Sums)
    for key, line in lines.items():
        whole = {**line, "final": said.lines.get(key, {}).get("final", True)}
        for sums in (totals, by_day[line["date"]], by_meter[line["meter"]]):
            sums.add(whole)
    yield from _fields("totals.", totals.told(), said.bill["totals"], Subject())
    days = [day | by_day[day["date"]].told() for day in said.span(clock).told_days()]
    yield from _rows("days", "date", days, said.bill["days"])
    meters = [{"meter": meter} | by_meter[meter].told() for meter in sorted(by_meter)]
    yield from _rows("meters", "meter", meters, said.bill["meters"])


def _rows(name: str, key: str, expected: list[dict[str, Any]], found: list[Line]) -> Iterator[Difference]:
    names, others = [row[key] for row in expected], [row.get(key) for row in found]
    if names != others:
        yield Difference(Kind.BILL, Subject(field=name), str(names), str(others))
        return
    for row, other in zip(expected, found, strict=True):
        yield from _fields(f"{name} {row[key]}, ", row, other, Subject())


def _fields(prefix: str, expected: Line, found: Line, subject: Subject, place: Place = NOWHERE) -> Iterator[Difference]:
    for name, value in expected.items():
        other = found.get(name)
        if other != value or isinstance(other, bool) != isinstance(value, bool):
            about = Subject(slot=subject.slot, meter=subject.meter, field=prefix + name)
            yield Difference(Kind.BILL, about, str(value), str(other), place)


def _place(line: Line) -> Place:
    return Place(line["block"], line["transaction"], line["logIndex"])
