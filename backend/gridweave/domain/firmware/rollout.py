"""How far a release has come: its states, who is in its ramp, when its failures stop it, and its word on chain."""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import IntEnum

from gridweave.domain.addresses import address_bytes
from gridweave.domain.hashing import keccak

__all__ = [
    "CANARY_BP",
    "CLOCK_TOLERANCE",
    "WHOLE_BP",
    "Installation",
    "Line",
    "Rollout",
    "RolloutState",
    "ramp_position",
]

WHOLE_BP = 10_000
CANARY_BP = 1_000
"""A rollout begins with so many of 10,000 devices at most."""
CLOCK_TOLERANCE = 300
"""Seconds that a device's clock may be ahead of the chain's."""


class RolloutState(IntEnum):
    """Numbered as in contracts/types/Rollout.sol."""

    UNKNOWN = 0
    PROPOSED = 1
    CANARY = 2
    RAMP = 3
    FULL = 4
    PAUSED = 5
    REVOKED = 6
    SUPERSEDED = 7


_TAKING = frozenset({RolloutState.CANARY, RolloutState.RAMP, RolloutState.FULL})
_WIDTHS = (8, 8, 16, 16, 32, 32, 32, 16, 32, 32, 32)


@dataclass(frozen=True)
class Rollout:
    """A rollout as the registry keeps it. `told` and `failures` are of the present step; the last two are blocks."""

    state: RolloutState = RolloutState.UNKNOWN
    resumes_to: RolloutState = RolloutState.UNKNOWN
    share_bp: int = 0
    step: int = 0
    told: int = 0
    failures: int = 0
    least_receipts: int = 0
    failure_limit_bp: int = 0
    floor: int = 0
    revoked_since: int = 0
    begun_at: int = 0

    @property
    def is_taking(self) -> bool:
        """Whether devices may install it."""
        return self.state in _TAKING

    @property
    def is_over_limit(self) -> bool:
        """failures / told > failure_limit_bp / 10,000, once enough have told."""
        return self.told >= self.least_receipts and self.failures * WHOLE_BP > self.told * self.failure_limit_bp

    @property
    def word(self) -> int:
        """As it is stored."""
        word = 0
        for value, width in zip(self.fields, _WIDTHS, strict=True):
            word = word << width | value
        return word

    @property
    def fields(self) -> tuple[int, ...]:
        """The struct's values in order."""
        return tuple(int(getattr(self, name)) for name in self.__dataclass_fields__)

    @classmethod
    def from_word(cls, word: int) -> Rollout:
        """From 32 bytes as they are stored. ValueError for a state that there is not."""
        values: list[int] = []
        for width in reversed(_WIDTHS):
            values.append(word & ((1 << width) - 1))
            word >>= width
        state, resumes_to, *others = reversed(values)
        return cls(RolloutState(state), RolloutState(resumes_to), *others)

    def stepped(self, state: RolloutState) -> Rollout:
        """One step further, its receipts counted anew."""
        return replace(self, state=state, step=self.step + 1, told=0, failures=0)

    def paused(self) -> Rollout:
        """Stopped where it is; the tally stays to be seen."""
        return replace(self, state=RolloutState.PAUSED, resumes_to=self.state, step=self.step + 1)


@dataclass(frozen=True)
class Line:
    """A model as it stands: its maker, its newest counter, the newest that ever was full, and the floor in force."""

    maker: str
    latest: int = 0
    full: int = 0
    floor: int = 0

    @property
    def word(self) -> int:
        """As it is stored: the struct's members from the least significant bits on."""
        return self.floor << 224 | self.full << 192 | self.latest << 160 | int(self.maker, 16)


@dataclass(frozen=True)
class Installation:
    """What a device has told: the newest counter it told of and with what code, and what it runs since which block."""

    model: int = 0
    told: int = 0
    failure_code: int = 0
    running: int = 0
    running_since: int = 0

    @property
    def word(self) -> int:
        """As it is stored, see contracts/types/InstallReceipt.sol."""
        word = self.model << 112 | self.told << 80 | self.failure_code << 64
        return word | self.running << 32 | self.running_since


def ramp_position(device: str, model: int, counter: int) -> int:
    """Where a device stands in a release's ramp, 0 to 9,999: in it if below the ramp's share."""
    text = address_bytes(device) + model.to_bytes(4, "big") + counter.to_bytes(4, "big")
    return int.from_bytes(keccak(text), "big") % WHOLE_BP
