"""What a bill's line says of one settlement, and what lines sum to. Service and auditor both count by these rules."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any
from zoneinfo import ZoneInfo

from gridweave.domain.calendar import local_day, local_time
from gridweave.domain.settlement import settle_meter
from gridweave.domain.terms import MarketTerms
from gridweave.domain.units import WH_PER_KWH, floor_div, mul_div_up

__all__ = ["Sums", "line_amounts", "line_moment", "proof_of"]

_SUMS = (
    "boughtWh",
    "soldWh",
    "importWh",
    "exportWh",
    "tradeMicro",
    "feeMicro",
    "deviationMicro",
    "cashMicro",
    "withoutMarketMicro",
    "correctionMicro",
)


def line_moment(starts_at: int, zone: ZoneInfo) -> dict[str, Any]:
    """When a slot starts: in chain seconds, and the day and time that the zone shows."""
    local = local_time(starts_at, zone).isoformat(timespec="minutes" if starts_at % 60 == 0 else "seconds")
    return {"startsAt": starts_at, "date": local_day(starts_at, zone).isoformat(), "localStart": local}


def line_amounts(
    terms: MarketTerms, price: int | None, traded: tuple[int, int], metered: tuple[int, int], cash: int
) -> dict[str, Any]:
    """Energies in Wh and amounts in micro; `traded` is (bought, sold), `metered` is (import, export), Wh.

    `cash = trade - fee + deviation`: trade is floor(T / 1000), the fee is rounded up, the deviation is what the
    contract's one rounding leaves. `withoutMarketMicro` is what feed-in and retail alone would have come to.
    """
    (bought, sold), (import_wh, export_wh) = traded, metered
    parts = settle_meter(terms, price or 0, bought, sold, import_wh, export_wh)
    trade, fee = floor_div(parts.trade, WH_PER_KWH), mul_div_up(parts.fee, 1, WH_PER_KWH)
    without = floor_div(terms.feed_in_price * export_wh - terms.retail_price * import_wh, WH_PER_KWH)
    return {
        "boughtWh": bought,
        "soldWh": sold,
        "importWh": import_wh,
        "exportWh": export_wh,
        "deviationWh": export_wh - import_wh - (sold - bought),
        "priceMicroPerKwh": price,
        "tradeMicro": trade,
        "feeMicro": fee,
        "deviationMicro": cash - trade + fee,
        "cashMicro": cash,
        "withoutMarketMicro": without,
    }


def proof_of(meter: int, slot: int) -> str:
    """The command that walks a line back from the chain alone."""
    return f"gridweave prove payment {meter}:{slot}"


class Sums:
    """Sums over lines."""

    def __init__(self, lines: Iterable[Mapping[str, Any]] = ()) -> None:
        self._sums = dict.fromkeys(_SUMS, 0)
        self._lines = self._silent = self._silence = self._corrections = self._open = 0
        self._final = True
        for line in lines:
            self.add(line)

    def add(self, line: Mapping[str, Any]) -> None:
        """Counts one line more."""
        for name in _SUMS:
            self._sums[name] += line[name]
        self._lines += 1
        if line["readingVersion"] == 0:
            self._silent += 1
            self._silence += line["deviationMicro"]
        self._corrections += line["settlements"] > 1
        self._open += line["changesUntil"] is not None
        self._final = self._final and line["final"]

    def told(self) -> dict[str, Any]:
        """The sums by name; `silenceMicro` is the part of the deviation that slots without a reading cost."""
        return self._sums | {
            "gainMicro": self._sums["cashMicro"] - self._sums["withoutMarketMicro"],
            "silenceMicro": self._silence,
            "lines": self._lines,
            "silentLines": self._silent,
            "correctedLines": self._corrections,
            "openLines": self._open,
            "final": self._final,
        }
