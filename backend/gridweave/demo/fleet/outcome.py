"""What the fleet's day came to: plain numbers, read back from the service and the chain."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from gridweave.demo.fleet.intruders import KeptOut
from gridweave.demo.fleet.rollout import Step
from gridweave.demo.fleet.sharing import Proved, Seen
from gridweave.demo.outcome import AuditSummary, GasUse

__all__ = ["FleetOutcome", "Reread", "Way"]


@dataclass
class Way:
    """Streams that measure every so many seconds and are anchored in the same mode, numbered as StreamMode.

    `gas` is that of all transactions that anchored their batches, one of their own each.
    """

    every_s: int
    mode: int
    streams: int = 0
    readings: int = 0
    batches: int = 0
    sealed_bytes: int = 0
    gas: int = 0
    transactions: list[str] = field(default_factory=list, repr=False)


@dataclass(frozen=True)
class Reread:
    """What came back with the owners' keys: of streams in full from the chain's logs alone, of the others with the
    service's copies of what was sealed.

    `equal` counts streams whose readings are, byte for byte, what was measured. `power_w` is what all of them drew, by
    quarter hour; `touched` readings and devices are those of the release that was revoked.
    """

    streams: int
    equal: int
    ways: Sequence[Way]
    power_w: Sequence[int]
    touched_readings: int
    touched_devices: int
    milliseconds: int

    @property
    def readings(self) -> int:
        """All of them."""
        return sum(way.readings for way in self.ways)

    @property
    def batches(self) -> int:
        """In which they were anchored."""
        return sum(way.batches for way in self.ways)


@dataclass
class FleetOutcome:
    """`running` says how many devices ran each release, by quarter hour."""

    day: str
    way: str
    enrolled: int
    live: int
    kept_out: Sequence[KeptOut]
    proved: Proved
    seen: Sequence[Seen]
    shared_hours: tuple[int, int]
    steps: Sequence[Step]
    running: Sequence[dict[int, int]]
    source: str
    attribution: str
    licence: str
    reread: Reread
    audit: AuditSummary | None = None
    gas: dict[str, GasUse] = field(default_factory=dict)
    seconds: int = 0
    phases: dict[str, int] = field(default_factory=dict)

    @property
    def is_clean(self) -> bool:
        """Whether everything came back as it was measured, and the audit found no difference."""
        back = self.reread.equal == self.reread.streams
        return back and self.audit is not None and self.audit.differences == 0
