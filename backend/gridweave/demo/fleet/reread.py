"""Reads everything back with the owners' keys, and compares it with what was measured."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from hashlib import sha256

from gridweave.client.telemetry import BatchSource, ClosedSection, Ledger, StreamReader
from gridweave.demo.fleet.fleet import Live
from gridweave.demo.fleet.outcome import Reread, Way
from gridweave.demo.fleet.rollout import BAD
from gridweave.demo.profiles import SLOTS
from gridweave.domain.eip712 import Domain

__all__ = ["reread"]

_SLOT_S, _SLOT_MS = 900, 900_000
_MS, _FIRMWARE, _POWER = 1, 2, 3
"""Columns of a run."""


def reread(
    live: Sequence[Live],
    source_of: Callable[[Live], BatchSource],
    domain: Domain,
    midnight_ms: int,
    told: Callable[[int, int], None],
) -> Reread:
    """Of each of these streams, all of whose keys its owner still has. Raises a TelemetryRefusal."""
    began = time.monotonic()
    power = [0] * SLOTS
    ways: dict[tuple[int, int], Way] = {}
    equal = touched = devices = 0
    for at, each in enumerate(live, 1):
        source = source_of(each)
        ledger = Ledger.check(source, each.stream)
        seen, bad = sha256(), 0
        for part in StreamReader(ledger, source, each.openings, domain).runs():
            if isinstance(part, ClosedSection):
                continue
            seen.update(part.raw)
            bad += part.columns[_FIRMWARE].count(BAD)
            for ms, watts in zip(part.columns[_MS], part.columns[_POWER], strict=True):
                power[(ms - midnight_ms) // _SLOT_MS] += watts * each.measures.every_s
        equal += seen.digest() == each.digest
        touched, devices = touched + bad, devices + (bad > 0)
        way = ways.setdefault((each.measures.every_s, each.stream[20]), Way(each.measures.every_s, each.stream[20]))
        way.streams += 1
        way.readings += ledger.end_index
        way.batches += len(ledger.batches)
        way.sealed_bytes += sum(len(source.body(batch)) for batch in ledger.batches)
        way.transactions += [batch.transaction for batch in ledger.batches]
        told(at, len(live))
    return Reread(
        streams=len(live),
        equal=equal,
        ways=[ways[key] for key in sorted(ways)],
        power_w=[joules // _SLOT_S for joules in power],
        touched_readings=touched,
        touched_devices=devices,
        milliseconds=round((time.monotonic() - began) * 1_000),
    )
