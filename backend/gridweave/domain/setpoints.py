"""What a gateway tells an asset to do, and what the asset answers, as words of a device and its gateway.

    setpoint   gateway -> device   {event, sequence, firstSlot, slots, watts, expiresMs}
    answer     device -> gateway   {event, sequence, state, committedW, slot, meteredWh, plannedWh, reason}

A setpoint may come twice, late, or after a newer one: the greatest `sequence` of an event holds. An answer says how
things stand. W and Wh are of net import, so that a setpoint below zero sheds.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import Enum
from typing import Self

from gridweave.domain.telemetry.gateway_errors import WordMalformed
from gridweave.domain.telemetry.word import Word, encode, maybe

__all__ = ["OperatingState", "Setpoint", "SetpointAnswer"]

EVENT = re.compile("[A-Za-z0-9_-]{1,64}")
_REASON = re.compile("[a-z]{1,32}")


class OperatingState(Enum):
    """Of an asset, as OpenADR 3.1 names it. Heightened: it takes more than planned."""

    IDLE_NORMAL = "IDLE_NORMAL"
    RUNNING_NORMAL = "RUNNING_NORMAL"
    RUNNING_CURTAILED = "RUNNING_CURTAILED"
    RUNNING_HEIGHTENED = "RUNNING_HEIGHTENED"
    IDLE_CURTAILED = "IDLE_CURTAILED"
    RUNNING_OPTED_OUT = "RUNNING_OPTED_OUT"


@dataclass(frozen=True)
class Setpoint:
    """DISPATCH_SETPOINT_RELATIVE: `watts` beside the baseline in each slot of the span, 0 for none any more.

    After `expires_ms` (Unix milliseconds) nobody begins with it. `event` is at most 64 letters, digits, - and _.
    """

    event: str
    sequence: int
    first_slot: int
    slots: int
    watts: int
    expires_ms: int

    def encode(self) -> bytes:
        """The word."""
        return encode(
            {
                "event": self.event,
                "sequence": self.sequence,
                "firstSlot": self.first_slot,
                "slots": self.slots,
                "watts": self.watts,
                "expiresMs": self.expires_ms,
            }
        )

    @classmethod
    def decode(cls, raw: bytes) -> Self:
        """The setpoint of a word. Raises WordMalformed."""
        word = Word.of(raw, "event", "sequence", "firstSlot", "slots", "watts", "expiresMs")
        if (slots := word.number("slots", 16)) == 0:
            raise WordMalformed("slots is one or more")
        return cls(
            word.text("event", EVENT),
            word.number("sequence", 32),
            word.number("firstSlot", 32),
            slots,
            word.signed("watts", 48),
            word.number("expiresMs", 48),
        )


@dataclass(frozen=True)
class SetpointAnswer:
    """The setpoint of that event and sequence has come. `committed_w` is what the asset can keep of it, with its sign.

    `slot` is the last one that it answered for, None before the first, with what its meter counted and its plan had.
    `reason` is the limit that keeps it from more, or why it opted out.
    """

    event: str
    sequence: int
    state: OperatingState
    committed_w: int
    slot: int | None = None
    metered_wh: int = 0
    planned_wh: int = 0
    reason: str | None = None

    def encode(self) -> bytes:
        """The word."""
        return encode(
            {
                "event": self.event,
                "sequence": self.sequence,
                "state": self.state.value,
                "committedW": self.committed_w,
                "slot": self.slot,
                "meteredWh": self.metered_wh,
                "plannedWh": self.planned_wh,
                "reason": maybe(self.reason, str),
            }
        )

    @classmethod
    def decode(cls, raw: bytes) -> Self:
        """The answer of a word. Raises WordMalformed."""
        names = ("event", "sequence", "state", "committedW", "slot", "meteredWh", "plannedWh", "reason")
        word = Word.of(raw, *names)
        if word.values["state"] not in list(OperatingState.__members__):
            raise WordMalformed("state is an operating state")
        return cls(
            word.text("event", EVENT),
            word.number("sequence", 32),
            OperatingState(word.values["state"]),
            word.signed("committedW", 48),
            word.maybe("slot", lambda name: word.number(name, 32)),
            word.signed("meteredWh", 48),
            word.signed("plannedWh", 48),
            word.maybe("reason", lambda name: word.text(name, _REASON)),
        )
