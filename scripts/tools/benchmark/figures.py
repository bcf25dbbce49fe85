"""Named figures, and the file that keeps them: the names are stable, so that runs can be compared."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, TypeAdapter

from layout import ROOT

__all__ = ["NAMES", "RESULTS", "Figure", "load", "percentile", "save"]

RESULTS = ROOT / "benchmarks" / "results.json"

NAMES = (
    "gas.place.batch100",
    "gas.place.batch100.reused",
    "gas.schedule.line.reused",
    "gas.clear.10",
    "gas.clear.100",
    "gas.clear.200",
    "gas.clear.1000",
    "gas.clear.10000",
    "gas.clear.worst",
    "gas.settle.secp256k1.batch100",
    "gas.settle.p256.batch100",
    "gas.settle.p256.code",
    "gas.life.n100",
    "gas.life.n100.reused",
    "homes.per_chain",
    "gas.claim",
    "gas.claim.p256",
    "gas.rotate",
    "gas.rotate.p256",
    "gas.revoke",
    "gas.revoke.relayed",
    "gas.anchor.head",
    "gas.anchor.head.p256",
    "gas.anchor.full.per_reading",
    "gas.anchor.hash.per_reading",
    "gas.verify.reading",
    "gas.firmware.release.3of5",
    "gateway.readings_per_s.signed100",
    "gateway.readings_per_s.signed1",
    "telemetry.mqtt.readings_per_s",
    "telemetry.opened_per_s",
    "telemetry.bytes_per_reading",
    "telemetry.tree_ms",
    "telemetry.proofs_per_s",
    "telemetry.proofs_checked_per_s",
    "telemetry.grants_per_s.x25519",
    "telemetry.grants_per_s.x25519.opened",
    "telemetry.grants_per_s.hybrid",
    "telemetry.grants_per_s.hybrid.opened",
    "orders.accepted_per_s.single",
    "orders.accepted_per_s.batch100",
    "orders.committed_per_s",
    "orders.accepted_ms.single.p50",
    "orders.accepted_ms.single.p99",
    "orders.post_to_committed_ms.p50",
    "orders.post_to_committed_ms.p99",
    "readings.paid_per_s",
    "vtn.requests_per_s",
    "indexer.events_per_s",
    "indexer.rebuild_events_per_s",
    "indexer.1m.rss_growth_mib",
    "indexer.1m.last_over_first",
    "history.page_ms",
    "history.export_rows_per_s",
    "history.export_memory_mib",
    "audit.payments_per_s",
)
"""In the order in which they are told."""


class Figure(BaseModel):
    """A value in its unit, and how it came about. `limit` is what the same machine allowed in the same run."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    value: int | float
    unit: str
    limit: int | float | None = None
    ratio: float | None = None
    note: str

    @classmethod
    def beside(cls, value: float, unit: str, limit: float, note: str) -> Figure:
        """A speed and the limit that it is measured by."""
        return cls(value=round(value), unit=unit, limit=round(limit), ratio=round(value / limit, 3), note=note)

    @classmethod
    def ms(cls, seconds: float, limit: float, note: str) -> Figure:
        """A time to wait and the least that it could be, both given in seconds: a ratio above 1."""
        value, least = round(seconds * 1_000, 1), round(limit * 1_000, 1)
        return cls(value=value, unit="ms", limit=least, ratio=round(seconds / limit, 3), note=note)


def percentile(values: Sequence[float], share: int) -> float:
    """The value that `share` per cent of them do not exceed."""
    return sorted(values)[max(0, -(-len(values) * share // 100) - 1)]


_FIGURES = TypeAdapter(dict[str, Figure])


def load(path: Path = RESULTS) -> dict[str, Figure]:
    """The kept figures by name; none when there is no file yet. ValidationError if one is no figure."""
    return _FIGURES.validate_json(path.read_text()) if path.exists() else {}


def save(figures: Mapping[str, Figure], path: Path = RESULTS) -> None:
    """Writes the figures in the order of NAMES."""
    ordered: dict[str, Any] = {name: figures[name].model_dump() for name in NAMES if name in figures}
    path.write_text(json.dumps(ordered, indent=2) + "\n")
