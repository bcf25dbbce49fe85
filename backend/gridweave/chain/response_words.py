"""Words in which DemandResponse keeps enrolments, events and commitments, as contracts/types packs them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

__all__ = ["EnrolmentWord", "EventWords", "Outcome"]


def _bits(word: int, shift: int, size: int) -> int:
    return word >> shift & (1 << size) - 1


def _signed(value: int, size: int) -> int:
    return value - (1 << size) if value >> size - 1 else value


@dataclass(frozen=True)
class EnrolmentWord:
    """An asset in a programme. `bond` is micro, `fixed_wh` net import per slot, comfort hours slots of its day."""

    version: int
    committed_w: int
    tick: int
    bond: int
    fixed_wh: int
    meter: int
    least_soc_percent: int
    comfort_from: int
    comfort_until: int
    max_slots: int

    @classmethod
    def unpack(cls, word: int) -> Self:
        """From AssetEnrolled or `enrolmentOf`."""
        sizes = (24, 24, 8, 64, 32, 32, 8, 8, 8, 8)
        shift, values = 256, []
        for size in sizes:
            shift -= size
            values.append(_bits(word, shift, size))
        values[4] = _signed(values[4], 32)
        return cls(*values)


@dataclass(frozen=True)
class EventWords:
    """An event as it stands: what it is, and what came of it. `spent` is micro, `notice_at` chain time in seconds."""

    programme: int
    first_slot: int
    slots: int
    target_w: int
    notice_at: int
    day: int
    offset: int
    cancelled: bool
    closed: bool
    drawn: bool
    called: int
    spent: int
    settled: int
    margin: int
    shared_w: int
    long_w: int
    passed_w: int
    dispatched: int
    given: bool

    @classmethod
    def unpack(cls, head: int, book: int) -> Self | None:
        """From `responseOf`, None if there is no such event."""
        if not head:
            return None
        return cls(
            programme=_bits(head, 224, 32),
            first_slot=_bits(head, 192, 32),
            slots=_bits(head, 176, 16),
            target_w=_bits(head, 144, 32),
            notice_at=_bits(head, 104, 40),
            day=_bits(head, 72, 32),
            offset=_bits(head, 64, 8),
            cancelled=bool(_bits(head, 56, 1)),
            closed=bool(_bits(head, 57, 1)),
            drawn=bool(_bits(head, 58, 1)),
            called=_bits(head, 24, 32),
            spent=_bits(book, 184, 72),
            settled=_bits(book, 152, 32),
            margin=_bits(book, 144, 8),
            shared_w=_bits(book, 112, 32),
            long_w=_bits(book, 80, 32),
            passed_w=_bits(book, 48, 32),
            dispatched=_bits(book, 16, 32),
            given=bool(_bits(book, 8, 1)),
        )


@dataclass(frozen=True)
class Outcome:
    """An asset's part in an event. `power_w` is its offer, at the margin its setpoint; `net_micro` what it got."""

    asset: int
    power_w: int
    tick: int
    settled: bool
    void: bool
    late_from: int
    net_micro: int

    @classmethod
    def unpack(cls, commitment: int, outcome: int) -> Self:
        """From `commitmentOf`. Void: it opted out in time."""
        settled, void = bool(commitment & 2), bool(commitment & 1)
        asset, power_w, tick = _bits(commitment, 32, 32), _bits(commitment, 8, 24), _bits(commitment, 2, 6)
        return cls(asset, power_w, tick, settled, void, _bits(outcome, 0, 8), _signed(outcome >> 8, 56))
